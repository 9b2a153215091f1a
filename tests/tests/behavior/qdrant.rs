//! A real client against the embedded server: how an outage is survived. How each failure is
//! recognized is held by the tests `failures`.
//!
//! The client sends a failed call of the points service a second time by itself, so a fault on
//! such a call is injected twice, and requests are counted at the server.

use std::time::Duration;

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, GetPointsBuilder, PointStruct, SearchPointsBuilder,
    SearchResponse, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Qdrant, QdrantError};
use resilient_runtime::{BreakerState, CircuitOpenError, Classify, ErrorKind, breaker, resilient};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};

const DOCS: &str = "docs";

/// A server with a collection of one point.
async fn server() -> EmbeddedQdrant {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    let create = CreateCollectionBuilder::new(DOCS).vectors_config(vectors);
    client.create_collection(create).await.unwrap();
    client.upsert_points(UpsertPointsBuilder::new(DOCS, vec![point(1)])).await.unwrap();
    server.reset_counts();
    server
}

fn point(id: u64) -> PointStruct {
    PointStruct::new(id, vec![1.0, 0.0], qdrant_client::Payload::new())
}

async fn search(client: &Qdrant) -> Result<SearchResponse, QdrantError> {
    client.search_points(SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1)).await
}

#[resilient(retry = "rate_limit_error")]
async fn upsert(client: &Qdrant, points: Vec<PointStruct>) -> Result<(), QdrantError> {
    client.upsert_points(UpsertPointsBuilder::new(DOCS, points).wait(true)).await?;
    Ok(())
}

#[tokio::test]
async fn a_rate_limited_write_is_stored_after_the_hint() {
    let server = server().await;
    server.script(Fault::rate_limited(Duration::from_secs(1)).on(Method::UPSERT).times(1));
    let start = std::time::Instant::now();
    upsert(&server.client(), vec![point(2)]).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests(Method::UPSERT), 2);
    let get = GetPointsBuilder::new(DOCS, vec![2.into()]);
    assert_eq!(server.client().get_points(get).await.unwrap().result.len(), 1);
}

#[resilient(
    retry(max_attempts = 2, base_delay = "1ms"),
    breaker(name = "real search", failure_threshold = 2, open_duration = "1s")
)]
async fn guarded_search(client: &Qdrant) -> Result<SearchResponse, QdrantError> {
    search(client).await
}

#[tokio::test]
async fn an_outage_is_survived_end_to_end() {
    let server = server().await;
    let client = server.client();
    let breaker = breaker("real search").unwrap();

    let down = server.script(Fault::unavailable().on(Method::SEARCH));
    for _ in 0..2 {
        guarded_search(&client).await.unwrap_err();
    }
    // Two calls of two attempts, each sent twice by the client.
    assert_eq!(server.requests(Method::SEARCH), 8);
    assert_eq!(breaker.state(), BreakerState::Open);

    let error = guarded_search(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    let open = CircuitOpenError::find(&error).unwrap();
    assert_eq!(open.breaker, "real search");
    assert_eq!(server.requests(Method::SEARCH), 8, "an open breaker sends nothing");

    down.remove();
    tokio::time::sleep(open.retry_after.unwrap()).await;
    for _ in 0..2 {
        guarded_search(&client).await.unwrap();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(server.requests(Method::SEARCH), 10);
}
