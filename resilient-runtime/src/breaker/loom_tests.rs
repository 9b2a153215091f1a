//! Tests under loom, which runs every interleaving of a few threads:
//!
//! ```sh
//! RUSTFLAGS='--cfg loom' cargo test --release --target-dir target/loom \
//!     -p resilient-runtime --no-default-features --lib loom_tests
//! ```
//!
//! Each test says what holds in the end, whichever thread came first. No clock is read that matters: an open
//! breaker is open until the moment 0 or for an hour, and a window is given the moment of a result.

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use tokio::time::Instant;

use super::admitted::Admitted;
use super::failure::{Caller, Failure};
use super::state::{Moment, State, Word};
use super::transition_log::{Transition, TransitionLog};
use super::window::{CallResult, CallWindow, TimeWindow};
use super::{CircuitBreaker, Permit, RestoredState, WindowStats};
use crate::error::BreakerState;
use crate::event::{FailureSource, TransitionCause};
use crate::{BreakerConfig, BreakerConfigBuilder};

/// How often a thread may be interrupted where it does not wait. Most bugs need no more than two;
/// five take seconds, and without a bound these tests run for hours.
const PREEMPTIONS: usize = 5;

/// For threads that turn a window, which takes many steps.
const FEW_PREEMPTIONS: usize = 3;

/// A call that failed, without a policy and without a hint.
const FAILURE: Failure<'static> = Failure::new(FailureSource::Reported, Caller::NONE);

fn model(test: impl Fn() + Sync + Send + 'static) {
    model_with(PREEMPTIONS, test);
}

fn model_with(preemptions: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(test);
}

fn config() -> BreakerConfigBuilder {
    BreakerConfig::builder().open_duration(Duration::from_secs(3600))
}

fn breaker(config: BreakerConfigBuilder) -> Arc<CircuitBreaker> {
    Arc::new(CircuitBreaker::new(config.build().unwrap()))
}

/// A breaker that has opened once and lets probes through by now.
fn recovering(config: BreakerConfigBuilder) -> Arc<CircuitBreaker> {
    let breaker = breaker(config);
    let seen = breaker.open_streak.load();
    assert!(breaker.open_streak.record(seen, seen.following(breaker.load())));
    breaker.force(State::Open { until: Moment::from_millis(0) }, None);
    // Makes the slots, by a lock that loom does not see.
    assert!(breaker.probes.has_free(&breaker.config(), 0, Moment::from_millis(0)));
    breaker
}

fn admit(breaker: &CircuitBreaker) -> Admitted {
    breaker.acquire().unwrap().surrender().1
}

/// Runs `work` in another thread, on the same breaker.
fn beside<T: 'static>(
    breaker: &Arc<CircuitBreaker>,
    work: impl FnOnce(&CircuitBreaker) -> T + 'static,
) -> thread::JoinHandle<T> {
    let breaker = Arc::clone(breaker);
    thread::spawn(move || work(&breaker))
}

fn state(breaker: &CircuitBreaker) -> State {
    breaker.load().state()
}

#[test]
fn of_two_threads_that_acquire_the_only_probe_one_gets_it() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(1));
        let acquire = |breaker: &CircuitBreaker| breaker.acquire().map(Permit::surrender).is_ok();
        let other = beside(&breaker, acquire);
        let mine = acquire(&breaker);
        assert!(mine ^ other.join().unwrap());
        assert_eq!(state(&breaker), State::HalfOpen { successes: 0 });
        assert_eq!(breaker.stats().totals.rejected, 1);
    });
}

#[test]
fn no_failure_is_lost() {
    model(|| {
        let breaker = breaker(config().failure_threshold(2));
        let (first, second) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(first, FAILURE));
        breaker.failed(second, FAILURE);
        other.join().unwrap();
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.stats().consecutive_openings, 1);
    });
}

