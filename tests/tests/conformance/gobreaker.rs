//! `sony/gobreaker`: `v2/gobreaker_test.go`, and issues.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use resilient_runtime::BreakerState;
use tokio::time::advance;

use super::{SECOND, breaker, config, fail, is_open, play, recovering, succeed, window};

/// `TestDefaultCircuitBreaker`. Its default opens after more than 5 failures in a row and stays
/// open for 60 s.
#[tokio::test(start_paused = true)]
async fn a_success_between_failures_begins_the_count_anew() {
    let breaker = breaker(config().failure_threshold(6).success_threshold(1));
    play(&breaker, "FFFFFSFFFFF").await;
    assert_eq!(breaker.stats().failure_count, 5);
    play(&breaker, "Fxx.Fx.S").await;
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(breaker.stats().failure_count, 0);
}

/// `TestCustomCircuitBreaker`. There the state becomes half-open when it is looked at; here when a
/// call asks to pass, since looking changes nothing.
#[tokio::test(start_paused = true)]
async fn the_last_probe_under_way_keeps_others_out_and_closes_it() {
    let breaker = recovering(config().success_threshold(3).half_open_max_calls(1)).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "its time is over");
    play(&breaker, "SS").await;
    let later = breaker.acquire().unwrap();
    assert!(breaker.acquire().is_err());
    later.success();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// `TestRollingWindowCircuitBreaker`: ten buckets of 3 s, of which the eleventh discards the first.
#[tokio::test(start_paused = true)]
async fn a_bucket_leaves_the_rolling_window_when_its_time_is_over() {
    let window_time = 30 * SECOND;
    let breaker = breaker(config().window_time(window_time).failure_rate(0.6).minimum_calls(3));
    // The first reading of the clock.
    assert_eq!(window(&breaker), (0, 0, 0));
    play(&breaker, "SFSFSFSFSF").await;
    for seconds in [3, 2, 2] {
        advance(seconds * SECOND).await;
        succeed(&breaker);
    }
    advance(2 * SECOND).await;
    fail(&breaker);
    assert_eq!(window(&breaker), (14, 6, 0));
    for round in 0..6 {
        advance(3 * SECOND).await;
        play(&breaker, "SF").await;
        assert_eq!(window(&breaker), (16 + 2 * round, 7 + round, 0));
    }
    // Of the first bucket, ten calls are gone, and five failures.
    advance(3 * SECOND).await;
    fail(&breaker);
    assert_eq!(window(&breaker), (17, 8, 0));
    play(&breaker, "FFFFF").await;
    assert_eq!(breaker.state(), BreakerState::Closed);
    // 14 of 23 are more than 0.6.
    play(&breaker, "Fx").await;
    assert!(is_open(&breaker));
}

/// `TestTwoStepCircuitBreaker`: leave to call, and the result later.
#[tokio::test(start_paused = true)]
async fn leave_and_result_can_be_two_steps() {
    let breaker = breaker(config().failure_threshold(2));
    let (first, second) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
    first.failure();
    assert_eq!(breaker.state(), BreakerState::Closed);
    second.failure();
    assert!(is_open(&breaker));
}

/// `TestPanicInRequest`.
#[test]
fn a_panic_in_a_call_is_a_failure() {
    let breaker = breaker(config());
    let calling = || {
        let _permit = breaker.acquire().unwrap();
        panic!("oops");
    };
    assert!(catch_unwind(AssertUnwindSafe(calling)).is_err());
    assert_eq!(breaker.stats().failure_count, 1);
}

/// `TestGeneration`: a result from the previous generation has no effect. There a generation also
/// ends with each interval of the closed state; here the window slides, and only a change or a
/// reset ends a period.
#[tokio::test(start_paused = true)]
async fn a_result_of_an_earlier_generation_has_no_effect() {
    let breaker = breaker(config().window_calls(10));
    succeed(&breaker);
    let (success, failure) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
    breaker.reset();
    success.success();
    failure.failure();
    assert_eq!(window(&breaker), (0, 0, 0));
}

/// `TestCircuitBreakerInParallel` and `TestRollingWindowCircuitBreakerInParallel`.
#[test]
fn calls_of_ten_threads_are_all_counted() {
    const CALLS: u64 = 10_000;
    let minute = 60 * SECOND;
    for config in [config(), config().window_calls(100), config().window_time(minute)] {
        let breaker = breaker(config);
        thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| (0..CALLS).for_each(|_| succeed(&breaker)));
            }
        });
        let stats = breaker.stats();
        assert_eq!(stats.totals.successes, 10 * CALLS);
        let in_window = stats.window.map(|window| window.calls);
        let expected = match breaker.config().window_calls() {
            Some(calls) => Some(u64::from(calls)),
            None => breaker.config().window_time().map(|_| 10 * CALLS),
        };
        assert_eq!(in_window, expected);
    }
}

/// Issue 91: more calls than the threshold can be under way when it is reached. They cannot be
/// called back, but what they say later opens nothing a second time.
#[tokio::test(start_paused = true)]
async fn calls_under_way_when_it_opens_do_not_open_it_again() {
    let breaker = breaker(config().failure_threshold(2));
    let under_way: Vec<_> = (0..10).map(|_| breaker.acquire().unwrap()).collect();
    for permit in under_way {
        permit.failure();
        advance(SECOND).await;
    }
    let stats = breaker.stats();
    assert_eq!((stats.totals.transitions, stats.consecutive_openings), (1, 1));
    // It opened with the second failure, 9 s ago, and the later ones have not put that off.
    assert_eq!(stats.time_until_half_open, Some(21 * SECOND));
}

/// Issue 122: a result that comes in another generation is dropped without a word there. Here it
/// changes no state either, but the totals have it.
#[tokio::test(start_paused = true)]
async fn a_result_that_is_too_late_to_matter_is_counted_all_the_same() {
    let breaker = recovering(config().half_open_max_calls(2)).await;
    let (late, failing) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
    failing.failure();
    late.success();
    assert!(is_open(&breaker));
    let totals = breaker.stats().totals;
    assert_eq!((totals.successes, totals.failures), (1, 6));
}
