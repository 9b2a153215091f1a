//! Functions that return `Result<_, String>`. `guard!` goes around each request, before its error
//! becomes text.
//!
//! Lines changed: 7 added, 5 removed.

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, PointStruct, SearchPointsBuilder, UpsertPointsBuilder,
};
use resilient_runtime::guard;
use resilient_testkit::{Fault, Method};

use crate::survival::{self, Project, TRIES, survives};

const COLLECTION: &str = "chunks";

async fn index_chunk(client: &Qdrant, id: u64, vector: Vec<f32>, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("chunk {id} is empty"));
    }
    let points = vec![PointStruct::new(id, vector, [("text", text.into())])];
    let upsert = UpsertPointsBuilder::new(COLLECTION, points).wait(true);
    guard!(retry = "auto", breaker = "chunks"; client.upsert_points(upsert.clone()))
        .await
        .map_err(|e| format!("Failed to index chunk {id}: {e}"))?;
    Ok(())
}

async fn search_chunks(client: &Qdrant, vector: Vec<f32>, top: u64) -> Result<Vec<f32>, String> {
    let search = SearchPointsBuilder::new(COLLECTION, vector, top);
    let response = guard!(retry = "auto", breaker = "chunks"; client.search_points(search.clone()))
        .await
        .map_err(|e| format!("Qdrant search failed: {e}"))?;
    Ok(response.result.iter().map(|hit| hit.score).collect())
}

async fn chunk_count(client: &Qdrant) -> Result<u64, String> {
    let count = CountPointsBuilder::new(COLLECTION).exact(true);
    match guard!(retry = "auto", breaker = "chunks"; client.count(count.clone())).await {
        Ok(response) => Ok(response.result.map_or(0, |result| result.count)),
        Err(e) => Err(format!("Qdrant count failed: {e}")),
    }
}

/// The client that the functions take.
struct Chunks(Qdrant);

impl Project for Chunks {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "chunks";
    const FINDS_BY: Method = Method::SEARCH;

    fn new(client: Qdrant) -> Self {
        Self(client)
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        index_chunk(&self.0, number, vec![1.0, 0.0], "a text").await
    }

    async fn find(&self) -> Result<u64, String> {
        Ok(search_chunks(&self.0, vec![1.0, 0.0], 10).await?.len() as u64)
    }
}

survives!(Chunks);

#[tokio::test]
async fn a_call_in_a_match_is_retried() {
    let _turn = TURN.lock().await;
    let (server, Chunks(client)) = survival::start::<Chunks>().await;
    server.script(Fault::unavailable().on(Method::COUNT).times(TRIES));
    assert_eq!(chunk_count(&client).await, Ok(0));
    assert_eq!(server.requests(Method::COUNT), TRIES + 1);

    server.script(Fault::unavailable().on(Method::COUNT));
    let error = chunk_count(&client).await.unwrap_err();
    assert!(error.starts_with("Qdrant count failed: "), "{error}");
    assert_eq!(server.requests(Method::COUNT), TRIES + 1 + 3 * TRIES);
}

#[tokio::test]
async fn the_text_of_a_rejection_names_the_breaker() {
    let _turn = TURN.lock().await;
    let (server, Chunks(client)) = survival::start::<Chunks>().await;
    survival::breaker_of::<Chunks>().force_open();
    let error = index_chunk(&client, 7, vec![1.0, 0.0], "a text").await.unwrap_err();
    assert!(error.starts_with("Failed to index chunk 7: "), "{error}");
    assert!(error.contains("circuit breaker `chunks` is forced open"), "{error}");
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_mistake_of_the_caller_sends_nothing_and_is_no_failure_of_the_server() {
    let _turn = TURN.lock().await;
    let (server, Chunks(client)) = survival::start::<Chunks>().await;
    for id in 0..10 {
        let error = index_chunk(&client, id, vec![1.0, 0.0], " ").await.unwrap_err();
        assert_eq!(error, format!("chunk {id} is empty"));
    }
    assert_eq!(server.total_requests(), 0);
    assert_eq!(survival::breaker_of::<Chunks>().stats().failure_count, 0);
}