#[test]
fn a_transition_that_is_published_is_seen() {
    model(|| {
        let breaker = breaker(config());
        let seen = breaker.seen();
        let other = beside(&breaker, |breaker| breaker.force_open());
        if let Some(state) = breaker.changed_since(seen) {
            assert_eq!(state, BreakerState::Open);
        }
        other.join().unwrap();
        assert_eq!(breaker.changed_since(seen), Some(BreakerState::Open));
    });
}

#[test]
fn a_probe_that_is_dropped_releases_its_slot_exactly_once() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(1));
        let probe = admit(&breaker);
        let other = beside(&breaker, |breaker| drop(breaker.acquire()));
        breaker.ignored(probe);
        other.join().unwrap();
        assert_eq!(state(&breaker), State::HalfOpen { successes: 0 });
        assert_eq!(breaker.probes.out(), 0);
        assert!(breaker.acquire().is_ok());
    });
}

#[test]
fn a_probe_that_outlives_its_period_holds_its_slot() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(2));
        let (hanging, failing) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(failing, FAILURE));
        // The slot of the failing probe is free only when the breaker is open.
        assert!(breaker.acquire().is_err());
        other.join().unwrap();
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.probes.out(), 1);
        breaker.ignored(hanging);
        assert_eq!(breaker.probes.out(), 0);
    });
}

#[test]
fn a_reset_frees_every_slot_once() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(1));
        let hanging = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.ignored(hanging));
        breaker.reset();
        other.join().unwrap();
        assert_eq!(breaker.probes.out(), 0);
    });
}

#[test]
fn a_probe_that_fails_and_one_that_succeeds_end_in_the_order_they_came() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(2).success_threshold(1));
        let (failing, succeeding) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(failing, FAILURE));
        breaker.succeeded(succeeding, Caller::NONE);
        other.join().unwrap();
        let stats = breaker.stats();
        match stats.state {
            BreakerState::Closed => assert_eq!(stats.consecutive_openings, 0),
            BreakerState::Open => assert_eq!(stats.consecutive_openings, 2),
            BreakerState::HalfOpen => panic!("neither counted"),
        }
    });
}

#[test]
fn two_probes_that_fail_open_it_once() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(2));
        let (first, second) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(first, FAILURE));
        breaker.failed(second, FAILURE);
        other.join().unwrap();
        assert_eq!(breaker.stats().consecutive_openings, 2);
    });
}

#[test]
fn whoever_sees_it_open_sees_how_often_it_has_opened() {
    model(|| {
        let breaker = recovering(config());
        let probe = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(probe, FAILURE));
        let stats = breaker.stats();
        let expected = if stats.state == BreakerState::Open { 2 } else { 1 };
        assert_eq!(stats.consecutive_openings, expected);
        other.join().unwrap();
    });
}

#[test]
fn an_opening_that_comes_too_late_does_not_disturb_the_count_of_a_later_one() {
    model(|| {
        let breaker = recovering(config().failure_threshold(1));
        let probe = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(probe, FAILURE));
        breaker.reset();
        breaker.failed(admit(&breaker), FAILURE);
        other.join().unwrap();
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.stats().consecutive_openings, 1);
    });
}

#[test]
fn a_failure_and_a_restore_open_it_once_and_agree_on_the_count() {
    model(|| {
        let breaker = breaker(config().failure_threshold(1));
        let call = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(call, FAILURE));
        breaker.restore(RestoredState::Open { time_left: Duration::from_secs(3600), openings: 7 });
        // By now one of them has opened it. The other must not change the count.
        let openings = breaker.stats().consecutive_openings;
        assert!(matches!(openings, 1 | 7), "{openings}");
        other.join().unwrap();
        assert_eq!(breaker.stats().consecutive_openings, openings);
        assert_eq!(breaker.stats().totals.transitions, 1);
    });
}

#[test]
fn after_a_reset_no_result_from_before_it_counts() {
    model(|| {
        let breaker = breaker(config().failure_threshold(2));
        let before = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(before, FAILURE));
        breaker.reset();
        other.join().unwrap();
        assert_eq!(state(&breaker), State::Closed { failures: 0 });
    });
}

