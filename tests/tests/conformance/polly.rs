//! `App-vNext/Polly`: the tests of `Polly.Core.Tests/CircuitBreaker`, and issues.

use std::time::Duration;

use resilient_runtime::{BreakerState, CircuitBreaker, ErrorKind, Permit};
use resilient_tests::events::Events;
use tokio::time::advance;

use super::{
    SECOND, breaker, config, end_with, fail, is_open, percent, play, recovering, succeed, window,
};

/// `AdvancedCircuitBehaviorTests.OnActionFailure_WhenClosed_EnsureCorrectBehavior`: throughput,
/// minimum throughput, failure rate, failure threshold, and whether it breaks.
#[tokio::test(start_paused = true)]
async fn it_breaks_at_the_threshold_with_the_minimum_throughput() {
    for (successes, failures, minimum, threshold, breaks) in [
        (9, 1, 10, 0.1, true),
        (8, 2, 10, 0.1, true),
        (9, 2, 10, 0.1, true),
        (8, 1, 10, 0.1, false),
        (10, 1, 10, 0.1, false),
    ] {
        let breaker =
            breaker(config().window_calls(20).minimum_calls(minimum).failure_rate(threshold));
        // All are under way before the first has failed.
        let mut permits: Vec<_> =
            (0..successes + failures).map(|_| breaker.acquire().unwrap()).collect();
        let failing = permits.split_off(successes);
        permits.into_iter().for_each(Permit::success);
        failing.into_iter().for_each(Permit::failure);
        assert_eq!(is_open(&breaker), breaks, "{failures} of {}", successes + failures);
    }
}

/// A window of ten seconds that never opens, as in `RollingHealthMetricsTests`.
fn ten_seconds() -> CircuitBreaker {
    let breaker = breaker(config().window_time(10 * SECOND).minimum_calls(65_535));
    // The first reading of the clock.
    assert_eq!(window(&breaker), (0, 0, 0));
    breaker
}

/// `Ctor_EnsureDefaults`, `Increment_Ok` and `Reset_Ok`.
#[tokio::test(start_paused = true)]
async fn the_health_is_the_share_of_failures() {
    let breaker = ten_seconds();
    assert_eq!(percent(&breaker), 0);
    play(&breaker, "FSSSS").await;
    assert_eq!((percent(&breaker), window(&breaker)), (20, (5, 1, 0)));
    breaker.reset();
    assert_eq!(window(&breaker), (0, 0, 0));
}

/// `GetHealthInfo_EnsureWindowRespected`.
#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_window_is_forgotten() {
    let breaker = ten_seconds();
    let mut health = Vec::new();
    for calls in ["FS", "FS", "SS", "SS", "SS"] {
        play(&breaker, calls).await;
        advance(2 * SECOND).await;
        health.push(window(&breaker));
    }
    advance(2 * SECOND).await;
    health.push(window(&breaker));
    assert_eq!(health[..2], [(2, 1, 0), (4, 2, 0)]);
    assert_eq!(health[3..], [(8, 2, 0), (8, 1, 0), (6, 0, 0)]);
}

/// `GetHealthInfo_EnsureWindowCapacityRespected`.
#[tokio::test(start_paused = true)]
async fn the_window_holds_ten_tenths() {
    let breaker = ten_seconds();
    for _ in 0..10 {
        succeed(&breaker);
        advance(SECOND).await;
    }
    assert_eq!(window(&breaker), (9, 0, 0));
    advance(SECOND).await;
    assert_eq!(window(&breaker), (8, 0, 0));
}

/// `GetHealthInfo_SamplingDurationRespected`.
#[tokio::test(start_paused = true)]
async fn after_the_sampling_duration_nothing_is_left() {
    for variance in [Duration::ZERO, SECOND / 1000] {
        let breaker = ten_seconds();
        play(&breaker, "SS").await;
        advance(10 * SECOND + variance).await;
        assert_eq!(window(&breaker), (0, 0, 0));
    }
}

/// `CircuitStateControllerTests.OnActionFailureAsync_EnsureBreakDurationNotOverflow`.
#[tokio::test(start_paused = true)]
async fn a_break_that_would_end_beyond_all_time_is_as_long_as_can_be() {
    let breaker = breaker(config().open_duration(Duration::MAX).failure_threshold(1));
    fail(&breaker);
    let years = breaker.stats().time_until_half_open.unwrap().as_secs() / (365 * 24 * 3600);
    assert_eq!(years, 8, "the longest that the breaker's clock has room for");
    advance(1000 * SECOND).await;
    play(&breaker, "x").await;
}

