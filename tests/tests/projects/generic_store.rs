//! A generic trait whose parameter cannot be cloned. `guard!` goes around the request, which is made
//! of it once.
//!
//! Lines changed: 5 added, 2 removed.

use std::future::Future;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use qdrant_client::qdrant::{CountPointsBuilder, PointStruct, UpsertPointsBuilder};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::guard;
use resilient_testkit::{Fault, Method};

use crate::survival::{self, Project, TRIES, survives};

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
    Read(#[from] io::Error),
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

impl Project for QdrantStore {
    const COLLECTION: &str = "uploads";
    const BREAKER: &str = "store";
    const FINDS_BY: Method = Method::COUNT;

    fn new(client: Qdrant) -> Self {
        Self { client, collection: Self::COLLECTION.to_owned() }
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        let upload = Upload { id: number, body: [1, 0].as_slice() };
        self.insert(upload).await.map_err(|error| format!("{error:?}"))
    }

    async fn find(&self) -> Result<u64, String> {
        count_of::<Upload<&[u8]>>(self).await.map_err(|error| format!("{error:?}"))
    }
}

/// Code that knows only the trait.
async fn count_of<D: Document>(store: &impl VectorStore<D>) -> Result<u64, StoreError> {
    store.len().await
}

survives!(QdrantStore);

#[tokio::test]
async fn a_document_that_cannot_be_cloned_is_read_once() {
    /// Counts how often it is read to its end.
    struct Body<'a> {
        bytes: &'a [u8],
        ends: &'a AtomicU64,
    }

    impl Read for Body<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.bytes.read(buffer)?;
            if read == 0 {
                self.ends.fetch_add(1, Ordering::Relaxed);
            }
            Ok(read)
        }
    }

    let _turn = TURN.lock().await;
    let (server, store) = survival::start::<QdrantStore>().await;
    server.script(Fault::unavailable().on(Method::UPSERT).times(TRIES));
    let ends = AtomicU64::new(0);
    let body = Body { bytes: &[1, 0], ends: &ends };
    store.insert(Upload { id: 1, body }).await.unwrap();
    assert_eq!(ends.into_inner(), 1);
    assert_eq!(server.requests(Method::UPSERT), TRIES + 1);
    assert_eq!(survival::stored::<QdrantStore>(&server).await, 1);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_sends_nothing_and_is_no_failure_of_the_server() {
    /// Fails at once.
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    let _turn = TURN.lock().await;
    let (server, store) = survival::start::<QdrantStore>().await;
    for id in 0..10 {
        let error = store.insert(Upload { id, body: Broken }).await.unwrap_err();
        assert!(matches!(error, StoreError::Read(_)), "{error:?}");
    }
    assert_eq!(server.total_requests(), 0);
    assert_eq!(survival::breaker_of::<QdrantStore>().stats().failure_count, 0);
}
