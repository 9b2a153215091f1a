//! What a breaker tells of itself: its state, its statistics, and an event for each change, for
//! each retry and for each rejection, which any `tracing` subscriber shows.
//!
//! `cargo run --example monitoring`

use std::error::Error;

use qdrant_client::qdrant::{CountPointsBuilder, CountResponse, QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{BreakerConfig, BreakerState, CircuitBreaker, resilient};
use resilient_testkit::{Fault, Method};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

#[resilient(
    retry(max_attempts = 2, base_delay = "20ms"),
    breaker(name = "search", failure_threshold = 3, open_duration = "1s")
)]
async fn search(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

#[resilient(breaker = "count")]
async fn count(client: &Qdrant) -> Result<CountResponse, QdrantError> {
    client.count(CountPointsBuilder::new(COLLECTION)).await
}

/// Prints all that a breaker knows.
fn report(breaker: &CircuitBreaker) {
    let stats = breaker.stats();
    println!("{}:", breaker.name());
    println!("  state            {}", stats.state);
    if let Some(threshold) = stats.config.failure_threshold() {
        println!("  failures         {} of {threshold}", stats.failure_count);
    }
    println!("  successes        {} of {}", stats.success_count, stats.config.success_threshold());
    if let Some(time) = stats.last_failure_time {
        println!("  last failure     {:?} ago", time.elapsed());
    }
    if let Some(wait) = stats.time_until_half_open {
        println!("  half-open in     {wait:?}");
    }
    let totals = stats.totals;
    println!("  calls succeeded  {}", totals.successes);
    println!("  calls failed     {}", totals.failures);
    println!("  calls rejected   {}", totals.rejected);
    println!("  state changes    {}", totals.transitions);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().without_time().with_ansi(false))
        .with(Targets::new().with_target("resilient", Level::DEBUG))
        .init();
    let (server, client) = resilient_examples::start().await?;

    println!("-- three calls fail, the fourth is rejected --");
    let outage = server.script(Fault::unavailable().on(Method::QUERY));
    for _ in 0..4 {
        search(&client, vec![0.1, 0.2, 0.3]).await.unwrap_err();
    }
    count(&client).await?;

    let breaker = resilient_runtime::breaker("search").expect("`search` names it");
    assert_eq!(breaker.state(), BreakerState::Open);
    report(&breaker);

    let stats = breaker.stats();
    assert_eq!(stats.failure_count, 3);
    assert!(stats.last_failure_time.is_some());
    assert!(stats.time_until_half_open.is_some());
    assert_eq!((stats.totals.failures, stats.totals.rejected), (3, 1));
    // Three calls of two attempts each.
    assert_eq!(server.requests(Method::QUERY), 3 * 2 * SENT_PER_FAILURE);

    println!("-- the server is back --");
    outage.remove();
    tokio::time::sleep(stats.time_until_half_open.unwrap_or_default()).await;
    search(&client, vec![0.1, 0.2, 0.3]).await?;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.stats().success_count, 1);
    search(&client, vec![0.1, 0.2, 0.3]).await?;
    assert_eq!(breaker.state(), BreakerState::Closed);

    println!("-- every breaker that a function names --");
    let breakers = resilient_runtime::breakers();
    for breaker in &breakers {
        report(breaker);
    }
    let names: Vec<_> = breakers.iter().map(|breaker| breaker.name().as_str()).collect();
    assert_eq!(names, ["count", "search"]);
    assert_eq!(breaker.stats().totals.transitions, 3);

    println!("-- a breaker without the attribute --");
    let own = CircuitBreaker::named("own", BreakerConfig::DEFAULT);
    own.call(|| client.count(CountPointsBuilder::new(COLLECTION))).await?;
    report(&own);
    assert_eq!(own.stats().totals.successes, 1);
    Ok(())
}
