//! A search that outlives a slow server and a lost connection: a search timeout is tried again,
//! and once the server is gone, calls fail fast.
//!
//! `cargo run --example search_with_resilience`

use std::error::Error;

use qdrant_client::qdrant::{QueryPointsBuilder, ScoredPoint};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{
    CircuitBreaker, CircuitOpenError, Classify, ErrorKind, RetryExecutor, resilient,
};
use resilient_testkit::{Fault, Method};

#[resilient(retry = "search_timeout", breaker = "search")]
async fn resilient_search(
    client: &Qdrant,
    collection: &str,
    vector: Vec<f32>,
) -> Result<Vec<ScoredPoint>, QdrantError> {
    let query = QueryPointsBuilder::new(collection).query(vector).limit(10);
    Ok(client.query(query).await?.result)
}

/// The same without the attribute.
async fn resilient_search_by_hand(
    breaker: &CircuitBreaker,
    client: &Qdrant,
    collection: &str,
    vector: Vec<f32>,
) -> Result<Vec<ScoredPoint>, QdrantError> {
    let executor = RetryExecutor::for_kind(ErrorKind::SearchTimeout);
    let query = QueryPointsBuilder::new(collection).query(vector).limit(10);

    let search = || executor.execute(|| client.query(query.clone()));
    Ok(breaker.call(search).await?.result)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let timed_out = Fault::search_timeout().on(Method::QUERY).times(SENT_PER_FAILURE);

    server.script(timed_out.clone());
    let found = resilient_search(&client, COLLECTION, vec![0.1, 0.2, 0.3]).await?;
    println!("#[resilient]: {} points, after a search timeout", found.len());
    assert_eq!(found.len(), 3);
    assert_eq!(server.requests(Method::QUERY), SENT_PER_FAILURE + 1);

    server.reset_counts();
    server.script(timed_out);
    let breaker = CircuitBreaker::default();
    let vector = vec![0.1, 0.2, 0.3];
    let found = resilient_search_by_hand(&breaker, &client, COLLECTION, vector).await?;
    println!("by hand: {} points, after a search timeout", found.len());
    assert_eq!(found.len(), 3);
    assert_eq!(server.requests(Method::QUERY), SENT_PER_FAILURE + 1);

    // The server goes away, with every connection to it.
    server.connections().refuse();
    server.connections().reset();
    for _ in 0..5 {
        let result = resilient_search(&client, COLLECTION, vec![0.1, 0.2, 0.3]).await;
        let error = result.expect_err("nobody answers");
        println!("no server: {}", error.kind());
        assert!(error.kind().is_transient());
    }
    let result = resilient_search(&client, COLLECTION, vec![0.1, 0.2, 0.3]).await;
    let error = result.expect_err("the breaker is open");
    println!("no server: {}", error.kind());
    assert_eq!(CircuitOpenError::find(&error).expect("a rejection").breaker, "search");
    Ok(())
}
