//! Every interleaving of a few threads, by loom:
//!
//! ```sh
//! RUSTFLAGS='--cfg loom' cargo test --release --target-dir target/loom \
//!     -p resilient-runtime --no-default-features --lib interleavings
//! ```
//!
//! Each test says what holds in the end whoever came first. No clock is read that matters: an open
//! breaker is open until the moment 0 or for an hour, and a window is told the moment of a result.

use std::time::Duration;

use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;

use super::changes::{Change, Changes};
use super::config::Window;
use super::settle::Admitted;
use super::state::{Moment, State, Word};
use super::window::{Outcome, Results};
use super::{
    BreakerConfig, BreakerConfigBuilder, BreakerState, CircuitBreaker, Permit, WindowStats,
};

/// How often a thread may be interrupted where it does not wait. Most bugs need no more than two;
/// five take seconds, and without a bound these tests run for hours.
const PREEMPTIONS: usize = 5;

/// For threads that turn a window, which takes many steps.
const FEW_PREEMPTIONS: usize = 3;

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
    let seen = breaker.openings.load();
    assert!(breaker.openings.note(seen, seen.following(breaker.load())));
    breaker.force(State::Open { until: Moment::from_millis(0) });
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
fn of_two_that_ask_for_the_only_probe_one_gets_it() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(1));
        let ask = |breaker: &CircuitBreaker| breaker.acquire().map(Permit::surrender).is_ok();
        let other = beside(&breaker, ask);
        let mine = ask(&breaker);
        assert!(mine ^ other.join().unwrap());
        assert_eq!(state(&breaker), State::HalfOpen { probes: 1, successes: 0 });
        assert_eq!(breaker.stats().totals.rejected, 1);
    });
}

#[test]
fn no_failure_is_lost() {
    model(|| {
        let breaker = breaker(config().failure_threshold(2));
        let (first, second) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(first));
        breaker.failed(second);
        other.join().unwrap();
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.stats().openings_in_a_row, 1);
    });
}

#[test]
fn a_probe_that_is_dropped_gives_its_place_back_exactly_once() {
    model(|| {
        let breaker = recovering(
            config().half_open_max_calls(1).half_open_timeout(Duration::from_secs(3600)),
        );
        let probe = admit(&breaker);
        let other = beside(&breaker, |breaker| drop(breaker.acquire()));
        breaker.ignored(probe);
        other.join().unwrap();
        assert_eq!(state(&breaker), State::HalfOpen { probes: 0, successes: 0 });
        assert_eq!(breaker.places.oldest(breaker.load().period()), None);
        assert!(breaker.acquire().is_ok());
    });
}

#[test]
fn a_probe_that_fails_and_one_that_succeeds_end_in_the_order_they_came() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(2).success_threshold(1));
        let (failing, succeeding) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(failing));
        breaker.succeeded(succeeding);
        other.join().unwrap();
        let stats = breaker.stats();
        match stats.state {
            BreakerState::Closed => assert_eq!(stats.openings_in_a_row, 0),
            BreakerState::Open => assert_eq!(stats.openings_in_a_row, 2),
            BreakerState::HalfOpen => panic!("neither counted"),
        }
    });
}

#[test]
fn two_probes_that_fail_open_it_once() {
    model(|| {
        let breaker = recovering(config().half_open_max_calls(2));
        let (first, second) = (admit(&breaker), admit(&breaker));
        let other = beside(&breaker, move |breaker| breaker.failed(first));
        breaker.failed(second);
        other.join().unwrap();
        assert_eq!(breaker.stats().openings_in_a_row, 2);
    });
}

#[test]
fn whoever_sees_it_open_sees_how_often_it_has_opened() {
    model(|| {
        let breaker = recovering(config());
        let probe = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(probe));
        let stats = breaker.stats();
        let expected = if stats.state == BreakerState::Open { 2 } else { 1 };
        assert_eq!(stats.openings_in_a_row, expected);
        other.join().unwrap();
    });
}

#[test]
fn an_opening_that_comes_too_late_does_not_disturb_the_count_of_a_later_one() {
    model(|| {
        let breaker = recovering(config().failure_threshold(1));
        let probe = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(probe));
        breaker.reset();
        breaker.failed(admit(&breaker));
        other.join().unwrap();
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.stats().openings_in_a_row, 1);
    });
}

#[test]
fn after_a_reset_no_result_from_before_it_counts() {
    model(|| {
        let breaker = breaker(config().failure_threshold(2));
        let before = admit(&breaker);
        let other = beside(&breaker, move |breaker| breaker.failed(before));
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
        let other = beside(&breaker, move |breaker| breaker.failed(before));
        breaker.reset();
        breaker.failed(admit(&breaker));
        other.join().unwrap();
        let window = breaker.stats().window.unwrap();
        assert_eq!((window.calls, window.failures), (1, 1));
        assert_eq!(breaker.state(), BreakerState::Closed);
    });
}

const FAILED: Outcome = Outcome { failed: true, slow: false };
const GOOD: Outcome = Outcome { failed: false, slow: false };

fn record(results: &Results, outcome: Outcome) -> WindowStats {
    results.record(outcome, 0, || true, || Moment::from_millis(0)).unwrap()
}

