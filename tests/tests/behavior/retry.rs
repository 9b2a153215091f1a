//! Retry by hand: when, how often, and after which delay.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::ready;
use std::rc::Rc;
use std::time::Duration;

use resilient_runtime::{ErrorKind, Policy, RetryExecutor, RetryPolicy, RetryTable};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::task::LocalSet;
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
    run(&RetryExecutor::default().with_name("nightly import"), DOWN, 1).await.0.unwrap();
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
    assert_eq!((result, calls), (Ok(()), 2));
    assert!((hint..=hint.mul_f64(1.11)).contains(&elapsed), "{elapsed:?}");
}

/// After how many milliseconds 200 callers return that were given the same hint at once.
async fn returns(hint: Duration, deadline: Option<Duration>) -> Vec<u64> {
    let mut policy =
        Policy::builder("test").retry(RetryPolicy::for_kind(ErrorKind::RateLimitError));
    if let Some(deadline) = deadline {
        policy = policy.deadline(deadline);
    }
    let policy = Rc::new(policy.build().unwrap());
    let (local, start) = (LocalSet::new(), Instant::now());
    let callers: Vec<_> = (0..200)
        .map(|_| {
            let policy = Rc::clone(&policy);
            local.spawn_local(async move {
                let returned = Cell::new(None);
                let mut limited = Some(Failure::after(ErrorKind::RateLimitError, hint));
                let call = policy.run(|| {
                    returned.set(Some(start.elapsed()));
                    ready(limited.take().map_or(Ok(()), Err))
                });
                call.await.unwrap();
                u64::try_from(returned.get().unwrap().as_millis()).unwrap()
            })
        })
        .collect();
    local.await;
    let mut returns = Vec::new();
    for caller in callers {
        returns.push(caller.await.unwrap());
    }
    returns
}

/// How many slots of 10 ms the callers return in, and how many in the fullest.
fn slots(returns: &[u64]) -> (usize, usize) {
    let mut slots = BTreeMap::new();
    for millis in returns {
        *slots.entry(millis / 10).or_insert(0) += 1;
    }
    (slots.len(), slots.into_values().max().unwrap())
}

#[tokio::test(start_paused = true)]
async fn callers_with_the_same_hint_do_not_return_in_the_same_instant() {
    // A short hint leaves the row's own delay of 500 ms. A hint of the longest delay is spread
    // beyond it.
    for (hint, earliest, latest) in
        [(10, 450, 551), (480, 480, 551), (1_000, 1_000, 1_101), (30_000, 30_000, 33_001)]
    {
        let returns = returns(Duration::from_millis(hint), None).await;
        assert!(returns.iter().all(|at| (earliest..=latest).contains(at)), "{returns:?}");
        let (slots, fullest) = slots(&returns);
        assert!(slots >= 7 && fullest <= 60, "{slots} slots, {fullest} in one, after {hint} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_above_a_hint_never_costs_a_call_its_retry() {
    let deadline = Some(Duration::from_millis(1_060));
    let returns = returns(Duration::from_secs(1), deadline).await;
    // Half of what the deadline leaves is for the attempt itself.
    assert!(returns.iter().all(|at| (1_000..=1_031).contains(at)), "{returns:?}");
    let (slots, fullest) = slots(&returns);
    assert!(slots >= 3 && fullest <= 120, "{slots} slots, {fullest} in one");
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
