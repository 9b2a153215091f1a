//! What the tests share: the two sorts of calls, and what is seen of one that fails.

use std::time::Duration;

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointStruct, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::{Classify, ErrorKind};
use resilient_testkit::{EmbeddedQdrant, Fault};

pub(crate) const DOCS: &str = "docs";

/// Long enough for a loopback connection on a slow machine, and short enough to wait for.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

/// A call, by what the client does where it fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// Of the collections service. It is sent once.
    List,
    /// Of the points service. It is sent once more, by the client itself, where the answer is
    /// `Internal`, `Unavailable`, `Cancelled` or `Unknown`.
    Upsert,
}

impl Call {
    pub(crate) const BOTH: [Self; 2] = [Self::List, Self::Upsert];

    pub(crate) async fn send(self, client: &Qdrant) -> Result<(), QdrantError> {
        match self {
            Self::List => client.list_collections().await.map(drop),
            Self::Upsert => {
                let point = PointStruct::new(1, vec![1.0, 0.0], Payload::new());
                let upsert = UpsertPointsBuilder::new(DOCS, vec![point]).wait(true);
                client.upsert_points(upsert).await.map(drop)
            }
        }
    }

    /// How often a call is sent whose answer makes the client try again.
    pub(crate) const fn tries(self) -> u64 {
        match self {
            Self::List => 1,
            Self::Upsert => 2,
        }
    }
}

/// What is known of a call that has failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    kind: ErrorKind,
    maybe_executed: bool,
    retry_after: Option<Duration>,
    /// How many requests reached the server.
    requests: u64,
}

impl Seen {
    pub(crate) fn of(error: &QdrantError, requests: u64) -> Self {
        Self {
            kind: error.kind(),
            maybe_executed: error.maybe_executed(),
            retry_after: error.retry_after(),
            requests,
        }
    }

    pub(crate) const fn executed_perhaps(kind: ErrorKind, requests: u64) -> Self {
        Self { kind, maybe_executed: true, retry_after: None, requests }
    }

    pub(crate) const fn not_executed(kind: ErrorKind, requests: u64) -> Self {
        Self { kind, maybe_executed: false, retry_after: None, requests }
    }

    pub(crate) const fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(Duration::from_secs(seconds)), ..self }
    }
}

/// A client with one connection, so that a test knows which it breaks.
pub(crate) fn client_of(url: &str) -> Qdrant {
    with_timeout(url, Duration::from_secs(30))
}

/// The same, which waits only so long for a connection, and for the headers of an answer.
pub(crate) fn with_timeout(url: &str, timeout: Duration) -> Qdrant {
    let mut config = Qdrant::from_url(url).timeout(timeout).connect_timeout(timeout);
    config.set_pool_size(1);
    config.skip_compatibility_check().build().unwrap()
}

/// A server with the collection `docs`, of two dimensions.
pub(crate) async fn server() -> EmbeddedQdrant {
    let server = EmbeddedQdrant::start().await.unwrap();
    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    let create = CreateCollectionBuilder::new(DOCS).vectors_config(vectors);
    server.client().create_collection(create).await.unwrap();
    server.reset_counts();
    server
}

/// What is seen of this call when every request meets the fault.
pub(crate) async fn seen(fault: Fault, call: Call) -> Seen {
    let server = server().await;
    server.script(fault);
    let error = call.send(&client_of(&server.url())).await.unwrap_err();
    Seen::of(&error, server.total_requests())
}
