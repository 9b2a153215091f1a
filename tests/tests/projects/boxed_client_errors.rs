//! Methods that return `Box<QdrantError>`. It is classified like the error inside, so that the
//! attribute goes on the `impl` block.
//!
//! Lines changed: 2 added, 0 removed.

use qdrant_client::qdrant::{
    PointId, PointStruct, ScrollPointsBuilder, SetPayloadPointsBuilder, UpsertPointsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::{Classify, ErrorKind, resilient};
use resilient_testkit::{Fault, Method};

use crate::survival::{self, Project, TRIES, survives};

const COLLECTION: &str = "images";

/// Boxed, since the error of the client is large.
type Result<T, E = Box<QdrantError>> = std::result::Result<T, E>;

struct Images {
    client: Qdrant,
}

#[resilient(retry = "auto", breaker = "images")]
impl Images {
    async fn add(&self, id: u64, vector: Vec<f32>) -> Result<()> {
        let point = PointStruct::new(id, vector, Payload::new());
        let upsert = UpsertPointsBuilder::new(COLLECTION, vec![point]).wait(true);
        self.client.upsert_points(upsert).await?;
        Ok(())
    }

    async fn label(&self, id: u64, label: &str) -> Result<()> {
        let payload = Payload::from([("label", label.into())]);
        let set = SetPayloadPointsBuilder::new(COLLECTION, payload)
            .points_selector(vec![PointId::from(id)])
            .wait(true);
        self.client.set_payload(set).await.map_err(Box::new)?;
        Ok(())
    }

    async fn list(&self) -> Result<usize> {
        let scroll = ScrollPointsBuilder::new(COLLECTION).limit(100);
        Ok(self.client.scroll(scroll).await?.result.len())
    }
}

impl Project for Images {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "images";
    const FINDS_BY: Method = Method::SCROLL;

    fn new(client: Qdrant) -> Self {
        Self { client }
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        self.add(number, vec![1.0, 0.0]).await.map_err(|error| error.to_string())
    }

    async fn find(&self) -> Result<u64, String> {
        match self.list().await {
            Ok(images) => Ok(images as u64),
            Err(error) => Err(error.to_string()),
        }
    }
}

survives!(Images);

#[tokio::test]
async fn an_error_in_a_box_is_classified_and_a_rejection_is_boxed() {
    let _turn = TURN.lock().await;
    let (server, images) = survival::start::<Images>().await;
    images.add(1, vec![1.0, 0.0]).await.unwrap();
    server.script(Fault::unavailable().on(Method::SET_PAYLOAD).times(TRIES));
    images.label(1, "a cat").await.unwrap();
    assert_eq!(server.requests(Method::SET_PAYLOAD), TRIES + 1);

    survival::breaker_of::<Images>().force_open();
    let rejected = images.label(1, "a dog").await.unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CircuitOpen);
    assert_eq!(server.requests(Method::SET_PAYLOAD), TRIES + 1);
}
