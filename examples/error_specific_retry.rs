//! Retry by the kind of error: `retry = "<kind>"` takes the row of a kind that you expect,
//! `retry = "auto"` the row of the kind that each error turns out to have.
//!
//! `cargo run --example error_specific_retry`

use std::error::Error;

use qdrant_client::qdrant::{PointStruct, PointsOperationResponse, UpsertPointsBuilder};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_examples::COLLECTION;
use resilient_runtime::{Classify, ErrorKind, RetryExecutor, RetryPolicy, resilient};
use resilient_testkit::tonic::Status;
use resilient_testkit::{Fault, Method};

#[resilient(retry = "rate_limit_error")]
async fn upsert(
    client: &Qdrant,
    points: Vec<PointStruct>,
) -> Result<PointsOperationResponse, QdrantError> {
    client.upsert_points(UpsertPointsBuilder::new(COLLECTION, points)).await
}

/// The same without the attribute.
async fn upsert_by_hand(
    client: &Qdrant,
    points: Vec<PointStruct>,
) -> Result<PointsOperationResponse, QdrantError> {
    let executor = RetryExecutor::for_kind(ErrorKind::RateLimitError);
    let request = UpsertPointsBuilder::new(COLLECTION, points);

    executor.execute(|| client.upsert_points(request.clone())).await
}

#[resilient(retry = "auto")]
async fn upsert_by_kind(
    client: &Qdrant,
    points: Vec<PointStruct>,
) -> Result<PointsOperationResponse, QdrantError> {
    client.upsert_points(UpsertPointsBuilder::new(COLLECTION, points)).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    println!("{:20} {:>8} {:>11} {:>10}  backoff", "kind", "attempts", "base delay", "max delay");
    for kind in [
        ErrorKind::ConnectionError,
        ErrorKind::RateLimitError,
        ErrorKind::ServiceUnavailable,
        ErrorKind::TimeoutError,
        ErrorKind::InternalError,
    ] {
        let row = RetryPolicy::for_kind(kind);
        let (base, max) = (row.base_delay(), row.max_delay());
        let attempts = row.max_attempts();
        println!("{kind:20} {attempts:>8} {base:>11?} {max:>10?}  {:?}", row.backoff());
    }

    let (server, client) = resilient_examples::start().await?;
    let points: Vec<_> =
        (10..60).map(|id| PointStruct::new(id, vec![0.1, 0.2, 0.3], Payload::new())).collect();
    // Neither of these two answers makes `qdrant-client` send the request again by itself.
    let limited = Fault::status(Status::resource_exhausted("Rate limiting exceeded"));
    let timed_out = Fault::status(Status::deadline_exceeded("Update operation timed out"));

    server.script(limited.clone().on(Method::UPSERT).times(1));
    upsert(&client, points.clone()).await?;
    println!("retry = \"rate_limit_error\": stored by request {}", server.requests(Method::UPSERT));
    assert_eq!(server.requests(Method::UPSERT), 2);

    server.reset_counts();
    server.script(limited.on(Method::UPSERT).times(1));
    upsert_by_hand(&client, points.clone()).await?;
    println!("RetryExecutor: stored by request {}", server.requests(Method::UPSERT));
    assert_eq!(server.requests(Method::UPSERT), 2);

    // A timeout has a row of its own, which allows two attempts and not five.
    server.reset_counts();
    server.script(timed_out.on(Method::UPSERT));
    let error = upsert_by_kind(&client, points).await.unwrap_err();
    let requests = server.requests(Method::UPSERT);
    println!("retry = \"auto\": {} after {requests} requests", error.kind());
    assert_eq!(error.kind(), ErrorKind::TimeoutError);
    assert_eq!(requests, 2);
    Ok(())
}
