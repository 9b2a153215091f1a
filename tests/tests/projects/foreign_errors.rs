//! A trait and an enum of another crate, and `Box<dyn Error>`. The enum keeps the error of the client
//! as its source, so that a function can classify it. A `Box<dyn Error>` is not classified, so that
//! the request inside is guarded. A `Box<dyn Error + Send + Sync>` is, and takes the attribute.
//!
//! Lines changed: 17 added, 1 removed. Of these, 11 classify the enum.

use std::error::Error;

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, GetPointsBuilder, PointStruct, QueryPointsBuilder, UpsertPointsBuilder,
    Value,
};
use resilient_runtime::{Classification, Classify, ErrorKind, guard, resilient};
use resilient_testkit::{Fault, Method};

use self::kernel::{Memory, MemoryError};
use crate::survival::{self, Project, TRIES, survives};

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
    match error {
        MemoryError::Missing(_) => Classification::new(ErrorKind::NotFoundError),
        MemoryError::Backend(error) => Classification::of(&**error),
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

impl Project for QdrantMemory {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "memory";
    const FINDS_BY: Method = Method::QUERY;

    fn new(client: Qdrant) -> Self {
        Self { client }
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        self.remember(number, "a text", &[1.0, 0.0]).await.map_err(|error| error.to_string())
    }

    async fn find(&self) -> Result<u64, String> {
        match self.similar(vec![1.0, 0.0]).await {
            Ok(found) => Ok(found as u64),
            Err(error) => Err(error.to_string()),
        }
    }
}

survives!(QdrantMemory);

#[tokio::test]
async fn an_answer_of_the_server_is_no_failure_of_it() {
    let _turn = TURN.lock().await;
    let (server, memory) = survival::start::<QdrantMemory>().await;
    for _ in 0..10 {
        let missing = memory.recall(1).await;
        assert!(matches!(missing, Err(MemoryError::Missing(1))), "{missing:?}");
    }
    assert_eq!(server.requests(Method::GET), 10, "each call is sent once");

    memory.store(1).await.unwrap();
    server.script(Fault::unavailable().on(Method::GET).times(TRIES));
    assert_eq!(memory.recall(1).await.unwrap(), "a text");
    assert_eq!(server.requests(Method::GET), 10 + TRIES + 1);
}

#[tokio::test]
async fn an_open_breaker_is_an_error_of_the_other_crate() {
    let _turn = TURN.lock().await;
    let (server, memory) = survival::start::<QdrantMemory>().await;
    survival::breaker_of::<QdrantMemory>().force_open();
    let Err(MemoryError::Backend(error)) = memory.recall(1).await else {
        panic!("the breaker rejects the call");
    };
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_boxed_error_keeps_what_its_kind_is() {
    let _turn = TURN.lock().await;
    let (server, memory) = survival::start::<QdrantMemory>().await;
    server.script(Fault::unavailable().on(Method::COUNT).times(TRIES));
    assert_eq!(memory.total().await.unwrap(), 0);
    assert_eq!(server.requests(Method::COUNT), TRIES + 1);
}
