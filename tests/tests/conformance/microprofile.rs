//! `eclipse/microprofile-fault-tolerance`: the TCK's `CircuitBreakerTest` and its relatives.
//!
//! There `requestVolumeThreshold` is both the length of the window and the number of calls before
//! a rate counts.

use resilient_runtime::{BreakerConfigBuilder, BreakerState, ConfigError, ErrorKind};

use super::{breaker, config, end_with, is_open, play};

fn four_calls(failure_ratio: f64, success_threshold: u32) -> BreakerConfigBuilder {
    config()
        .window_calls(4)
        .minimum_calls(4)
        .failure_rate(failure_ratio)
        .success_threshold(success_threshold)
}

/// `testCircuitClosedThenOpen`.
#[tokio::test(start_paused = true)]
async fn four_failures_of_four_open_it() {
    play(&breaker(four_calls(0.75, 2)), "FFFFxxx").await;
}

/// `testCircuitReClose`.
#[tokio::test(start_paused = true)]
async fn two_successes_after_the_delay_close_it() {
    let breaker = breaker(four_calls(0.75, 2));
    play(&breaker, "FFFF.SSS").await;
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// `testCircuitDefaultSuccessThreshold`: closing has emptied the window, so it takes four calls
/// again.
#[tokio::test(start_paused = true)]
async fn after_it_has_closed_it_takes_a_whole_window_to_open() {
    play(&breaker(four_calls(0.75, 1)), "FFFFx.SFFFFx").await;
}

/// `testCircuitHighSuccessThreshold`.
#[tokio::test(start_paused = true)]
async fn a_failure_before_the_success_threshold_opens_it_again() {
    play(&breaker(four_calls(0.75, 3)), "FFFFx.SSFx").await;
}

/// `testRollingWindowCircuitOpen`.
#[tokio::test(start_paused = true)]
async fn failures_anywhere_in_the_window_open_it() {
    play(&breaker(four_calls(0.5, 1)), "SFFSx").await;
}

/// `testRollingWindowCircuitOpen2`: the first call has left the window.
#[tokio::test(start_paused = true)]
async fn the_window_rolls_on() {
    play(&breaker(four_calls(0.5, 1)), "SFSSFx").await;
}

/// `CircuitBreakerLateSuccessTest.testCircuitLateSuccessDefaultSuccessThreshold`.
#[tokio::test(start_paused = true)]
async fn a_success_as_the_last_call_does_not_save_it() {
    play(&breaker(four_calls(0.75, 1)), "FFFSx.SFFFSx").await;
}

/// `CircuitBreakerInitialSuccessTest.testCircuitInitialSuccessDefaultSuccessThreshold`.
#[tokio::test(start_paused = true)]
async fn a_success_as_the_first_call_does_not_save_it() {
    play(&breaker(four_calls(0.75, 1)), "SFFFx.SSFFFx").await;
}

/// `CircuitBreakerExceptionHierarchyTest.serviceAthrowsE0` and `serviceAthrowsException`: what
/// `failOn` names opens it, and what it does not name does not.
#[tokio::test(start_paused = true)]
async fn only_what_fail_on_names_opens_it() {
    for (kind, opens) in [
        (ErrorKind::NotFoundError, true),
        (ErrorKind::SearchTimeout, true),
        (ErrorKind::ServiceUnavailable, false),
    ] {
        let named = [ErrorKind::NotFoundError, ErrorKind::SearchTimeout];
        let breaker = breaker(config().failure_threshold(1).trip_on(&named));
        end_with(&breaker, kind);
        assert_eq!(is_open(&breaker), opens, "{kind}");
    }
}

/// `CircuitBreakerExceptionHierarchyTest.serviceBthrowsException` and `serviceBthrowsE0`: what
/// `skipOn` names does not open it, and the rest does.
#[tokio::test(start_paused = true)]
async fn what_skip_on_names_does_not_open_it() {
    for (kind, opens) in [(ErrorKind::RateLimitError, false), (ErrorKind::InternalError, true)] {
        let skipping = config().failure_threshold(1).ignore(&[ErrorKind::RateLimitError]);
        let breaker = breaker(skipping);
        end_with(&breaker, kind);
        assert_eq!(is_open(&breaker), opens, "{kind}");
    }
}

/// `CircuitBreakerExceptionHierarchyTest.serviceAthrowsE2`: there both may be given, since classes
/// have subclasses, and `skipOn` wins. Kinds have none, so that both at once can only be a mistake.
#[test]
fn fail_on_and_skip_on_exclude_each_other() {
    let both = config().trip_on(&[ErrorKind::SearchTimeout]).ignore(&[ErrorKind::RateLimitError]);
    assert_eq!(both.build(), Err(ConfigError::TripOnAndIgnore));
}