#[test]
fn after_a_reset_no_result_from_before_it_is_in_the_window() {
    model(|| {
        let breaker = breaker(config().window_calls(2).minimum_calls(2));
        // Makes the window, by a lock that loom does not see.
        let _ = breaker.stats();
        let before = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(before, FAILURE));
        breaker.reset();
        breaker.failed(admit(&breaker), FAILURE);
        other.join().unwrap();
        let window = breaker.stats().window.unwrap();
        assert_eq!((window.calls, window.failures), (1, 1));
        assert_eq!(breaker.state(), BreakerState::Closed);
    });
}

const FAILED: CallResult = CallResult { failed: true, slow: false };
const GOOD: CallResult = CallResult { failed: false, slow: false };

/// The stripe of the main thread in a window of time, and that of the other thread.
const MINE: usize = 0;
const OTHER: usize = 1;

const SECOND: Duration = Duration::from_secs(1);

const fn stats(calls: u64, failures: u64) -> WindowStats {
    WindowStats { calls, failures, slow_calls: 0 }
}

fn record_call(window: &CallWindow, result: CallResult) -> WindowStats {
    window.record(result, 0, || true).unwrap()
}

/// Records a success beside a failure, and gives `check` what each of them saw and what is there
/// in the end.
fn record_both(
    length: u16,
    first: &'static [CallResult],
    check: impl Fn(&CallWindow, [WindowStats; 3]) + Sync + Send + 'static,
) {
    model(move || {
        let window = Arc::new(CallWindow::new(length));
        for result in first {
            record_call(&window, *result);
        }
        let shared = Arc::clone(&window);
        let other = thread::spawn(move || record_call(&shared, FAILED));
        let success = record_call(&window, GOOD);
        let failure = other.join().unwrap();
        check(&window, [success, failure, window.stats(None)]);
    });
}

#[test]
fn results_enter_a_window_of_calls_one_by_one() {
    record_both(2, &[FAILED, GOOD], |window, seen| {
        // Two orders, and no third: the failure takes the place of the first failure, or of the
        // success that stands behind it.
        let orders = [[stats(2, 1); 3], [stats(2, 0), stats(2, 1), stats(2, 1)]];
        assert!(orders.contains(&seen), "{seen:?}");
        let leaving = [record_call(window, GOOD), record_call(window, GOOD)];
        assert_eq!(leaving[1], stats(2, 0));
    });
}

#[test]
fn a_window_of_one_call_holds_the_last() {
    record_both(1, &[FAILED], |window, [success, failure, last]| {
        assert_eq!([success, failure], [stats(1, 0), stats(1, 1)]);
        assert!([success, failure].contains(&last));
        assert_eq!(record_call(window, GOOD), stats(1, 0));
    });
}

/// One thread records a failure in the first period, while the period changes and two threads
/// record successes in the second.
#[test]
fn a_window_of_one_call_does_not_drift_over_a_change_of_period() {
    model_with(FEW_PREEMPTIONS, || {
        let window = Arc::new(CallWindow::new(1));
        let period = Arc::new(AtomicU32::new(0));
        let record = |result, admitted| {
            let (window, period) = (Arc::clone(&window), Arc::clone(&period));
            move || window.record(result, admitted, || period.load(Ordering::Acquire) == admitted)
        };
        let failing = thread::spawn(record(FAILED, 0));
        period.store(1, Ordering::Release);
        let succeeding = thread::spawn(record(GOOD, 1));
        assert_eq!(record(GOOD, 1)(), Some(stats(1, 0)));
        assert_eq!(succeeding.join().unwrap(), Some(stats(1, 0)));
        failing.join().unwrap();
        assert_eq!(window.stats(Some(1)), stats(1, 0));
    });
}

/// The moment at which every window of time begins here.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

fn at(millis: u64) -> Instant {
    *EPOCH + Duration::from_millis(millis)
}