/// `IsolateAsync_Ok` and `BreakAsync_Ok`.
#[tokio::test(start_paused = true)]
async fn isolated_it_rejects_until_it_is_closed_by_hand() {
    let breaker = breaker(config());
    breaker.force_open();
    advance(3600 * SECOND).await;
    let rejection = breaker.acquire().unwrap_err();
    assert_eq!(rejection.to_string(), "circuit breaker `unnamed` is forced open");
    breaker.reset();
    play(&breaker, "S").await;
}

/// `HalfOpen_EnsureCorrectStateTransitionAfterExecution`, and both `Flow_…` tests.
#[tokio::test(start_paused = true)]
async fn a_success_closes_a_half_open_breaker_and_a_failure_opens_it() {
    let breaker = recovering(config().success_threshold(1)).await;
    play(&breaker, "Fx.S").await;
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// `OnActionSuccess_EnsureCorrectBehavior` and `OnActionFailureAsync_EnsureCorrectBehavior`: a
/// result that comes while the breaker is open or isolated leaves it so. There a failure from
/// before counts in the health of the next closed state; here it is stale.
#[tokio::test(start_paused = true)]
async fn a_result_from_before_changes_nothing_in_any_state() {
    for state in ["open", "isolated", "half-open", "closed again"] {
        let breaker = breaker(config().window_calls(10).minimum_calls(2).success_threshold(1));
        let (success, failure) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
        match state {
            "isolated" => breaker.force_open(),
            "open" => play(&breaker, "FF").await,
            "half-open" => play(&breaker, "FF.I").await,
            _ => play(&breaker, "FF.S").await,
        }
        let before = (breaker.state(), window(&breaker));
        success.success();
        failure.failure();
        assert_eq!((breaker.state(), window(&breaker)), before, "{state}");
    }
}

/// Pull request 223, issues 216 and 217: executions that overhang from the closed state. One that
/// failed once the breaker was open called `onBreak` again, and one that succeeded in the half-open
/// state closed it.
#[tokio::test(start_paused = true)]
async fn overhanging_executions_do_not_break_twice_and_do_not_close() {
    let events = Events::catch();
    let breaker = breaker(config().failure_threshold(1).success_threshold(1));
    let overhanging: Vec<_> = (0..3).map(|_| breaker.acquire().unwrap()).collect();
    fail(&breaker);
    let mut overhanging = overhanging.into_iter();
    overhanging.next().unwrap().failure();
    assert_eq!(events.named("circuit breaker changed state").len(), 1);
    play(&breaker, ".I").await;
    overhanging.next().unwrap().success();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    overhanging.next().unwrap().failure();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

/// Issue 481: when the break is over, the state reads half-open, and looking at it moves nothing.
#[tokio::test(start_paused = true)]
async fn it_looks_half_open_when_its_time_is_over() {
    let breaker = recovering(config()).await;
    advance(3600 * SECOND).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.stats().totals.transitions, 1, "no call has come");
    play(&breaker, "S").await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

/// Issues 311 and 717: an exception that the policy does not handle used up the only trial of a
/// break. Here a neutral end gives the place to the next.
#[tokio::test(start_paused = true)]
async fn an_unhandled_error_does_not_use_up_the_trial() {
    let breaker = recovering(config().half_open_max_calls(1).success_threshold(1)).await;
    play(&breaker, "IIIS").await;
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// `CircuitBreakerResilienceStrategyTests.Execute_HandledException_OnFailureCalled` and
/// `Execute_UnhandledException_NoCalls`, by `ShouldHandle`: what is not handled does not touch the
/// circuit at all.
#[tokio::test(start_paused = true)]
async fn an_unhandled_error_is_neither_success_nor_failure() {
    let handling = config().failure_threshold(2).trip_on(&[ErrorKind::NotFoundError]);
    let breaker = breaker(handling);
    end_with(&breaker, ErrorKind::NotFoundError);
    let before = breaker.stats();
    end_with(&breaker, ErrorKind::ConnectionError);
    let after = breaker.stats();
    assert_eq!((after.failure_count, after.last_failure_time), (1, before.last_failure_time));
    end_with(&breaker, ErrorKind::NotFoundError);
    assert!(is_open(&breaker), "the row of failures was not broken");
}

/// The same for the trial of a break.
#[tokio::test(start_paused = true)]
async fn a_trial_that_ends_with_a_handled_error_breaks_again() {
    let handling = config().half_open_max_calls(1).trip_on(&[ErrorKind::NotFoundError]);
    let breaker = recovering(handling).await;
    end_with(&breaker, ErrorKind::ConnectionError);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    end_with(&breaker, ErrorKind::NotFoundError);
    assert!(is_open(&breaker));
}
