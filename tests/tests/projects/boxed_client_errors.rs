use qdrant_client::qdrant::{
    PointId, PointStruct, ScrollPointsBuilder, SetPayloadPointsBuilder, UpsertPointsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::resilient;

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
