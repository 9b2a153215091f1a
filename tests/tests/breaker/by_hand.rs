//! A hand on the breaker.

use resilient_runtime::{BreakerState, CircuitBreaker};
use tokio::time::advance;

use super::{OPEN, breaker, config, opened};

fn fail(breaker: &CircuitBreaker, times: u32) {
    (0..times).for_each(|_| breaker.acquire().unwrap().failure());
}

#[tokio::test(start_paused = true)]
async fn disabled_it_counts_as_if_it_were_closed_and_never_opens() {
    let breaker = breaker(config());
    breaker.disable();
    fail(&breaker, 20);
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.failure_count), (BreakerState::Closed, 20));
    assert!(stats.is_forced && stats.disabled);
    assert_eq!((stats.totals.failures, stats.totals.rejected), (20, 0));
    breaker.acquire().unwrap().success();
    assert_eq!(breaker.stats().failure_count, 0);
}

#[tokio::test(start_paused = true)]
async fn disabling_an_open_breaker_lets_calls_pass_and_a_hand_ends_it() {
    for (end, state) in [
        (CircuitBreaker::reset as fn(&CircuitBreaker), BreakerState::Closed),
        (CircuitBreaker::force_closed, BreakerState::Closed),
        (CircuitBreaker::force_open, BreakerState::Open),
    ] {
        let breaker = opened(config());
        breaker.disable();
        fail(&breaker, 4);
        end(&breaker);
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.disabled, stats.failure_count), (state, false, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn after_it_was_disabled_it_opens_by_new_failures_only() {
    let breaker = breaker(config());
    breaker.disable();
    let before = breaker.acquire().unwrap();
    fail(&breaker, 20);
    breaker.reset();
    before.failure();
    fail(&breaker, 4);
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_hand_ends_a_row_of_openings() {
    let breaker = opened(config().open_duration_multiplier(2.0));
    advance(OPEN).await;
    fail(&breaker, 1);
    assert_eq!(breaker.stats().consecutive_openings, 2);
    breaker.force_open();
    assert_eq!(breaker.stats().consecutive_openings, 0);
    breaker.reset();
    fail(&breaker, 1);
    let stats = breaker.stats();
    assert_eq!((stats.consecutive_openings, stats.time_until_half_open), (1, Some(OPEN)));
}
