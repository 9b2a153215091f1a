//! `failsafe-lib/failsafe`: `ClosedStateTest`, `HalfOpenStateTest`, `OpenStateTest`,
//! `CountingCircuitStatsTest`, `CircuitBreakerTest` and `FailurePolicyTest`.

use std::time::Duration;

use resilient_runtime::{BreakerState, ErrorKind};
use tokio::time::advance;

use super::{SECOND, breaker, config, end_with, is_open, percent, play, recovering, window};

/// `ClosedStateTest.testFailureWithDefaultConfig`, whose default is one failure.
#[tokio::test(start_paused = true)]
async fn one_failure_opens_it_if_one_is_enough() {
    let breaker = breaker(config().failure_threshold(1));
    play(&breaker, "Fx").await;
}

/// `ClosedStateTest.testFailureWithFailureRatio`: 2 of 3.
#[tokio::test(start_paused = true)]
async fn the_ratio_of_failures_opens_it() {
    let breaker = breaker(config().window_calls(3).failure_rate(2.0 / 3.0));
    play(&breaker, "FS").await;
    assert_eq!(breaker.state(), BreakerState::Closed);
    play(&breaker, "Fx").await;
}

/// `ClosedStateTest.testFailureWithFailureThreshold`.
#[tokio::test(start_paused = true)]
async fn only_failures_in_a_row_reach_the_threshold() {
    let breaker = breaker(config().failure_threshold(3));
    play(&breaker, "FSFF").await;
    assert_eq!(breaker.state(), BreakerState::Closed);
    play(&breaker, "Fx").await;
}

/// `ClosedStateTest.testSuccessWithFailureRatio`: 3 of 4.
#[tokio::test(start_paused = true)]
async fn a_ratio_that_is_never_met_never_opens_it() {
    let breaker = breaker(config().window_calls(4).failure_rate(0.75));
    play(&breaker, &"SF".repeat(20)).await;
    assert_eq!((breaker.state(), window(&breaker)), (BreakerState::Closed, (4, 2, 0)));
}

/// `ClosedStateTest.testSuccessWithFailureThreshold`.
#[tokio::test(start_paused = true)]
async fn alternating_results_never_open_it() {
    let breaker = breaker(config().failure_threshold(2));
    play(&breaker, &"SF".repeat(20)).await;
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// `HalfOpenStateTest.testFailureWithSuccessAndFailureThresholds`: one failure opens it, and the
/// failure threshold is ignored.
#[tokio::test(start_paused = true)]
async fn a_failed_probe_opens_it_whatever_the_failure_threshold() {
    let breaker = recovering(config().failure_threshold(5).success_threshold(3)).await;
    play(&breaker, "SS").await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    play(&breaker, "Fx").await;
}

/// `HalfOpenStateTest.testSuccessWithSuccessThreshold`.
#[tokio::test(start_paused = true)]
async fn it_closes_at_the_success_threshold_and_not_before() {
    let breaker = recovering(config().success_threshold(3)).await;
    for _ in 0..3 {
        assert_ne!(breaker.state(), BreakerState::Closed);
        play(&breaker, "S").await;
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// `OpenStateTest.testRemainingDelay` and `testNoRemainingDelay`.
#[tokio::test(start_paused = true)]
async fn the_remaining_delay_runs_out_and_stays_at_nothing() {
    let breaker = breaker(config().failure_threshold(1).open_duration(SECOND));
    let remaining = || breaker.stats().time_until_half_open;
    assert_eq!(remaining(), None);
    play(&breaker, "F").await;
    assert_eq!(remaining(), Some(SECOND));
    advance(SECOND / 10).await;
    assert_eq!(remaining(), Some(9 * SECOND / 10));
    advance(SECOND).await;
    assert_eq!(remaining(), Some(Duration::ZERO));
    // There it is open until the first call.
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

/// `CountingCircuitStatsTest.testMetrics`: a hundred successes evict what was there.
#[tokio::test(start_paused = true)]
async fn new_results_evict_the_oldest() {
    let breaker = breaker(config().window_calls(100).failure_rate(1.0).minimum_calls(100));
    assert_eq!(window(&breaker), (0, 0, 0));
    let third: String = (0..50).map(|call| if call % 3 == 0 { 'S' } else { 'F' }).collect();
    play(&breaker, &third).await;
    assert_eq!(window(&breaker), (50, 33, 0));
    assert_eq!(percent(&breaker), 66);
    play(&breaker, &"S".repeat(100)).await;
    assert_eq!(window(&breaker), (100, 0, 0));
}

/// `CircuitBreakerTest.shouldGetSuccessAndFailureStats`, whose window of ten would open at five
/// failures; they stay below.
#[tokio::test(start_paused = true)]
async fn the_stats_are_those_of_the_last_calls() {
    let breaker = breaker(config().window_calls(10).failure_rate(0.5));
    play(&breaker, "SFSFSFS").await;
    assert_eq!(window(&breaker), (7, 3, 0));
    play(&breaker, "FSSSFSSSFSSSFSS").await;
    assert_eq!(window(&breaker), (10, 2, 0));
}

/// `FailurePolicyTest.testIsFailureForFailure`, by `handle`: of two classes that are handled,
/// either is a failure, and nothing else is. Where none is named, all are failures there, and the
/// transient kinds here.
#[tokio::test(start_paused = true)]
async fn either_of_two_handled_kinds_is_a_failure() {
    let handled = [ErrorKind::PermissionDenied, ErrorKind::ConnectionTimeout];
    for &kind in ErrorKind::ALL {
        let breaker = breaker(config().failure_threshold(1).trip_on(&handled));
        end_with(&breaker, kind);
        assert_eq!(is_open(&breaker), handled.contains(&kind), "{kind}");
    }
}
