//! Retry by hand: when, how often, and after which delay.

use std::cell::Cell;
use std::future::ready;
use std::time::Duration;

use resilient_runtime::{ErrorKind, RetryExecutor, RetryPolicy, RetryTable};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::time::Instant;

/// Runs `executor` over an operation that fails `failures` times with `failure`. Returns the
/// result, how often the operation was called, and how long it took.
async fn run(
    executor: &RetryExecutor,
    failure: Failure,
    failures: u32,
) -> (Result<(), Failure>, u32, Duration) {
    let calls = Cell::new(0);
    let start = Instant::now();
    let result = executor
        .execute(|| {
            calls.set(calls.get() + 1);
            ready(if calls.get() <= failures { Err(failure.clone()) } else { Ok(()) })
        })
        .await;
    (result, calls.get(), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_success_is_called_once_and_waits_for_nothing() {
    let (result, calls, elapsed) = run(&RetryExecutor::default(), DOWN, 0).await;
    assert_eq!((result, calls, elapsed), (Ok(()), 1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn max_attempts_counts_the_first_call() {
    for (kind, attempts) in [
        (ErrorKind::ConnectionError, 3),
        (ErrorKind::RateLimitError, 5),
        (ErrorKind::ServiceUnavailable, 3),
        (ErrorKind::TimeoutError, 2),
        (ErrorKind::SearchTimeout, 3),
    ] {
        let (result, calls, _) = run(&RetryExecutor::for_kind(kind), DOWN, u32::MAX).await;
        assert_eq!((result, calls), (Err(DOWN), attempts), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn by_kind_each_error_has_its_own_row() {
    let executor = RetryExecutor::by_kind(RetryTable::default());
    for (kind, attempts) in [(ErrorKind::RateLimitError, 5), (ErrorKind::TimeoutError, 2)] {
        let (_, calls, _) = run(&executor, Failure::of(kind), u32::MAX).await;
        assert_eq!(calls, attempts, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_executor_tells_its_name() {
    let events = Events::catch();
    run(&RetryExecutor::default().named("nightly import"), DOWN, 1).await.0.unwrap();
    assert_eq!(events.named("retrying")[0].field("function"), "nightly import");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_transient_is_returned_at_once() {
    let (result, calls, elapsed) = run(&RetryExecutor::default(), WRONG, u32::MAX).await;
    assert_eq!((result, calls, elapsed), (Err(WRONG), 1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn delays_follow_the_row_within_its_jitter() {
    let executor = RetryExecutor::for_kind(ErrorKind::RateLimitError);
    let (_, _, elapsed) = run(&executor, DOWN, u32::MAX).await;
    // 500 ms, 1 s, 2 s and 4 s, each within a tenth; tokio's timer rounds up to a millisecond.
    let (shortest, longest) = (Duration::from_millis(6750), Duration::from_millis(8254));
    assert!((shortest..=longest).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_callers_who_fail_together() {
    let executor = RetryExecutor::for_kind(ErrorKind::ServiceUnavailable);
    let mut delays = Vec::new();
    for _ in 0..100 {
        delays.push(run(&executor, DOWN, 1).await.2.as_millis());
    }
    delays.sort_unstable();
    delays.dedup();
    assert!(delays.len() > 30, "{delays:?}");
    assert!(delays[0] >= 900 && delays[delays.len() - 1] <= 1101, "{delays:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_waited_out_in_full() {
    let hint = Duration::from_secs(7);
    let limited = Failure::after(ErrorKind::RateLimitError, hint);
    let executor = RetryExecutor::for_kind(ErrorKind::RateLimitError);
    let (result, calls, elapsed) = run(&executor, limited, 1).await;
    assert_eq!((result, calls, elapsed), (Ok(()), 2, hint));
}

#[tokio::test(start_paused = true)]
async fn a_hint_beyond_the_longest_delay_ends_the_call_at_once() {
    let limited = Failure::after(ErrorKind::RateLimitError, Duration::from_secs(31));
    let executor = RetryExecutor::for_kind(ErrorKind::RateLimitError);
    let (result, calls, elapsed) = run(&executor, limited.clone(), u32::MAX).await;
    assert_eq!((result, calls, elapsed), (Err(limited), 1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_one_attempt_does_not_retry() {
    let once = RetryPolicy::builder().max_attempts(1).build().unwrap();
    let (result, calls, _) = run(&RetryExecutor::new(once), DOWN, u32::MAX).await;
    assert_eq!((result, calls), (Err(DOWN), 1));
}
