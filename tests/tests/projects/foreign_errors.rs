use std::error::Error;

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, GetPointsBuilder, PointStruct, QueryPointsBuilder, UpsertPointsBuilder,
    Value,
};
use resilient_runtime::{Classification, Classify, ErrorKind, guard, resilient};

use self::kernel::{Memory, MemoryError};

/// Stands for another crate, which cannot be changed.
mod kernel {
    use std::error::Error;

    #[derive(Debug, thiserror::Error)]
    pub(super) enum MemoryError {
        #[error("the memory {0} is missing")]
        Missing(u64),
        #[error("the backend of the memory failed")]
        Backend(#[source] Box<dyn Error + Send + Sync>),
    }

    pub(super) trait Memory {
        async fn remember(&self, id: u64, text: &str, embedding: &[f32])
        -> Result<(), MemoryError>;
        async fn recall(&self, id: u64) -> Result<String, MemoryError>;
    }
}

const COLLECTION: &str = "memory";

struct QdrantMemory {
    client: Qdrant,
}

fn backend(error: impl Error + Send + Sync + 'static) -> MemoryError {
    MemoryError::Backend(Box::new(error))
}

fn classified(error: &MemoryError) -> Classification {
    let MemoryError::Backend(error) = error else {
        return Classification::new(ErrorKind::NotFoundError);
    };
    let classification =
        Classification::new(error.kind()).with_maybe_executed(error.maybe_executed());
    match error.retry_after() {
        Some(wait) => classification.with_retry_after(wait),
        None => classification,
    }
}

#[resilient(retry = "auto", breaker = "memory", classify = classified, reject = backend)]
impl Memory for QdrantMemory {
    async fn remember(&self, id: u64, text: &str, embedding: &[f32]) -> Result<(), MemoryError> {
        let point = PointStruct::new(id, embedding.to_vec(), [("text", text.into())]);
        let upsert = UpsertPointsBuilder::new(COLLECTION, vec![point]).wait(true);
        self.client.upsert_points(upsert).await.map_err(backend)?;
        Ok(())
    }

    async fn recall(&self, id: u64) -> Result<String, MemoryError> {
        let get = GetPointsBuilder::new(COLLECTION, vec![id.into()]).with_payload(true);
        let found = self.client.get_points(get).await.map_err(backend)?;
        let memory = found.result.first().and_then(|point| point.payload.get("text"));
        memory.and_then(Value::as_str).cloned().ok_or(MemoryError::Missing(id))
    }
}

impl QdrantMemory {
    async fn similar(&self, embedding: Vec<f32>) -> Result<usize, Box<dyn Error>> {
        let query = QueryPointsBuilder::new(COLLECTION).query(embedding).limit(10);
        let found =
            guard!(retry = "auto", breaker = "memory"; self.client.query(query.clone())).await?;
        Ok(found.result.len())
    }

    #[resilient(retry = "auto", breaker = "memory")]
    async fn total(&self) -> Result<u64, Box<dyn Error + Send + Sync>> {
        let count = self.client.count(CountPointsBuilder::new(COLLECTION).exact(true)).await?;
        Ok(count.result.ok_or("a count without a result")?.count)
    }
}
