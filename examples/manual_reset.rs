//! A breaker moved by hand: closed at once when you know that the service is back, held open
//! while you work on it.
//!
//! `cargo run --example manual_reset`

use std::error::Error;

use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::COLLECTION;
use resilient_runtime::{BreakerState, CircuitBreaker, CircuitOpenError, resilient};
use resilient_testkit::{EmbeddedQdrant, Method};

#[resilient(breaker = "search")]
async fn search(client: &Qdrant) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vec![0.1, 0.2, 0.3])).await
}

/// The same without the attribute. The breaker outlives the call: every call asks the same one.
async fn search_by_hand(
    breaker: &CircuitBreaker,
    client: &Qdrant,
) -> Result<QueryResponse, QdrantError> {
    let query = QueryPointsBuilder::new(COLLECTION).query(vec![0.1, 0.2, 0.3]);

    breaker.call(|| client.query(query)).await
}

/// An outage, and what an operator does about it with the breaker of `search`.
async fn operate(
    server: &EmbeddedQdrant,
    breaker: &CircuitBreaker,
    search: impl AsyncFn() -> Result<QueryResponse, QdrantError>,
) -> Result<(), QdrantError> {
    server.reset_counts();
    server.connections().refuse();
    server.connections().reset();
    for _ in 0..5 {
        search().await.unwrap_err();
    }
    println!("  {}: the server is gone", breaker.state());
    assert_eq!(breaker.state(), BreakerState::Open);

    // The server is back. Without a reset, calls are rejected for 30 seconds.
    server.connections().allow();
    let error = search().await.unwrap_err();
    println!("  {}: {}", breaker.state(), CircuitOpenError::find(&error).expect("a rejection"));
    assert_eq!(server.requests(Method::QUERY), 0);

    breaker.reset();
    let found = search().await?.result;
    println!("  {}: {} points after a reset", breaker.state(), found.len());
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(server.requests(Method::QUERY), 1);

    // Held open, it never tries whether the server is back.
    breaker.force_open();
    let error = search().await.unwrap_err();
    println!("  {}: held there by hand", breaker.state());
    assert_eq!(CircuitOpenError::find(&error).expect("a rejection").retry_after, None);
    assert!(breaker.stats().is_forced);
    assert_eq!(server.requests(Method::QUERY), 1);

    breaker.reset();
    search().await?;
    println!("  {}: maintenance is over", breaker.state());
    assert_eq!(server.requests(Method::QUERY), 2);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;

    println!("#[resilient(breaker = \"search\")]");
    let breaker = resilient_runtime::breaker("search").expect("`search` names it");
    operate(&server, &breaker, async || search(&client).await).await?;

    println!("CircuitBreaker");
    let breaker = CircuitBreaker::default();
    operate(&server, &breaker, async || search_by_hand(&breaker, &client).await).await?;
    Ok(())
}
