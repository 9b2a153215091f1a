//! Batches into a collection that limits its writes: a batch that is refused is sent again when
//! the server says so in `retry-after`, and nothing is lost.
//!
//! `cargo run --example batch_upsert`

use std::error::Error;
use std::time::Instant;

use qdrant_client::qdrant::{
    CountPointsBuilder, CreateCollectionBuilder, Distance, PointStruct, PointsOperationResponse,
    StrictModeConfigBuilder, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::{ErrorKind, RetryExecutor, resilient};
use resilient_testkit::{EmbeddedQdrant, Method};

#[resilient(retry = "rate_limit_error")]
async fn upsert_batch(
    client: &Qdrant,
    collection: &str,
    points: Vec<PointStruct>,
) -> Result<PointsOperationResponse, QdrantError> {
    client.upsert_points(UpsertPointsBuilder::new(collection, points).wait(true)).await
}

/// The same without the attribute.
async fn upsert_batch_by_hand(
    client: &Qdrant,
    collection: &str,
    points: Vec<PointStruct>,
) -> Result<PointsOperationResponse, QdrantError> {
    let executor = RetryExecutor::for_kind(ErrorKind::RateLimitError);
    let request = UpsertPointsBuilder::new(collection, points).wait(true);

    executor.execute(|| client.upsert_points(request.clone())).await
}

const LIMITED: &str = "limited";
const BATCH: u64 = 20;

/// 1,200 points a minute are 20 a second. The allowance of a whole minute is there at the start.
const POINTS_A_MINUTE: u32 = 1200;

/// A collection with Qdrant's own limit on writes, which is a part of its strict mode.
async fn create_limited_collection(client: &Qdrant) -> Result<(), QdrantError> {
    let limit = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(POINTS_A_MINUTE);
    let collection = CreateCollectionBuilder::new(LIMITED)
        .vectors_config(VectorParamsBuilder::new(3, Distance::Cosine))
        .strict_mode_config(limit);
    client.create_collection(collection).await?;
    Ok(())
}

fn batch(number: u64) -> Vec<PointStruct> {
    let ids = number * BATCH..(number + 1) * BATCH;
    ids.map(|id| PointStruct::new(id, vec![0.1, 0.2, 0.3], Payload::new())).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = EmbeddedQdrant::start().await?;
    let client = server.client();
    create_limited_collection(&client).await?;

    // Some 60 batches take the allowance of a minute, and the next one has to wait for a second.
    let start = Instant::now();
    let mut sent = 0;
    while server.requests(Method::UPSERT) == sent {
        upsert_batch(&client, LIMITED, batch(sent)).await?;
        sent += 1;
    }
    println!("#[resilient]: {sent} batches in {:.1?}, the last refused at first", start.elapsed());

    let start = Instant::now();
    upsert_batch_by_hand(&client, LIMITED, batch(sent)).await?;
    sent += 1;
    println!("by hand: 1 batch in {:.1?}", start.elapsed());

    let stored = client.count(CountPointsBuilder::new(LIMITED).exact(true)).await?;
    let stored = stored.result.expect("an answer has a result").count;
    println!("{stored} of {} points are stored", sent * BATCH);
    assert_eq!(stored, sent * BATCH);
    Ok(())
}