const fn stats(calls: u64, failures: u64) -> WindowStats {
    WindowStats { calls, failures, slow_calls: 0 }
}

/// Records a success beside a failure, and tells `check` what each of them saw and what is there
/// in the end.
fn record_both(
    window: Window,
    first: &'static [Outcome],
    check: impl Fn(&Results, [WindowStats; 3]) + Sync + Send + 'static,
) {
    model(move || {
        let results = Arc::new(Results::new(window));
        for outcome in first {
            record(&results, *outcome);
        }
        let shared = Arc::clone(&results);
        let other = thread::spawn(move || record(&shared, FAILED));
        let success = record(&results, GOOD);
        let failure = other.join().unwrap();
        check(&results, [success, failure, results.stats(None, Moment::from_millis(0))]);
    });
}

#[test]
fn results_enter_a_window_of_calls_one_by_one() {
    record_both(Window::Calls(2), &[FAILED, GOOD], |results, seen| {
        // Two orders, and no third: the failure takes the place of the first failure, or of the
        // success that stands behind it.
        let orders = [[stats(2, 1); 3], [stats(2, 0), stats(2, 1), stats(2, 1)]];
        assert!(orders.contains(&seen), "{seen:?}");
        let leaving = [record(results, GOOD), record(results, GOOD)];
        assert_eq!(leaving[1], stats(2, 0));
    });
}

#[test]
fn a_window_of_one_call_holds_the_last() {
    record_both(Window::Calls(1), &[FAILED], |results, [success, failure, last]| {
        assert_eq!([success, failure], [stats(1, 0), stats(1, 1)]);
        assert!([success, failure].contains(&last));
        assert_eq!(record(results, GOOD), stats(1, 0));
    });
}

#[test]
fn a_slot_that_is_written_late_undoes_no_later_result() {
    model(|| {
        let results = Arc::new(Results::new(Window::Calls(1)));
        let shared = Arc::clone(&results);
        let other = thread::spawn(move || record(&shared, FAILED));
        for _ in 0..2 {
            assert_eq!(record(&results, GOOD), stats(1, 0));
        }
        assert_eq!(other.join().unwrap(), stats(1, 1));
        assert_eq!(record(&results, GOOD), stats(1, 0));
    });
}

#[test]
fn no_result_is_lost_in_a_window_of_time() {
    let second = Window::Time(Duration::from_secs(1));
    record_both(second, &[FAILED, GOOD], |_, [success, failure, last]| {
        assert_eq!(last, stats(4, 2));
        assert_eq!(failure.failures, 2);
        assert!(success == last || failure == last, "whoever comes last sees all");
    });
}

fn record_at(results: &Results, outcome: Outcome, millis: u64) -> Option<WindowStats> {
    results.record(outcome, 0, || true, || Moment::from_millis(millis))
}

/// Of a success and the first failure, whoever comes last sees both.
fn first_failure_beside_a_success_at(millis: u64, preemptions: usize) {
    model_with(preemptions, move || {
        let results = Arc::new(Results::new(Window::Time(Duration::from_secs(1))));
        let shared = Arc::clone(&results);
        let other = thread::spawn(move || record_at(&shared, FAILED, 0));
        let seen = [record_at(&results, GOOD, millis), other.join().unwrap()];
        assert!(seen.contains(&Some(stats(2, 1))), "{seen:?}");
    });
}

#[test]
fn a_first_failure_is_seen_with_a_success_of_the_same_tenth() {
    first_failure_beside_a_success_at(0, PREEMPTIONS);
}

#[test]
fn a_first_failure_is_seen_with_a_success_that_turns_the_window() {
    first_failure_beside_a_success_at(100, FEW_PREEMPTIONS);
}

#[test]
fn a_miss_that_is_noted_late_hides_no_later_one() {
    model_with(FEW_PREEMPTIONS, || {
        let results = Arc::new(Results::new(Window::Time(Duration::from_secs(1))));
        let shared = Arc::clone(&results);
        let other = thread::spawn(move || record_at(&shared, FAILED, 0));
        record_at(&results, FAILED, 100);
        other.join().unwrap();
        assert!(record_at(&results, GOOD, 1_000).is_some_and(|window| window.failures >= 1));
    });
}

#[test]
fn changes_that_two_threads_make_are_told_in_their_order() {
    model(|| {
        let changes = Arc::new(Changes::new());
        let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let words = {
            let open = Word::NEW.begin(State::ForcedOpen);
            [Word::NEW, open, open.begin(State::ForcedClosed)]
        };
        let tell = {
            let (changes, told) = (Arc::clone(&changes), std::sync::Arc::clone(&told));
            move |from, to| {
                let change = Change::between(from, to);
                changes.tell(change, |change| told.lock().unwrap().push(change));
            }
        };
        let second = tell.clone();
        let other = thread::spawn(move || second(words[1], words[2]));
        tell(words[0], words[1]);
        other.join().unwrap();
        let expected = [Change::between(words[0], words[1]), Change::between(words[1], words[2])];
        assert_eq!(*told.lock().unwrap(), expected);
    });
}