fn record_at(
    window: &TimeWindow,
    stripe: usize,
    result: CallResult,
    millis: u64,
) -> Option<WindowStats> {
    window.record_in(stripe, result, 0, || true, at(millis))
}

/// Of a success and the first failure, the one that comes last sees both.
fn first_failure_beside_a_success_at(millis: u64, stripe: usize) {
    model_with(FEW_PREEMPTIONS, move || {
        let window = Arc::new(TimeWindow::new(SECOND, *EPOCH));
        let shared = Arc::clone(&window);
        let other = thread::spawn(move || record_at(&shared, stripe, FAILED, 0));
        let seen = [record_at(&window, MINE, GOOD, millis), other.join().unwrap()];
        assert!(seen.contains(&Some(stats(2, 1))), "{seen:?}");
    });
}

#[test]
fn a_first_failure_is_seen_with_a_success_of_the_same_tenth() {
    first_failure_beside_a_success_at(0, OTHER);
}

#[test]
fn a_first_failure_is_seen_with_a_success_of_the_same_stripe() {
    first_failure_beside_a_success_at(0, MINE);
}

#[test]
fn a_first_failure_is_seen_with_a_success_of_the_next_tenth() {
    first_failure_beside_a_success_at(100, OTHER);
}

#[test]
fn an_old_failure_beside_a_new_one_hides_it_from_no_success() {
    model_with(FEW_PREEMPTIONS, || {
        let window = Arc::new(TimeWindow::new(SECOND, *EPOCH));
        let shared = Arc::clone(&window);
        let other = thread::spawn(move || record_at(&shared, OTHER, FAILED, 0));
        record_at(&window, MINE, FAILED, 100);
        other.join().unwrap();
        let seen = record_at(&window, MINE, GOOD, 1_000);
        assert!(seen.is_some_and(|window| window.failures == 1), "{seen:?}");
    });
}

/// Results on either side of a tenth's end, after the window stood still for longer than it is
/// long, or in stripes whose tenths share a place with older ones.
#[test]
fn no_failure_is_lost_where_a_window_turns() {
    for stripe in [MINE, OTHER] {
        model_with(FEW_PREEMPTIONS, move || {
            let window = Arc::new(TimeWindow::new(SECOND, *EPOCH));
            record_at(&window, MINE, FAILED, 0);
            record_at(&window, stripe, FAILED, 100);
            let shared = Arc::clone(&window);
            let other = thread::spawn(move || record_at(&shared, stripe, FAILED, 1_100));
            record_at(&window, MINE, FAILED, 1_000);
            record_at(&window, MINE, FAILED, 1_100);
            other.join().unwrap();
            assert_eq!(window.stats(None, at(1_100)), stats(3, 3));
        });
    }
}

#[test]
fn a_window_of_time_holds_no_failure_of_an_earlier_period() {
    model_with(FEW_PREEMPTIONS, || {
        let window = Arc::new(TimeWindow::new(SECOND, *EPOCH));
        let period = Arc::new(AtomicU32::new(0));
        let record = |stripe, result, admitted| {
            let (window, period) = (Arc::clone(&window), Arc::clone(&period));
            move || {
                let period_lasts = || period.load(Ordering::Acquire) == admitted;
                window.record_in(stripe, result, admitted, period_lasts, at(0))
            }
        };
        let before = thread::spawn(record(MINE, FAILED, 0));
        period.store(1, Ordering::Release);
        let after = thread::spawn(record(OTHER, FAILED, 1));
        record(MINE, GOOD, 1)();
        before.join().unwrap();
        let seen = after.join().unwrap();
        assert!(seen.is_some_and(|window| window.failures == 1), "{seen:?}");
        assert_eq!(window.stats(Some(1), at(0)), stats(2, 1));
    });
}

#[test]
fn a_task_that_waits_is_woken_by_a_change_at_any_moment() {
    model(|| {
        let breaker = breaker(config());
        let other = beside(&breaker, CircuitBreaker::force_open);
        let mut changed = pin!(breaker.changed());
        let seen = breaker.state();
        let woken = std::sync::Arc::new(Woken::default());
        let waker = Waker::from(std::sync::Arc::clone(&woken));
        let is_ready = changed.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        other.join().unwrap();
        if seen == BreakerState::Closed && !is_ready {
            assert!(woken.0.load(Ordering::Relaxed), "the wake-up was lost");
        }
    });
}

