//! How changes are told: in order, under no lock, whatever the subscriber does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use resilient_runtime::{BreakerState, CircuitBreaker};
use resilient_tests::events::hearing;
use tracing::{Dispatch, dispatcher};

use super::{breaker, config};

/// `from` and `to` of one change.
type Change = (String, String);

/// What was told so far.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Change>>>);

impl Told {
    fn push(&self, change: Change) {
        self.0.lock().unwrap().push(change);
    }

    fn all(&self) -> Vec<Change> {
        self.0.lock().unwrap().clone()
    }

    /// Asserts that each change begins where the last has ended, and returns how many there were.
    fn is_in_order(&self) -> u64 {
        let told = self.all();
        let mut state = "closed";
        for (number, (from, to)) in told.iter().enumerate() {
            assert_eq!(from, state, "change {number}");
            state = to;
        }
        told.len() as u64
    }
}

/// Passes each change on; what it does with one may block, panic, or move the breaker.
fn subscriber(tell: impl Fn(Change) + Send + Sync + 'static) -> Dispatch {
    Dispatch::new(hearing(move |event| {
        if event.message() == "circuit breaker changed state" {
            tell(change(event.field("from"), event.field("to")));
        }
    }))
}

fn change(from: &str, to: &str) -> Change {
    (from.to_owned(), to.to_owned())
}

/// Moves the breaker back and forth.
fn move_often(breaker: &CircuitBreaker, times: usize, seed: usize) {
    for round in 0..times {
        match (round * 7 + seed) % 4 {
            0 => breaker.force_open(),
            1 => breaker.reset(),
            2 => breaker.disable(),
            _ => breaker.force_closed(),
        }
    }
}

#[test]
fn changes_of_many_threads_are_told_in_order_and_none_is_lost() {
    const THREADS: usize = 4;
    let breaker = breaker(config());
    let told = Told::default();
    let dispatch = {
        let told = told.clone();
        subscriber(move |change| told.push(change))
    };
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (breaker, dispatch) = (&breaker, &dispatch);
            scope.spawn(move || {
                dispatcher::with_default(dispatch, || move_often(breaker, 5_000, seed));
            });
        }
    });
    assert_eq!(told.is_in_order(), breaker.stats().totals.transitions);
    assert_eq!(told.all().last().unwrap().1, breaker.state().as_str());
}

#[test]
fn a_slow_subscriber_keeps_no_other_thread_waiting() {
    let breaker = Arc::new(breaker(config()));
    let told = Told::default();
    let (reached, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let dispatch = {
        let (told, reached, release) = (told.clone(), Arc::clone(&reached), Arc::clone(&release));
        let first = AtomicU64::new(0);
        subscriber(move |change| {
            told.push(change);
            if first.fetch_add(1, Ordering::Relaxed) == 0 {
                reached.wait();
                release.wait();
            }
        })
    };
    thread::scope(|scope| {
        scope.spawn(|| dispatcher::with_default(&dispatch, || breaker.force_open()));
        reached.wait();
        // Another thread moves the breaker meanwhile: it comes through, and makes calls.
        dispatcher::with_default(&dispatch, || {
            breaker.reset();
            breaker.acquire().unwrap().success();
            breaker.force_open();
        });
        assert_eq!(told.all().len(), 1);
        release.wait();
    });
    assert_eq!(
        told.all(),
        [change("closed", "open"), change("open", "closed"), change("closed", "open")]
    );
}

#[test]
fn a_subscriber_may_move_the_breaker() {
    static BREAKER: CircuitBreaker =
        CircuitBreaker::named("moved", resilient_runtime::BreakerConfig::DEFAULT);
    let told = Told::default();
    let dispatch = {
        let told = told.clone();
        subscriber(move |change| {
            // Asks, and moves it back: that is told next.
            assert!(BREAKER.stats().totals.transitions > 0);
            if change.1 == "open" {
                BREAKER.reset();
            }
            told.push(change);
        })
    };
    dispatcher::with_default(&dispatch, || BREAKER.force_open());
    assert_eq!(told.all(), [change("closed", "open"), change("open", "closed")]);
    assert_eq!(BREAKER.state(), BreakerState::Closed);
}

#[test]
fn a_subscriber_that_panics_loses_no_later_change() {
    let breaker = breaker(config());
    let told = Told::default();
    let dispatch = {
        let told = told.clone();
        subscriber(move |change| {
            let opened = change.1 == "open";
            told.push(change);
            assert!(!opened, "in the subscriber");
        })
    };
    dispatcher::with_default(&dispatch, || {
        for _ in 0..3 {
            let opening = catch_unwind(AssertUnwindSafe(|| breaker.force_open()));
            assert!(opening.is_err(), "whoever made the change hears of it");
            breaker.reset();
        }
    });
    assert_eq!(told.is_in_order(), 6);
    breaker.acquire().unwrap().success();
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_keeps_no_place_of_a_probe() {
    let breaker = super::opened(config().half_open_max_calls(1));
    tokio::time::advance(super::OPEN).await;
    let dispatch = subscriber(|_| panic!("in the subscriber"));
    dispatcher::with_default(&dispatch, || {
        let asking = catch_unwind(AssertUnwindSafe(|| breaker.acquire().map(drop)));
        assert!(asking.is_err());
    });
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.totals.ignored), (BreakerState::HalfOpen, 1));
    assert!(breaker.acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_reset_frees_the_slots_of_probes_also_if_a_subscriber_panics() {
    let breaker = super::opened(config().half_open_max_calls(1));
    tokio::time::advance(super::OPEN).await;
    let _hanging = breaker.acquire().unwrap();
    let dispatch = subscriber(|_| panic!("in the subscriber"));
    dispatcher::with_default(&dispatch, || {
        assert!(catch_unwind(AssertUnwindSafe(|| breaker.reset())).is_err());
    });
    while let Ok(permit) = breaker.acquire() {
        permit.failure();
    }
    tokio::time::advance(super::OPEN).await;
    assert!(breaker.acquire().unwrap().is_probe());
}

#[test]
fn a_panic_of_the_subscriber_in_a_panic_of_the_call_does_not_end_the_process() {
    let breaker = breaker(config().failure_threshold(1));
    let dispatch = subscriber(|_| panic!("in the subscriber"));
    let calling = catch_unwind(AssertUnwindSafe(|| {
        dispatcher::with_default(&dispatch, || {
            let _permit = breaker.acquire().unwrap();
            panic!("in the call");
        });
    }));
    assert_eq!(*calling.unwrap_err().downcast::<&str>().unwrap(), "in the call");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_change_does_not_wait_for_the_subscriber() {
    let breaker = Arc::new(breaker(config()));
    let changed = breaker.changed();
    let (release, holding) = mpsc::channel::<()>();
    let holding = Mutex::new(holding);
    let dispatch = subscriber(move |_| {
        let _ = holding.lock().unwrap().recv();
    });
    let moving = Arc::clone(&breaker);
    let mover = thread::spawn(move || dispatcher::with_default(&dispatch, || moving.force_open()));
    assert_eq!(changed.await, BreakerState::Open);
    drop(release);
    mover.join().unwrap();
}
