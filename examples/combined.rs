//! Retry and circuit breaker together. The breaker stands outside: a call that a retry has saved
//! is a success to it. With `scope = "attempt"` it stands inside, and counts each attempt.
//!
//! `cargo run --example combined`

use std::error::Error;
use std::sync::Arc;

use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{
    BreakerState, CircuitBreaker, Policy, RetryExecutor, RetryPolicy, resilient,
};
use resilient_testkit::{Fault, Method};

#[resilient(retry, breaker = "search")]
async fn search(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

/// The same without the attribute: what it does is a [`Policy`].
async fn search_by_policy(
    policy: &Policy,
    client: &Qdrant,
    vector: Vec<f32>,
) -> Result<QueryResponse, QdrantError> {
    let query = QueryPointsBuilder::new(COLLECTION).query(vector).limit(10);

    policy.run(|| client.query(query.clone())).await
}

/// The same of two parts, one within the other.
async fn search_nested(
    breaker: &CircuitBreaker,
    executor: &RetryExecutor,
    client: &Qdrant,
    vector: Vec<f32>,
) -> Result<QueryResponse, QdrantError> {
    let query = QueryPointsBuilder::new(COLLECTION).query(vector).limit(10);

    breaker.call(|| executor.execute(|| client.query(query.clone()))).await
}

#[resilient(
    retry(max_attempts = 5, base_delay = "20ms"),
    breaker(name = "attempts", failure_threshold = 3, scope = "attempt")
)]
async fn search_by_attempt(
    client: &Qdrant,
    vector: Vec<f32>,
) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let down = Fault::unavailable().on(Method::QUERY);
    let twice_down = down.clone().times(2 * SENT_PER_FAILURE);
    let vector = || vec![0.1, 0.2, 0.3];

    server.script(twice_down.clone());
    search(&client, vector()).await?;
    let named = resilient_runtime::breaker("search").expect("`search` names it");

    server.script(twice_down.clone());
    let in_policy = Arc::new(CircuitBreaker::default());
    let policy =
        Policy::builder("search").retry(RetryPolicy::DEFAULT).breaker(in_policy.clone()).build()?;
    search_by_policy(&policy, &client, vector()).await?;

    server.script(twice_down);
    let (breaker, executor) = (CircuitBreaker::default(), RetryExecutor::default());
    search_nested(&breaker, &executor, &client, vector()).await?;

    for (form, breaker) in
        [("#[resilient]", &*named), ("Policy", &in_policy), ("nested by hand", &breaker)]
    {
        let totals = breaker.stats().totals;
        let (state, successes, failures) = (breaker.state(), totals.successes, totals.failures);
        println!("{form:15} {state}, {successes} call succeeded, {failures} failed");
        assert_eq!((state, successes, failures), (BreakerState::Closed, 1, 0));
    }
    assert_eq!(server.requests(Method::QUERY), 3 * (2 * SENT_PER_FAILURE + 1));

    // The third failed attempt opens the breaker, and the other two are not made.
    server.reset_counts();
    server.script(down);
    search_by_attempt(&client, vector()).await.unwrap_err();
    let breaker = resilient_runtime::breaker("attempts").expect("`search_by_attempt` names it");
    let failures = breaker.stats().totals.failures;
    println!("scope = attempt {}, {failures} attempts failed", breaker.state());
    assert_eq!((breaker.state(), failures), (BreakerState::Open, 3));
    assert_eq!(server.requests(Method::QUERY), 3 * SENT_PER_FAILURE);
    Ok(())
}