#[derive(Default)]
struct Woken(std::sync::atomic::AtomicBool);

impl Wake for Woken {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn transitions_that_two_threads_make_are_published_in_their_order() {
    model(|| {
        let log = Arc::new(TransitionLog::new());
        let emitted = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let words = {
            let open = Word::NEW.begin(State::ForcedOpen);
            [Word::NEW, open, open.begin(State::ForcedClosed)]
        };
        let publish = {
            let (log, emitted) = (Arc::clone(&log), std::sync::Arc::clone(&emitted));
            move |from, to| {
                let transition = Transition::between(from, to, TransitionCause::OpenDurationOver);
                log.publish(transition, |transition| {
                    emitted.lock().unwrap().push((transition.from, transition.to));
                });
            }
        };
        let second = publish.clone();
        let other = thread::spawn(move || second(words[1], words[2]));
        publish(words[0], words[1]);
        other.join().unwrap();
        let [first, second, third] = words.map(Word::status);
        assert_eq!(*emitted.lock().unwrap(), [(first, second), (second, third)]);
        let counts = log.counts().unwrap();
        assert_eq!((counts.of(first, second), counts.of(second, third)), (1, 1));
    });
}

/// Settings come in the midst of two failures. Whatever the order, both count.
#[test]
fn a_change_of_the_threshold_loses_no_failure() {
    model(|| {
        let breaker = breaker(config().failure_threshold(9));
        let (first, second) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(first, FAILURE));
        breaker.set_config(config().failure_threshold(3).build().unwrap());
        breaker.failed(second, FAILURE);
        other.join().unwrap();
        assert_eq!(state(&breaker), State::Closed { failures: 2 });
        breaker.failed(admit(&breaker), FAILURE);
        assert_eq!(breaker.state(), BreakerState::Open);
    });
}

/// Settings allow a second probe while the first one ends and another call asks for one.
#[test]
fn a_change_of_the_probes_loses_no_slot_and_admits_no_third() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(1).success_threshold(9));
        let two = config().half_open_max_calls(2).success_threshold(9).build().unwrap();
        // Makes the slots, by a lock that loom does not see.
        assert!(breaker.probes.has_free(&two, 0, Moment::from_millis(0)));
        let probe = admit(&breaker);
        let acquire = |breaker: &CircuitBreaker| {
            breaker.acquire().map(Permit::surrender).map(|(_, admitted)| admitted).ok()
        };
        let other = beside(&breaker, acquire);
        breaker.set_config(two);
        let (mine, others) = (acquire(&breaker), other.join().unwrap());
        assert!(mine.is_some() ^ others.is_some(), "the second slot is one of them's");
        assert_eq!(breaker.probes.out(), 2);
        for admitted in [Some(probe), mine, others].into_iter().flatten() {
            breaker.ignored(admitted);
        }
        assert_eq!(breaker.probes.out(), 0);
    });
}

/// A window takes the place of another while results come in.
#[test]
fn a_change_of_the_window_harms_no_call() {
    model_with(2, || {
        let breaker = breaker(config().window_calls(2).minimum_calls(2));
        let result = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(result, FAILURE));
        breaker.set_config(config().window_calls(4).minimum_calls(2).build().unwrap());
        breaker.failed(admit(&breaker), FAILURE);
        other.join().unwrap();
        // The first failure is in the earlier window or in the later one.
        let in_window = breaker.stats().window.unwrap().failures;
        assert!(matches!(in_window, 1 | 2), "{in_window}");
        if breaker.state() == BreakerState::Closed {
            breaker.failed(admit(&breaker), FAILURE);
        }
        assert_eq!(breaker.state(), BreakerState::Open);
    });
}
