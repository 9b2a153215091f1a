//! What is timed of a call that is retried.

use std::cell::Cell;
use std::time::Duration;

use resilient_runtime::{BreakerState, BreakerTotals, breaker, policies, resilient};
use resilient_tests::{DOWN, Failure};
use tokio::time::{advance, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

policies! {
    breaker "slow by call" { window: 100, minimum_calls: 1, slow_call_duration: "2s", slow_call_rate: 0 }
    breaker "slow by attempt" { window: 100, minimum_calls: 1, slow_call_duration: "2s", slow_call_rate: 0 }
}

/// Fails, and then succeeds, each after some of `times`.
async fn answer(times: [Duration; 2], attempts: &Cell<usize>) -> Result<(), Failure> {
    let attempt = attempts.replace(attempts.get() + 1);
    sleep(times[attempt]).await;
    if attempt == 0 { Err(DOWN) } else { Ok(()) }
}

#[resilient(retry(max_attempts = 2, base_delay = "5s", jitter = 0), breaker(name = "slow by call"))]
async fn by_call(times: [Duration; 2], attempts: &Cell<usize>) -> Result<(), Failure> {
    answer(times, attempts).await
}

#[resilient(
    retry(max_attempts = 2, base_delay = "5s", jitter = 0),
    breaker(name = "slow by attempt", scope = "attempt")
)]
async fn by_attempt(times: [Duration; 2], attempts: &Cell<usize>) -> Result<(), Failure> {
    answer(times, attempts).await
}

fn totals(name: &str) -> BreakerTotals {
    breaker(name).unwrap().stats().totals
}

#[tokio::test(start_paused = true)]
async fn by_call_the_attempt_whose_result_counts_is_timed() {
    by_call([3 * SECOND, SECOND], &Cell::new(0)).await.unwrap();
    let BreakerTotals { successes, slow_calls, .. } = totals("slow by call");
    assert_eq!((successes, slow_calls), (1, 0));
    by_call([SECOND, 3 * SECOND], &Cell::new(0)).await.unwrap();
    assert_eq!(totals("slow by call").slow_calls, 1);
    assert_eq!(breaker("slow by call").unwrap().state(), BreakerState::Open);
}

#[resilient(
    retry(max_attempts = 2, base_delay = "5s", jitter = 0),
    breaker(name = "slow before the deadline", window = 100, slow_call_duration = "2s"),
    deadline = "9s"
)]
async fn before_the_deadline(attempts: &Cell<usize>) -> Result<(), Failure> {
    answer([3 * SECOND, SECOND], attempts).await
}

/// The timer of the pause comes late, and no attempt follows.
#[tokio::test(start_paused = true)]
async fn the_last_attempt_is_timed_without_the_pause_that_nothing_followed() {
    let attempts = Cell::new(0);
    let mut call = std::pin::pin!(before_the_deadline(&attempts));
    assert!(timeout(4 * SECOND, &mut call).await.is_err());
    advance(6 * SECOND).await;
    assert_eq!(call.await, Err(DOWN));
    let totals = totals("slow before the deadline");
    assert_eq!((totals.failures, totals.slow_calls), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn by_attempt_each_is_timed() {
    let error = by_attempt([3 * SECOND, SECOND], &Cell::new(0)).await.unwrap_err();
    assert_eq!(error, DOWN, "the slow attempt has opened it");
    assert_eq!(totals("slow by attempt").slow_calls, 1);
}
