//! A function that pays for an embedding, makes up an id and stores both. `guard!` goes around the
//! request alone: the embedding is paid once, and each attempt writes the same point.
//!
//! Lines changed: 7 added, 3 removed.

use std::sync::atomic::{AtomicU64, Ordering};

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    GetPointsBuilder, PointStruct, QueryPointsBuilder, UpsertPointsBuilder,
};
use resilient_runtime::guard;
use resilient_testkit::{Fault, Method};
use tonic::Status;

use crate::survival::{self, Project, TRIES, survives};

const COLLECTION: &str = "notes";

#[derive(Debug, thiserror::Error)]
enum IngestError {
    #[error("embedding failed: {0}")]
    Embed(String),
    #[error("storing failed: {0}")]
    Store(String),
}

/// A model that is paid for each call.
#[derive(Default)]
struct Embedder {
    calls: AtomicU64,
}

impl Embedder {
    async fn embed(&self, text: &str) -> Result<Vec<f32>, IngestError> {
        tokio::task::yield_now().await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let length = u16::try_from(text.len()).map_err(|e| IngestError::Embed(e.to_string()))?;
        Ok(vec![1.0, f32::from(length)])
    }
}

struct Notes {
    client: Qdrant,
    embedder: Embedder,
}

impl Notes {
    /// Returns the id, which is made up here.
    async fn ingest(&self, text: &str) -> Result<u64, IngestError> {
        let vector = self.embedder.embed(text).await?;
        let id = rand::random();
        let point = PointStruct::new(id, vector, [("text", text.into())]);
        let upsert = UpsertPointsBuilder::new(COLLECTION, vec![point]).wait(true);
        guard!(retry = "auto", breaker = "notes"; self.client.upsert_points(upsert.clone()))
            .await
            .map_err(|e| IngestError::Store(e.to_string()))?;
        Ok(id)
    }

    async fn similar(&self, text: &str) -> Result<usize, IngestError> {
        let vector = self.embedder.embed(text).await?;
        let query = QueryPointsBuilder::new(COLLECTION).query(vector).limit(10);
        let found = guard!(retry = "auto", breaker = "notes"; self.client.query(query.clone()))
            .await
            .map_err(|e| IngestError::Store(e.to_string()))?;
        Ok(found.result.len())
    }
}

impl Notes {
    fn embedded(&self) -> u64 {
        self.embedder.calls.load(Ordering::Relaxed)
    }
}

impl Project for Notes {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "notes";
    const FINDS_BY: Method = Method::QUERY;

    fn new(client: Qdrant) -> Self {
        Self { client, embedder: Embedder::default() }
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        let text = format!("note {number}");
        self.ingest(&text).await.map(drop).map_err(|error| error.to_string())
    }

    async fn find(&self) -> Result<u64, String> {
        match self.similar("note").await {
            Ok(found) => Ok(found as u64),
            Err(error) => Err(error.to_string()),
        }
    }
}

survives!(Notes);

#[tokio::test]
async fn each_attempt_writes_the_same_id_and_the_embedding_is_paid_once() {
    let _turn = TURN.lock().await;
    let (server, notes) = survival::start::<Notes>().await;
    // Each attempt is executed, and the caller does not learn of it.
    let lost = Status::unavailable("the answer is lost");
    server.script(Fault::status_after_execution(lost).on(Method::UPSERT).times(2 * TRIES));
    let id = notes.ingest("a note").await.unwrap();
    assert_eq!(server.requests(Method::UPSERT), 2 * TRIES + 1);
    assert_eq!(notes.embedded(), 1);
    assert_eq!(survival::stored::<Notes>(&server).await, 1);
    let get = GetPointsBuilder::new(COLLECTION, vec![id.into()]);
    assert_eq!(server.client().get_points(get).await.unwrap().result.len(), 1);
}

#[tokio::test]
async fn a_text_that_cannot_be_embedded_sends_nothing() {
    let _turn = TURN.lock().await;
    let (server, notes) = survival::start::<Notes>().await;
    let error = notes.ingest(&"x".repeat(70_000)).await.unwrap_err();
    assert!(matches!(error, IngestError::Embed(_)), "{error}");
    assert_eq!(server.total_requests(), 0);
}
