//! Retry and breaker together, without the attribute.

use std::cell::Cell;
use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, BreakerState, BreakerTotals, BudgetConfig, CircuitBreaker, ConfigError,
    ErrorKind, Policy, PolicyBuilder, RetryBudget, RetryExecutor, RetryPolicy, RetryTable, Scope,
    breaker_of, breakers, policies,
};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::time::{Instant, advance};

policies! {
    breaker "policy shard/{shard}" { failure_threshold: 2 }
}

fn breaker(failure_threshold: u32) -> Arc<CircuitBreaker> {
    let config = BreakerConfig::builder().failure_threshold(failure_threshold).build().unwrap();
    Arc::new(CircuitBreaker::new(config))
}

fn three_attempts(breaker: &Arc<CircuitBreaker>, scope: Scope) -> Policy {
    Policy::builder("test")
        .retry(RetryPolicy::DEFAULT)
        .breaker(Arc::clone(breaker))
        .scope(scope)
        .build()
        .unwrap()
}

/// Runs `policy` over an operation that answers with `results` in turn, the last one for ever.
/// Returns how often it was called too.
async fn run(policy: &Policy, results: &[Result<(), Failure>]) -> (Result<(), Failure>, usize) {
    let calls = Cell::new(0);
    let result = policy
        .run(|| {
            let call = calls.replace(calls.get() + 1);
            ready(results[call.min(results.len() - 1)].clone())
        })
        .await;
    (result, calls.get())
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_nothing_calls_once() {
    let (result, calls) = run(&Policy::builder("test").build().unwrap(), &[Err(DOWN)]).await;
    assert_eq!((result, calls), (Err(DOWN), 1));
}

#[tokio::test(start_paused = true)]
async fn outside_the_retries_a_call_counts_once() {
    let breaker = breaker(2);
    let policy = three_attempts(&breaker, Scope::Call);
    assert_eq!(run(&policy, &[Err(DOWN)]).await, (Err(DOWN), 3));
    assert_eq!(breaker.stats().failure_count, 1);
    assert_eq!(run(&policy, &[Err(DOWN), Err(DOWN), Ok(())]).await, (Ok(()), 3));
    assert_eq!(breaker.stats().failure_count, 0);
}

#[tokio::test(start_paused = true)]
async fn inside_the_retries_every_attempt_counts() {
    let breaker = breaker(5);
    let policy = three_attempts(&breaker, Scope::Attempt);
    assert_eq!(run(&policy, &[Err(DOWN)]).await, (Err(DOWN), 3));
    assert_eq!(breaker.stats().failure_count, 3);
    assert_eq!(run(&policy, &[Err(DOWN)]).await, (Err(DOWN), 2), "opened by the fifth");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_go_on_when_others_open_its_breaker_while_it_runs() {
    let breaker = breaker(1);
    let policy = three_attempts(&breaker, Scope::Call);
    let calls = Cell::new(0);
    let result: Result<(), _> = policy
        .run(|| {
            calls.set(calls.get() + 1);
            breaker.acquire().unwrap().failure();
            ready(Err(DOWN))
        })
        .await;
    assert_eq!((result, calls.get()), (Err(DOWN), 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_breaker_opens_while_it_waits_ends_with_its_own_error() {
    for scope in [Scope::Call, Scope::Attempt] {
        let breaker = breaker(2);
        let policy = three_attempts(&breaker, scope);
        let opening = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            breaker.force_open();
        };
        let events = Events::catch();
        let script = [Err(DOWN)];
        let ((result, calls), ()) = tokio::join!(run(&policy, &script), opening);
        // A rejection would say that nothing was sent.
        assert_eq!((result, calls), (Err(DOWN), 1), "{scope:?}");
        let totals = breaker.stats().totals;
        assert_eq!((totals.failures, totals.rejected), (1, 0), "{scope:?}");
        let gave_up = &events.named("gave up")[0];
        assert_eq!(gave_up.field("reason"), "the circuit breaker is not closed");
        assert_eq!(gave_up.field("attempt"), "1");
    }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_not_send_leaves_the_future_send() {
    let not_send = || async { Ok::<_, Failure>(Rc::new(7)) };
    let (breaker, policy) = (breaker(1), Policy::builder("test").build().unwrap());
    assert_eq!(*assert_send(policy.run(not_send)).await.unwrap(), 7);
    assert_eq!(*assert_send(breaker.call(not_send)).await.unwrap(), 7);
    assert_eq!(*assert_send(RetryExecutor::default().execute(not_send)).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_one_attempt() {
    for scope in [Scope::Call, Scope::Attempt] {
        let breaker = breaker(1);
        let policy = three_attempts(&breaker, scope);
        breaker.acquire().unwrap().failure();
        advance(Duration::from_secs(30)).await;
        assert_eq!(run(&policy, &[Err(DOWN)]).await, (Err(DOWN), 1));
        assert_eq!(breaker.state(), BreakerState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn by_kind_each_error_has_its_own_row() {
    let policy = Policy::builder("test").retry_by_kind(RetryTable::default()).build().unwrap();
    for (kind, attempts) in [
        (ErrorKind::RateLimitError, 5),
        (ErrorKind::TimeoutError, 2),
        (ErrorKind::NetworkError, 3),
        (ErrorKind::NotFoundError, 1),
    ] {
        assert_eq!(run(&policy, &[Err(Failure::of(kind))]).await.1, attempts, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn by_kind_the_attempts_so_far_are_held_against_the_newest_row() {
    let policy = Policy::builder("test").retry_by_kind(RetryTable::default()).build().unwrap();
    let limited = Err(Failure::of(ErrorKind::RateLimitError));
    let timeout = Err(Failure::of(ErrorKind::TimeoutError));
    let results = [limited.clone(), limited, timeout.clone()];
    assert_eq!(run(&policy, &results).await, (timeout, 3));
}

#[tokio::test(start_paused = true)]
async fn a_row_for_every_error_is_used_whatever_the_kind() {
    let row = RetryPolicy::for_kind(ErrorKind::TimeoutError);
    let policy = Policy::builder("test").retry(row).build().unwrap();
    let start = Instant::now();
    let limited = Failure::of(ErrorKind::RateLimitError);
    assert_eq!(run(&policy, &[Err(limited)]).await.1, 2);
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_transient_is_neutral_for_the_breaker() {
    for scope in [Scope::Call, Scope::Attempt] {
        let breaker = breaker(1);
        assert_eq!(run(&three_attempts(&breaker, scope), &[Err(WRONG)]).await, (Err(WRONG), 1));
        assert_eq!(breaker.stats().totals.ignored, 1);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_is_neutral() {
    let breaker = breaker(1);
    let policy = three_attempts(&breaker, Scope::Call);
    let script = [Err(DOWN)];
    let waiting = run(&policy, &script);
    tokio::time::timeout(Duration::from_millis(10), waiting).await.unwrap_err();
    assert_eq!(breaker.stats().totals.ignored, 1);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_no_probe() {
    for scope in [Scope::Call, Scope::Attempt] {
        let config = BreakerConfig::builder()
            .failure_threshold(2)
            .open_duration(Duration::from_millis(10))
            .build()
            .unwrap();
        let breaker = Arc::new(CircuitBreaker::new(config));
        let policy = three_attempts(&breaker, scope);
        // Opened by others during the pause, it would let a probe through when that is over.
        let opening = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            while let Ok(permit) = breaker.acquire() {
                permit.failure();
            }
        };
        let script = [Err(DOWN), Ok(())];
        let ((result, calls), ()) = tokio::join!(run(&policy, &script), opening);
        assert_eq!((result, calls), (Err(DOWN), 1), "{scope:?}");
        assert_eq!(breaker.stats().time_until_half_open, Some(Duration::ZERO), "no probe was made");
    }
}

fn with_retry() -> PolicyBuilder {
    Policy::builder("test").retry(RetryPolicy::DEFAULT)
}

#[test]
fn a_policy_that_the_attribute_would_refuse_is_refused() {
    let builder = || Policy::builder("test");
    let budget = || Arc::new(RetryBudget::named("test", BudgetConfig::DEFAULT));
    let once = || builder().retry(RetryPolicy::builder().max_attempts(1).build().unwrap());
    let second = Duration::from_secs(1);
    for (refused, error) in [
        (builder().attempt_timeout(Duration::ZERO), ConfigError::AttemptTimeout),
        (builder().deadline(Duration::ZERO), ConfigError::Deadline),
        (
            builder().attempt_timeout(second).deadline(second),
            ConfigError::AttemptTimeoutOverDeadline,
        ),
        (
            builder().deadline(second).attempt_timeout(2 * second),
            ConfigError::AttemptTimeoutOverDeadline,
        ),
        (builder().scope(Scope::Attempt), ConfigError::ScopeWithoutBreaker),
        (with_retry().scope(Scope::Call), ConfigError::ScopeWithoutBreaker),
        (builder().breaker(breaker(1)).scope(Scope::Call), ConfigError::ScopeWithoutRetry),
        (builder().idempotent(true), ConfigError::IdempotentWithoutRetry),
        (builder().idempotent(false), ConfigError::IdempotentWithoutRetry),
        (builder().budget(budget()), ConfigError::BudgetWithoutRetry),
        (once().idempotent(false), ConfigError::SingleAttempt),
        (once().budget(budget()), ConfigError::SingleAttempt),
        (once().breaker(breaker(1)).scope(Scope::Attempt), ConfigError::SingleAttempt),
    ] {
        assert_eq!(refused.build().unwrap_err(), error);
    }
}

#[test]
fn the_order_in_which_a_policy_is_built_does_not_matter() {
    let second = Duration::from_secs(1);
    let budget = Arc::new(RetryBudget::named("test", BudgetConfig::DEFAULT));
    Policy::builder("test")
        .scope(Scope::Attempt)
        .idempotent(false)
        .budget(budget)
        .attempt_timeout(second)
        .deadline(2 * second)
        .breaker(breaker(1))
        .retry_by_kind(RetryTable::default())
        .build()
        .unwrap();
}

/// A policy goes through a breaker that the call selects, and nothing but that breaker counts.
#[tokio::test(start_paused = true)]
async fn a_policy_goes_through_a_breaker_of_the_callers_choice() {
    let own = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("sharded")
        .retry(RetryPolicy::DEFAULT)
        .breaker(Arc::clone(&own))
        .build()
        .unwrap();
    let shard = |shard: u32| breaker_of("policy shard/{shard}", shard).unwrap();
    for _ in 0..2 {
        let failed = policy.through(shard(1)).run(|| async { Err::<(), _>(DOWN) }).await;
        assert_eq!(failed, Err(DOWN));
    }
    let rejected = policy.through(shard(1)).run(|| async { Ok::<(), Failure>(()) }).await;
    assert!(rejected.unwrap_err().is_rejection());
    let through = policy.through(shard(2));
    let number = through.run_with(|attempt| async move { Ok::<_, Failure>(attempt.number()) });
    assert_eq!(number.await, Ok(1));
    assert_eq!(own.stats().totals, BreakerTotals::default());
    let names: Vec<_> = breakers().iter().map(|it| it.name().to_string()).collect();
    assert!(names.contains(&"policy shard/1".to_owned()));
    assert!(breaker_of("policy shard/{of}/{shard}", 1).is_none());
    assert!(breaker_of("policy shard", 1).is_none());
}
