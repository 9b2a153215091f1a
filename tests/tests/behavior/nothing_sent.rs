//! A call that sends nothing says nothing about the server.

use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    Attempt, BreakerConfig, BreakerState, BudgetConfig, CircuitBreaker, Policy, RetryBudget,
    RetryPolicy, Scope, SharedBreaker, breaker, resilient,
};
use resilient_tests::{DOWN, Failure};

/// Opens the breaker, and waits until it is half-open.
async fn half_open(breaker: &CircuitBreaker) {
    (0..breaker.config().failure_threshold().unwrap())
        .for_each(|_| breaker.acquire().unwrap().failure());
    breaker.wait_until_ready().await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

fn by_name(name: &str) -> SharedBreaker {
    breaker(name).unwrap()
}

#[resilient(retry = "auto", breaker(name = "empty upserts", half_open_max_calls = 1), attempt = ctx)]
async fn upsert(points: &[u32]) -> Result<(), Failure> {
    if points.is_empty() {
        ctx.nothing_sent();
        return Ok(());
    }
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn empty_upserts_do_not_close_a_half_open_breaker() {
    let breaker = by_name("empty upserts");
    half_open(&breaker).await;
    for _ in 0..5 {
        upsert(&[]).await.unwrap();
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "and each has released the only slot");
    let totals = breaker.stats().totals;
    assert_eq!((totals.successes, totals.ignored), (0, 5));
    upsert(&[1]).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open, "a failure counts as usual");
}

#[resilient(breaker = "nothing sent once", attempt = ctx)]
async fn without_retry(result: Result<(), Failure>) -> Result<(), Failure> {
    ctx.nothing_sent();
    result
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_call_that_sent_nothing_counts_as_usual() {
    without_retry(Ok(())).await.unwrap();
    without_retry(Err(DOWN)).await.unwrap_err();
    let totals = by_name("nothing sent once").stats().totals;
    assert_eq!((totals.successes, totals.ignored, totals.failures), (0, 1, 1));
}

#[resilient(
    retry(max_attempts = 2, base_delay = "1ms"),
    breaker(name = "sent later", scope = "attempt"),
    attempt = ctx
)]
async fn sends_at_its_second_attempt() -> Result<(), Failure> {
    if ctx.number() == 1 {
        ctx.nothing_sent();
        return Err(DOWN);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn each_attempt_speaks_for_itself() {
    sends_at_its_second_attempt().await.unwrap();
    let totals = by_name("sent later").stats().totals;
    assert_eq!((totals.failures, totals.successes, totals.ignored), (1, 1, 0));
}

async fn looks_later(attempt: Attempt<'_>) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    attempt.nothing_sent();
}

#[resilient(attempt_timeout = "1s", breaker = "nothing sent in time", attempt = ctx)]
async fn timed() -> Result<(), Failure> {
    looks_later(ctx).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_attempt_passes_through_functions_and_awaits() {
    tokio::spawn(timed()).await.unwrap().unwrap();
    assert_eq!(by_name("nothing sent in time").stats().totals.ignored, 1);
}

fn budget() -> Arc<RetryBudget> {
    Arc::new(RetryBudget::named("nothing sent", BudgetConfig::DEFAULT))
}

#[tokio::test(start_paused = true)]
async fn it_earns_no_refund() {
    let budget = budget();
    let policy = Policy::builder("refunds").retry(RetryPolicy::DEFAULT);
    let policy = policy.budget(Arc::clone(&budget)).build().unwrap();
    let sends_nothing = |attempt: Attempt<'static>| async move {
        attempt.nothing_sent();
        if attempt.number() == 1 { Err(DOWN) } else { Ok(()) }
    };
    policy.run_with(sends_nothing).await.unwrap();
    let spent = budget.config().retry_cost();
    assert_eq!(budget.available(), budget.config().capacity() - spent);
    policy.run_with(|_| async { Ok::<_, Failure>(()) }).await.unwrap();
    let refund = budget.config().success_refund();
    assert_eq!(budget.available(), budget.config().capacity() - spent + refund);
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_a_policy_knows_its_attempt() {
    let breaker = Arc::new(CircuitBreaker::new(BreakerConfig::DEFAULT));
    half_open(&breaker).await;
    let policy = Policy::builder("knows").retry(RetryPolicy::DEFAULT).breaker(Arc::clone(&breaker));
    let policy = policy.scope(Scope::Attempt).attempt_timeout(Duration::from_secs(2));
    let policy = policy.build().unwrap();
    let task = tokio::spawn(async move {
        let run = policy.run_with(|attempt| async move {
            let known = (attempt.number(), attempt.is_last(), attempt.seconds_left());
            looks_later(attempt).await;
            Ok::<_, Failure>(known)
        });
        run.await
    });
    assert_eq!(task.await.unwrap(), Ok((1, true, Some(2))));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.stats().totals.ignored, 1);
}

#[tokio::test(start_paused = true)]
async fn a_clone_of_an_earlier_attempt_does_not_erase_the_mark() {
    let breaker = Arc::new(CircuitBreaker::new(BreakerConfig::DEFAULT));
    let policy = Policy::builder("clones").retry(RetryPolicy::DEFAULT);
    let policy = policy.breaker(Arc::clone(&breaker)).build().unwrap();
    let mut earlier: Option<Attempt<'static>> = None;
    let run = policy.run_with(|attempt| {
        attempt.nothing_sent();
        let earlier = earlier.replace(attempt);
        async move { earlier.map(|earlier| earlier.nothing_sent()).ok_or(DOWN) }
    });
    run.await.unwrap();
    let totals = breaker.stats().totals;
    assert_eq!((totals.successes, totals.ignored), (0, 1));
}
