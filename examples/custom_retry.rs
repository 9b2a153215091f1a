//! Retry with numbers of your own: how often, how long to wait, how far the waits are spread.
//! What is left out keeps its default.
//!
//! `cargo run --example custom_retry`

use std::error::Error;
use std::time::{Duration, Instant};

use qdrant_client::qdrant::{GetPointsBuilder, GetResponse, PointId};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{RetryExecutor, RetryPolicy, resilient};
use resilient_testkit::{Fault, Method};

#[resilient(retry(max_attempts = 5, base_delay = "200ms", max_delay = "10s", jitter = 0.2))]
async fn get(client: &Qdrant, ids: Vec<PointId>) -> Result<GetResponse, QdrantError> {
    client.get_points(GetPointsBuilder::new(COLLECTION, ids)).await
}

/// The same without the attribute.
async fn get_by_hand(
    client: &Qdrant,
    ids: Vec<PointId>,
) -> Result<GetResponse, Box<dyn Error + Send + Sync>> {
    let executor = RetryExecutor::new(
        RetryPolicy::builder()
            .max_attempts(5)
            .base_delay(Duration::from_millis(200))
            .max_delay(Duration::from_secs(10))
            .jitter(0.2)
            .build()?,
    );
    let request = GetPointsBuilder::new(COLLECTION, ids);

    Ok(executor.execute(|| client.get_points(request.clone())).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let restarting = Fault::unavailable().on(Method::GET).times(2 * SENT_PER_FAILURE);
    let ids = vec![1.into(), 2.into(), 3.into()];

    server.script(restarting.clone());
    let start = Instant::now();
    let points = get(&client, ids.clone()).await?.result;
    let waited = start.elapsed();
    println!("#[resilient(retry(…))]: {} points after {waited:.1?}", points.len());
    assert_eq!(points.len(), 3);
    assert_eq!(server.requests(Method::GET), 2 * SENT_PER_FAILURE + 1);
    // 200 ms and 400 ms, each at most a fifth shorter.
    assert!(waited >= Duration::from_millis(480), "{waited:?}");

    server.reset_counts();
    server.script(restarting);
    let start = Instant::now();
    let points = get_by_hand(&client, ids).await?.result;
    let waited = start.elapsed();
    println!("RetryExecutor: {} points after {waited:.1?}", points.len());
    assert_eq!(points.len(), 3);
    assert_eq!(server.requests(Method::GET), 2 * SENT_PER_FAILURE + 1);
    assert!(waited >= Duration::from_millis(480), "{waited:?}");
    Ok(())
}
