//! Policies without the attribute, which come and go.

use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, CallOutcome, CircuitBreaker, Policy, RetryPolicy, resilient,
};
use resilient_tests::{DOWN, Failure};

use super::Metrics;

fn breaker(name: &str) -> Arc<CircuitBreaker> {
    Arc::new(CircuitBreaker::new(BreakerConfig::DEFAULT).with_name(name))
}

fn policy(name: &'static str, breaker: &Arc<CircuitBreaker>) -> Policy {
    let retry = RetryPolicy::builder().max_attempts(2).base_delay(Duration::ZERO);
    Policy::builder(name)
        .retry(retry.build().unwrap())
        .breaker(Arc::clone(breaker))
        .durations(true)
        .build()
        .unwrap()
        .register()
}

#[resilient(breaker = "two of a name")]
async fn of_source(answer: Result<u32, Failure>) -> Result<u32, Failure> {
    answer
}

async fn run(policy: &Policy, times: u32, answer: Result<u32, Failure>) {
    for _ in 0..times {
        let _ = policy.run(|| std::future::ready(answer.clone())).await;
    }
}

#[tokio::test]
async fn a_policy_that_follows_another_of_its_name_continues_its_counters() {
    let metrics = Metrics::serve().await;
    let calls = |outcome: CallOutcome| [("function", "outbox"), ("outcome", outcome.as_str())];
    let results = |result| [("breaker", "outbox breaker"), ("result", result)];
    let success = calls(CallOutcome::Success);

    let first = policy("outbox", &breaker("outbox breaker"));
    run(&first, 10, Ok(7)).await;
    run(&first, 2, Err(DOWN)).await;
    let scrape = metrics.scrape().await;
    assert_eq!(scrape.value("resilient_calls_total", &success), 10.0);
    assert_eq!(scrape.value("resilient_calls_total", &calls(CallOutcome::Error)), 2.0);
    assert_eq!(scrape.sum("resilient_retries_total", ("function", "outbox")), 2.0);
    assert_eq!(scrape.value("resilient_breaker_results_total", &results("failure")), 2.0);
    assert_eq!(scrape.states("outbox breaker"), [("closed".to_owned(), 1.0)]);

    drop(first);
    let gone = metrics.scrape().await;
    assert!(gone.states("outbox breaker").is_empty(), "in no state");
    gone.assert_follows(&scrape);

    // It has counted less than the one before, and each of its calls counts.
    let second = policy("outbox", &breaker("outbox breaker"));
    run(&second, 3, Ok(7)).await;
    let scrape = metrics.scrape().await;
    assert_eq!(scrape.value("resilient_calls_total", &success), 13.0);
    assert_eq!(scrape.value("resilient_breaker_results_total", &results("success")), 13.0);
    assert_eq!(scrape.value("resilient_call_duration_seconds_count", &success), 13.0);
    assert_eq!(scrape.states("outbox breaker"), [("closed".to_owned(), 1.0)]);
}

#[tokio::test]
async fn two_policies_of_one_name_are_summed_and_one_may_leave() {
    let metrics = Metrics::serve().await;
    let success = [("function", "worker"), ("outcome", "success")];
    let held = breaker("one worker");
    let (one, other) = (policy("worker", &breaker("one worker")), policy("worker", &held));
    run(&one, 4, Ok(7)).await;
    run(&other, 2, Ok(7)).await;
    held.force_open();
    let scrape = metrics.scrape().await;
    assert_eq!(scrape.value("resilient_calls_total", &success), 6.0);
    let states = [("closed".to_owned(), 1.0), ("forced_open".to_owned(), 1.0)];
    assert_eq!(scrape.states("one worker"), states, "the number of its breakers in each state");

    drop(other);
    let left = metrics.scrape().await;
    assert_eq!(left.value("resilient_calls_total", &success), 6.0);
    assert_eq!(left.states("one worker"), [("closed".to_owned(), 1.0)]);
    run(&one, 1, Ok(7)).await;
    let scrape = metrics.scrape().await;
    assert_eq!(scrape.value("resilient_calls_total", &success), 7.0);
}

#[tokio::test]
async fn a_breaker_of_source_and_one_of_its_name_are_summed() {
    let metrics = Metrics::serve().await;
    let success = [("breaker", "two of a name"), ("result", "success")];
    let told = async || metrics.scrape().await.value("resilient_breaker_results_total", &success);
    for _ in 0..5 {
        assert_eq!(of_source(Ok(7)).await, Ok(7));
    }
    assert_eq!(told().await, 5.0);
    let other = policy("another", &breaker("two of a name"));
    run(&other, 2, Ok(7)).await;
    assert_eq!(told().await, 7.0);
    assert_eq!(metrics.scrape().await.states("two of a name"), [("closed".to_owned(), 2.0)]);
    drop(other);
    assert_eq!(told().await, 7.0);
    assert_eq!(of_source(Ok(7)).await, Ok(7));
    assert_eq!(told().await, 8.0);
    assert_eq!(metrics.scrape().await.states("two of a name"), [("closed".to_owned(), 1.0)]);
}

#[tokio::test]
async fn names_with_any_characters_are_labels() {
    let metrics = Metrics::serve().await;
    let name = "a \"quoted\", {braced}, back\\slashed\nname ünïcode";
    let odd = policy(name, &breaker(name));
    run(&odd, 1, Ok(7)).await;
    let scrape = metrics.scrape().await;
    let calls = [("function", name), ("outcome", "success")];
    assert_eq!(scrape.value("resilient_calls_total", &calls), 1.0);
    assert_eq!(scrape.states(name), [("closed".to_owned(), 1.0)]);
}
