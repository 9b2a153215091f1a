//! What may be sent twice. An error often leaves open whether the server has done the work: here it
//! does the work, and the answer is lost.
//!
//! - A new collection may be asked for again: `AlreadyExists` is then a success, if what exists is
//!   what was asked for.
//! - A write by filter may match other points the second time, so it is only sent again when it
//!   surely was not executed. A rate limit says that of a write that is one operation on one shard,
//!   which only the caller knows.
//!
//! `cargo run --example idempotency`

use std::error::Error;
use std::time::Duration;

use qdrant_client::qdrant::{
    Condition, CreateCollectionBuilder, Distance, Filter, SetPayloadPointsBuilder, VectorParams,
    VectorParamsBuilder, vectors_config::Config,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_examples::COLLECTION;
use resilient_runtime::{Classify, ErrorKind, resilient};
use resilient_testkit::{Fault, Method};
use tonic::{Code, Status};

#[resilient(retry(row = "connection_error", base_delay = "10ms"))]
async fn create(client: &Qdrant, name: &str, vectors: VectorParams) -> Result<(), QdrantError> {
    let collection = CreateCollectionBuilder::new(name).vectors_config(vectors);
    match client.create_collection(collection).await {
        Err(QdrantError::ResponseError { status }) if status.code() == Code::AlreadyExists => {
            if vectors_of(client, name).await? == Some(vectors) {
                return Ok(());
            }
            // Somebody else's, under the same name.
            Err(QdrantError::ResponseError { status })
        }
        result => result.map(drop),
    }
}

/// The vectors of a collection, where it has one kind without a name.
async fn vectors_of(client: &Qdrant, name: &str) -> Result<Option<VectorParams>, QdrantError> {
    let info = client.collection_info(name).await?.result;
    let params = info.and_then(|info| info.config?.params?.vectors_config?.config);
    Ok(params.and_then(|config| match config {
        Config::Params(vectors) => Some(vectors),
        Config::ParamsMap(_) => None,
    }))
}

/// The error of a write that is one operation, on a collection of one shard without replicas.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct ArchiveError(#[from] QdrantError);

impl Classify for ArchiveError {
    fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
    }

    // There is no other part that could have been applied before the server refused this one.
    fn maybe_executed(&self) -> bool {
        self.kind() != ErrorKind::RateLimitError && self.0.maybe_executed()
    }

    fn may_retry(&self) -> bool {
        self.0.may_retry()
    }
}

#[resilient(retry(row = "connection_error", base_delay = "10ms"), idempotent = false)]
async fn archive(client: &Qdrant, year: i64) -> Result<(), ArchiveError> {
    let old = Filter::must([Condition::matches("year", year)]);
    let archived = Payload::from([("archived", true.into())]);
    let write = SetPayloadPointsBuilder::new(COLLECTION, archived).points_selector(old).wait(true);
    client.set_payload(write).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let vectors = || VectorParamsBuilder::new(3, Distance::Cosine).build();
    // `qdrant-client` does not send again by itself what fails so.
    let lost = || Fault::status_after_execution(Status::deadline_exceeded("the answer is lost"));
    let limited = || Fault::rate_limited(Duration::from_secs(1)).times(1);

    server.script(lost().on(Method::CREATE_COLLECTION).times(1));
    create(&client, "archive", vectors()).await?;
    let requests = server.requests(Method::CREATE_COLLECTION);
    println!("collection: created, {requests} requests, one of them for a lost answer");
    assert_eq!(requests, 2);

    let other = VectorParamsBuilder::new(4, Distance::Dot).build();
    let error = create(&client, "archive", other).await.unwrap_err();
    println!("collection: another one of the same name is an error: {error}");

    server.script(lost().on(Method::SET_PAYLOAD).times(1));
    archive(&client, 2019).await.unwrap_err();
    let requests = server.requests(Method::SET_PAYLOAD);
    println!("write by filter: the answer is lost, {requests} request, the caller decides");
    assert_eq!(requests, 1);

    server.reset_counts();
    server.script(limited().on(Method::SET_PAYLOAD));
    archive(&client, 2019).await?;
    let requests = server.requests(Method::SET_PAYLOAD);
    println!("write by filter: refused by a rate limit, sent again, {requests} requests");
    assert_eq!(requests, 2);
    Ok(())
}
