//! Which errors open a circuit breaker. By default every error that passes does; here a rate limit
//! does not, since a server that sets one is up, and for another breaker a lost collection does.
//!
//! `cargo run --example what_counts`

use std::error::Error;
use std::time::Duration;

use qdrant_client::qdrant::{GetCollectionInfoResponse, ListCollectionsResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_runtime::{BreakerState, Classify, ErrorKind, policies, resilient};
use resilient_testkit::{Fault, Method};

policies! {
    /// Whoever asks too often waits, and is not shut out.
    breaker "lists" { failure_threshold: 3, ignore: ["rate_limit_error"] }
    /// Without its collection this service is of no use.
    breaker "collection" { failure_threshold: 1, trip_on: ["collection_not_found"] }
}

#[resilient(breaker = "lists")]
async fn list(client: &Qdrant) -> Result<ListCollectionsResponse, QdrantError> {
    client.list_collections().await
}

#[resilient(breaker = "collection")]
async fn info(client: &Qdrant, name: &str) -> Result<GetCollectionInfoResponse, QdrantError> {
    client.collection_info(name).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let lists = resilient_runtime::breaker("lists").expect("`list` names it");

    let limit = Fault::rate_limited(Duration::from_secs(1)).on(Method::LIST_COLLECTIONS);
    let limit = server.script(limit);
    for _ in 0..10 {
        assert_eq!(list(&client).await.unwrap_err().kind(), ErrorKind::RateLimitError);
    }
    println!("{} after 10 rate limits", lists.state());
    assert_eq!((lists.state(), lists.stats().totals.ignored), (BreakerState::Closed, 10));
    limit.remove();

    let outage = server.script(Fault::unavailable().on(Method::LIST_COLLECTIONS));
    for _ in 0..3 {
        assert_eq!(list(&client).await.unwrap_err().kind(), ErrorKind::ServiceUnavailable);
    }
    println!("{} after 3 failures", lists.state());
    assert_eq!(lists.state(), BreakerState::Open);
    outage.remove();

    let collection = resilient_runtime::breaker("collection").expect("`info` names it");
    server.script(Fault::unavailable().on(Method::GET_COLLECTION).times(5));
    for _ in 0..5 {
        info(&client, "lost").await.unwrap_err();
    }
    println!("{} after 5 failures", collection.state());
    assert_eq!(collection.state(), BreakerState::Closed);

    let lost = info(&client, "lost").await.unwrap_err();
    println!("{} after `{}`", collection.state(), lost.kind());
    assert_eq!(lost.kind(), ErrorKind::CollectionNotFound);
    assert_eq!(collection.state(), BreakerState::Open);
    Ok(())
}
