//! Waiting for a change, and for leave to call.

use std::panic::panic_any;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use std::{hint, thread};

use resilient_runtime::{BreakerConfigBuilder, BreakerState, CircuitBreaker};
use resilient_tests::events::Events;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, timeout};

use super::{OPEN, SECOND, breaker, config, opened};

fn shared(config: BreakerConfigBuilder) -> Arc<CircuitBreaker> {
    Arc::new(breaker(config))
}

/// Whether a future is ready at once.
fn is_ready<T>(future: impl Future<Output = T>) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Changes the public state.
fn force_or_reset(breaker: &CircuitBreaker) {
    if breaker.state() == BreakerState::Closed {
        breaker.force_open();
    } else {
        breaker.reset();
    }
}

/// How long `future` takes by the paused clock, which runs ahead where all are waiting.
async fn time<T>(future: impl Future<Output = T>) -> Duration {
    let begin = Instant::now();
    future.await;
    begin.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_change_wakes_everybody_who_waits_for_one() {
    let breaker = breaker(config());
    let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(breaker.changed())).collect();
    assert!(!waiting.iter_mut().any(is_ready));
    breaker.force_open();
    assert!(waiting.iter_mut().all(is_ready));
}

#[tokio::test(start_paused = true)]
async fn a_change_before_the_first_poll_is_not_missed() {
    let breaker = breaker(config());
    let changed = breaker.changed();
    breaker.force_open();
    breaker.reset();
    assert_eq!(changed.await, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_change_the_public_state_wakes_nobody() {
    let breaker = breaker(config());
    let mut changed = pin!(breaker.changed());
    let mut poll = || changed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    (0..4).for_each(|_| breaker.acquire().unwrap().failure());
    breaker.reset();
    breaker.force_closed();
    breaker.disable();
    assert!(poll().is_pending());
    breaker.force_open();
    assert_eq!(poll(), Poll::Ready(BreakerState::Open));
}

#[tokio::test(start_paused = true)]
async fn one_who_gives_up_takes_nobodys_wake_up_along() {
    let breaker = breaker(config());
    let mut patient = pin!(breaker.changed());
    assert!(!is_ready(patient.as_mut()));
    for _ in 0..10 {
        timeout(SECOND, breaker.changed()).await.unwrap_err();
    }
    breaker.force_open();
    assert_eq!(patient.await, BreakerState::Open);
}

#[tokio::test]
async fn no_change_is_missed_between_threads() {
    let breaker = shared(config());
    for _ in 0..2_000 {
        let changed = breaker.changed();
        let moving = Arc::clone(&breaker);
        let mover = tokio::task::spawn_blocking(move || {
            if moving.state() == BreakerState::Open { moving.reset() } else { moving.force_open() }
        });
        timeout(60 * SECOND, changed).await.expect("a change was missed");
        mover.await.unwrap();
    }
}

#[test]
fn a_change_that_the_caller_has_seen_is_not_reported_again() {
    let breaker = breaker(config());
    for round in 0..200 {
        let before = breaker.state();
        let changed = thread::scope(|scope| {
            scope.spawn(|| force_or_reset(&breaker));
            while breaker.state() == before {
                hint::spin_loop();
            }
            // The other thread may not have told of its change yet.
            breaker.changed()
        });
        assert!(!is_ready(changed), "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_open_state_is_a_change_although_nobody_calls() {
    let breaker = opened(config());
    let mut watching = pin!(breaker.changed());
    assert!(!is_ready(watching.as_mut()));
    assert_eq!(time(watching.as_mut()).await, OPEN);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

/// A future that was polled again and again would keep the paused clock from moving on.
#[tokio::test(start_paused = true)]
async fn a_watcher_of_an_idle_breaker_that_looks_half_open_sleeps() {
    let breaker = shared(config().failure_threshold(1).open_duration(SECOND));
    breaker.acquire().unwrap().failure();
    let watched = Arc::clone(&breaker);
    let changes = tokio::spawn(async move { [watched.changed().await, watched.changed().await] });
    tokio::time::sleep(5 * SECOND).await;
    assert!(!changes.is_finished());
    breaker.reset();
    assert_eq!(changes.await.unwrap(), [BreakerState::HalfOpen, BreakerState::Closed]);
}

#[test]
fn a_change_of_long_ago_is_not_taken_for_one_to_come() {
    let breaker = CircuitBreaker::default();
    // More periods than half of those that there are.
    (0..(1 << 22) + 10).for_each(|_| breaker.reset());
    assert!(!is_ready(breaker.changed()));
    breaker.force_open();
    breaker.reset();
    let changed = breaker.changed();
    assert!(!is_ready(changed));
}

#[tokio::test(start_paused = true)]
async fn the_first_probe_is_no_change_for_a_caller_who_has_seen_the_breaker_half_open() {
    let breaker = opened(config().success_threshold(1));
    advance(OPEN).await;
    let mut changed = pin!(breaker.changed());
    let probe = breaker.acquire().unwrap();
    assert!(!is_ready(changed.as_mut()));
    probe.success();
    assert_eq!(changed.await, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_that_is_forced_open_stays_as_it_looks() {
    let breaker = opened(config());
    let mut changed = pin!(breaker.changed());
    breaker.force_open();
    assert!(!is_ready(changed.as_mut()));
    advance(2 * OPEN).await;
    assert!(!is_ready(changed.as_mut()), "it is held open");
    breaker.reset();
    assert_eq!(changed.await, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_look_ends_when_the_breaker_is_forced_open() {
    let breaker = opened(config());
    advance(OPEN).await;
    let changed = breaker.changed();
    breaker.force_open();
    assert_eq!(changed.await, BreakerState::Open);
}

/// A task of a broken executor: waking it panics, and so does dropping what it panics with.
struct BrokenTask;

impl Wake for BrokenTask {
    fn wake(self: Arc<Self>) {
        panic_any(Bomb);
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("this must not be dropped");
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_harms_neither_the_breaker_nor_other_tasks() {
    let breaker = breaker(config());
    let events = Events::catch();
    for changes in 0..20 {
        let mut broken = [Box::pin(breaker.changed()), Box::pin(breaker.changed())];
        let waker = Waker::from(Arc::new(BrokenTask));
        for task in &mut broken {
            assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut sound = pin!(breaker.changed());
        assert!(sound.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        force_or_reset(&breaker);
        assert!(woken.0.load(Ordering::Relaxed));
        assert_eq!(events.named("circuit breaker changed state").len(), changes + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_breaker_is_ready_at_once() {
    let breaker = breaker(config());
    assert!(is_ready(breaker.wait_until_ready()));
    breaker.disable();
    assert!(is_ready(breaker.wait_until_ready()));
}

#[tokio::test(start_paused = true)]
async fn an_open_one_is_ready_when_its_time_is_over() {
    let breaker = opened(config());
    assert_eq!(time(breaker.wait_until_ready()).await, OPEN);
    assert!(breaker.acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_held_open_is_ready_when_it_is_let_go() {
    let breaker = breaker(config());
    breaker.force_open();
    let mut waiting = pin!(breaker.wait_until_ready());
    assert!(!is_ready(waiting.as_mut()));
    advance(3600 * SECOND).await;
    assert!(!is_ready(waiting.as_mut()));
    breaker.reset();
    assert!(is_ready(waiting));
}

#[tokio::test(start_paused = true)]
async fn a_half_open_one_is_ready_when_a_probe_gives_its_place_back() {
    let breaker = opened(config().half_open_max_calls(1));
    advance(OPEN).await;
    let probe = breaker.acquire().unwrap();
    let mut waiting = pin!(breaker.wait_until_ready());
    advance(3600 * SECOND).await;
    assert!(!is_ready(waiting.as_mut()));
    probe.ignore();
    assert!(is_ready(waiting));
}

#[tokio::test(start_paused = true)]
async fn it_waits_out_a_probe_that_hangs_and_the_opening_that_follows() {
    let breaker = opened(config().half_open_max_calls(1).probe_timeout(10 * SECOND));
    advance(OPEN).await;
    let hanging = breaker.acquire().unwrap();
    assert_eq!(time(breaker.wait_until_ready()).await, 10 * SECOND + OPEN);
    drop(hanging);
}

#[tokio::test(start_paused = true)]
async fn of_many_who_wait_each_gets_through_in_the_end() {
    let breaker = Arc::new(opened(config().success_threshold(50).half_open_max_calls(2)));
    let mut waiting = JoinSet::new();
    for _ in 0..50 {
        let breaker = Arc::clone(&breaker);
        waiting.spawn(async move {
            loop {
                breaker.wait_until_ready().await;
                if let Ok(probe) = breaker.acquire() {
                    tokio::time::sleep(SECOND).await;
                    return probe.success();
                }
            }
        });
    }
    // Two at a time, a second each.
    assert_eq!(time(waiting.join_all()).await, OPEN + 25 * SECOND);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_over_as_soon_as_somebody_resets_it() {
    let breaker = opened(config());
    let mut waiting = pin!(breaker.wait_until_ready());
    assert!(!is_ready(waiting.as_mut()));
    breaker.reset();
    assert!(is_ready(waiting));
}
