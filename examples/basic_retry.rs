//! Basic retry: one word above the function, and a call that fails for a moment is made again,
//! with exponential back-off and jitter. Three attempts, 100 ms and 200 ms between them.
//!
//! `cargo run --example basic_retry`

use std::error::Error;

use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{Classify, ErrorKind, RetryExecutor, resilient};
use resilient_testkit::{Fault, Method};

#[resilient(retry)]
async fn search(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

/// The same without the attribute.
async fn search_by_hand(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
    let executor = RetryExecutor::default();
    let query = QueryPointsBuilder::new(COLLECTION).query(vector).limit(10);

    executor.execute(|| client.query(query.clone())).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let restarting = Fault::unavailable().on(Method::QUERY);

    server.script(restarting.clone().times(2 * SENT_PER_FAILURE));
    let found = search(&client, vec![0.1, 0.2, 0.3]).await?.result;
    println!("#[resilient(retry)]: {} points, after two failed attempts", found.len());
    assert_eq!(found.len(), 3);
    assert_eq!(server.requests(Method::QUERY), 2 * SENT_PER_FAILURE + 1);

    server.reset_counts();
    server.script(restarting.times(2 * SENT_PER_FAILURE));
    let found = search_by_hand(&client, vec![0.1, 0.2, 0.3]).await?.result;
    println!("RetryExecutor: {} points, after two failed attempts", found.len());
    assert_eq!(found.len(), 3);
    assert_eq!(server.requests(Method::QUERY), 2 * SENT_PER_FAILURE + 1);

    // What no second try can help is not tried a second time.
    server.reset_counts();
    let error = search(&client, vec![0.1, 0.2]).await.unwrap_err();
    println!("{}, after one attempt", error.kind());
    assert_eq!(error.kind(), ErrorKind::InvalidVector);
    assert_eq!(server.requests(Method::QUERY), 1);
    Ok(())
}
