use std::future::Future;
use std::io::Read;

use qdrant_client::qdrant::{CountPointsBuilder, PointStruct, UpsertPointsBuilder};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::guard;

/// What a store keeps. It is read once, so that it cannot be cloned.
trait Document: Send {
    fn id(&self) -> u64;
    fn into_vector(self) -> Result<Vec<f32>, StoreError>;
}

trait VectorStore<D: Document> {
    fn insert(&self, document: D) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn len(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error("the document cannot be read")]
    Read(#[from] std::io::Error),
    #[error("the store failed")]
    Qdrant(#[from] QdrantError),
}

/// The bytes of an upload, one for each dimension.
struct Upload<R> {
    id: u64,
    body: R,
}

impl<R: Read + Send> Document for Upload<R> {
    fn id(&self) -> u64 {
        self.id
    }

    fn into_vector(mut self) -> Result<Vec<f32>, StoreError> {
        let mut bytes = Vec::new();
        self.body.read_to_end(&mut bytes)?;
        Ok(bytes.into_iter().map(f32::from).collect())
    }
}

struct QdrantStore {
    client: Qdrant,
    collection: String,
}

impl<D: Document> VectorStore<D> for QdrantStore {
    async fn insert(&self, document: D) -> Result<(), StoreError> {
        let id = document.id();
        let point = PointStruct::new(id, document.into_vector()?, Payload::new());
        let upsert = UpsertPointsBuilder::new(&self.collection, vec![point]).wait(true);
        guard!(retry = "auto", breaker = "store"; self.client.upsert_points(upsert.clone()))
            .await?;
        Ok(())
    }

    async fn len(&self) -> Result<u64, StoreError> {
        let count = CountPointsBuilder::new(&self.collection).exact(true);
        let counted =
            guard!(retry = "auto", breaker = "store"; self.client.count(count.clone())).await?;
        Ok(counted.result.map_or(0, |result| result.count))
    }
}
