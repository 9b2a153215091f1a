//! A number of failures in a window, beside its rates.

use resilient_runtime::{BreakerState, CircuitBreaker};
use tokio::time::advance;

use super::{OPEN, SECOND, breaker, config};

fn fail(breaker: &CircuitBreaker) {
    breaker.acquire().unwrap().failure();
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.acquire().unwrap().success();
}

#[tokio::test(start_paused = true)]
async fn so_many_failures_within_a_time_open_it_whatever_succeeds_in_between() {
    let breaker = breaker(config().failure_threshold(3).window_time(60 * SECOND));
    for _ in 0..2 {
        fail(&breaker);
        (0..100).for_each(|_| succeed(&breaker));
        advance(10 * SECOND).await;
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), BreakerState::Open);
    let stats = breaker.stats();
    assert_eq!((stats.failure_count, stats.config.failure_threshold()), (3, Some(3)));
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_older_do_not_count() {
    let breaker = breaker(config().failure_threshold(3).window_time(60 * SECOND));
    for _ in 0..20 {
        fail(&breaker);
        advance(31 * SECOND).await;
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    (0..2).for_each(|_| fail(&breaker));
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn so_many_failures_among_the_last_calls_open_it() {
    let breaker = breaker(config().failure_threshold(2).window_calls(4));
    fail(&breaker);
    (0..4).for_each(|_| succeed(&breaker));
    fail(&breaker);
    assert_eq!(breaker.state(), BreakerState::Closed, "the first has left the window");
    (0..2).for_each(|_| succeed(&breaker));
    fail(&breaker);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn without_a_rate_only_the_number_opens_it() {
    let breaker = breaker(config().failure_threshold(30).window_time(60 * SECOND));
    (0..29).for_each(|_| fail(&breaker));
    assert_eq!(breaker.state(), BreakerState::Closed, "every call has failed");
    fail(&breaker);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn without_a_number_only_the_rate_opens_it() {
    let breaker = breaker(config().window_time(60 * SECOND));
    (0..100).for_each(|_| succeed(&breaker));
    (0..99).for_each(|_| fail(&breaker));
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn with_both_either_opens_it() {
    let settings = || {
        let settings = config().failure_threshold(5).window_time(60 * SECOND);
        settings.failure_rate(0.5).minimum_calls(4)
    };
    let by_rate = breaker(settings());
    (0..3).for_each(|_| fail(&by_rate));
    assert_eq!(by_rate.state(), BreakerState::Closed, "too few calls for a rate");
    fail(&by_rate);
    assert_eq!(by_rate.state(), BreakerState::Open);

    let by_number = breaker(settings());
    (0..20).for_each(|_| succeed(&by_number));
    (0..4).for_each(|_| fail(&by_number));
    assert_eq!(by_number.state(), BreakerState::Closed);
    fail(&by_number);
    assert_eq!(by_number.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn it_begins_anew_when_the_breaker_closes() {
    let breaker = breaker(config().failure_threshold(2).window_time(600 * SECOND));
    (0..2).for_each(|_| fail(&breaker));
    advance(OPEN).await;
    (0..2).for_each(|_| succeed(&breaker));
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), BreakerState::Closed, "the others were of an earlier period");
    fail(&breaker);
    assert_eq!(breaker.state(), BreakerState::Open);
}
