//! A connection that dies silently, for example when a firewall drops its state. The client
//! replaces it when its own timeout ends a call, so that timeout has to be below the attempt's.
//! Otherwise the attempt ends first, and every call uses the dead connection again.
//!
//! `cargo run --example dead_connection`

use std::error::Error;
use std::time::{Duration, Instant};

use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::COLLECTION;
use resilient_runtime::resilient;

/// Less than half of the attempt's timeout, since the client sends a query once more by itself.
const CLIENT_TIMEOUT: Duration = Duration::from_millis(400);

#[resilient(retry(row = "timeout_error", base_delay = "50ms"), attempt_timeout = "1s")]
async fn search(client: &Qdrant, vector: &[f32]) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector.to_vec()).limit(3)).await
}

/// A client with one connection, so that no call succeeds on another one.
fn connect(url: &str, timeout: Duration) -> Result<Qdrant, QdrantError> {
    let mut config = Qdrant::from_url(url).timeout(timeout).connect_timeout(timeout);
    config.set_pool_size(1);
    config.build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, _) = resilient_examples::start().await?;
    let vector = [0.2, 0.1, 0.9];

    let patient = connect(&server.url(), Duration::from_secs(5))?;
    search(&patient, &vector).await?;
    let careful = connect(&server.url(), CLIENT_TIMEOUT)?;
    search(&careful, &vector).await?;

    // Both connections are dead now, and their clients do not know it.
    server.connections().blackhole();

    for call in 1..=2 {
        let error = search(&patient, &vector).await.expect_err("a dead connection");
        println!("a client timeout of 5 s, call {call}: {error}");
    }
    for call in 1..=2 {
        let start = Instant::now();
        let found = search(&careful, &vector).await?.result.len();
        println!(
            "a client timeout of {CLIENT_TIMEOUT:?}, call {call}: {found} points in {:.0?}",
            start.elapsed()
        );
    }
    Ok(())
}
