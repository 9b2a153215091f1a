use std::sync::atomic::{AtomicU64, Ordering};

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{PointStruct, QueryPointsBuilder, UpsertPointsBuilder};
use resilient_runtime::guard;

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
