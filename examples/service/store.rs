//! The storage layer: every call to Qdrant, with its policy beside it.

use std::time::Duration;

use qdrant_client::qdrant::{
    CollectionInfo, Condition, CountPointsBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, DeletePayloadPointsBuilder, DeletePointsBuilder, Distance,
    FieldType, Filter, GetPointsBuilder, PointId, PointStruct, PointsIdsList, QueryPointsBuilder,
    RetrievedPoint, ScoredPoint, ScrollPointsBuilder, SetPayloadPointsBuilder, UpsertPointsBuilder,
    VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::{policies, resilient};

policies! {
    /// The reads of one tenant: a tenant whose collection is in trouble harms no other.
    breaker "tenant/{tenant}" { failure_threshold: 5, open_duration: "10s", open_jitter: 0.1 }
    /// Every write.
    breaker "writes" { failure_threshold: 5, open_duration: "10s", open_jitter: 0.1 }
    /// Bounds the retries of the whole service.
    budget "qdrant" { capacity: 500 }
}

type Result<T> = std::result::Result<T, QdrantError>;

/// The articles of all tenants: a collection for each.
pub struct Store {
    client: Qdrant,
}

/// Reads. They name their tenant, and can be sent twice.
#[resilient(
    retry = "auto",
    budget = "qdrant",
    breaker = "tenant/{tenant}",
    attempt_timeout = "1s",
    deadline = "5s"
)]
impl Store {
    pub async fn nearest(&self, tenant: &str, vector: &[f32]) -> Result<Vec<ScoredPoint>> {
        let query = QueryPointsBuilder::new(tenant).query(vector.to_vec()).with_payload(true);
        Ok(self.client.query(query.limit(10)).await?.result)
    }

    pub async fn similar(&self, tenant: &str, id: u64) -> Result<Vec<ScoredPoint>> {
        let query = QueryPointsBuilder::new(tenant).query(PointId::from(id)).limit(10);
        Ok(self.client.query(query).await?.result)
    }

    pub async fn get(&self, tenant: &str, id: u64) -> Result<Option<RetrievedPoint>> {
        let get = GetPointsBuilder::new(tenant, vec![PointId::from(id)]).with_payload(true);
        Ok(self.client.get_points(get).await?.result.pop())
    }

    pub async fn by_author(&self, tenant: &str, author: &str) -> Result<Vec<RetrievedPoint>> {
        let scroll = ScrollPointsBuilder::new(tenant).filter(of_author(author)).limit(100);
        Ok(self.client.scroll(scroll).await?.result)
    }

    pub async fn count(&self, tenant: &str) -> Result<u64> {
        let count = self.client.count(CountPointsBuilder::new(tenant).exact(true)).await?;
        Ok(count.result.unwrap_or_default().count)
    }

    pub async fn exists(&self, tenant: &str) -> Result<bool> {
        self.client.collection_exists(tenant).await
    }

    pub async fn info(&self, tenant: &str) -> Result<Option<CollectionInfo>> {
        Ok(self.client.collection_info(tenant).await?.result)
    }
}

/// Writes. They share a breaker.
#[resilient(
    retry = "auto",
    budget = "qdrant",
    breaker = "writes",
    attempt_timeout = "2s",
    deadline = "8s"
)]
impl Store {
    pub async fn put(&self, tenant: &str, article: PointStruct) -> Result<()> {
        let upsert = UpsertPointsBuilder::new(tenant, vec![article]).wait(true);
        self.client.upsert_points(upsert).await?;
        Ok(())
    }

    pub async fn delete(&self, tenant: &str, id: u64) -> Result<()> {
        let delete = DeletePointsBuilder::new(tenant).points(only(id)).wait(true);
        self.client.delete_points(delete).await?;
        Ok(())
    }

    // A filter may match other articles the second time.
    #[resilient(idempotent = false)]
    pub async fn delete_of(&self, tenant: &str, author: &str) -> Result<()> {
        let delete = DeletePointsBuilder::new(tenant).points(of_author(author)).wait(true);
        self.client.delete_points(delete).await?;
        Ok(())
    }

    pub async fn set_author(&self, tenant: &str, id: u64, author: &str) -> Result<()> {
        let mut payload = Payload::new();
        payload.insert("author", author);
        let set = SetPayloadPointsBuilder::new(tenant, payload).points_selector(only(id));
        self.client.set_payload(set.wait(true)).await?;
        Ok(())
    }

    pub async fn clear_author(&self, tenant: &str, id: u64) -> Result<()> {
        let delete = DeletePayloadPointsBuilder::new(tenant, vec!["author".to_owned()]);
        self.client.delete_payload(delete.points_selector(only(id)).wait(true)).await?;
        Ok(())
    }

    pub async fn create(&self, tenant: &str, dimensions: u64) -> Result<()> {
        let vectors = VectorParamsBuilder::new(dimensions, Distance::Cosine);
        let create = CreateCollectionBuilder::new(tenant).vectors_config(vectors);
        self.client.create_collection(create).await?;
        Ok(())
    }

    pub async fn index_authors(&self, tenant: &str) -> Result<()> {
        let index = CreateFieldIndexCollectionBuilder::new(tenant, "author", FieldType::Keyword);
        self.client.create_field_index(index.wait(true)).await?;
        Ok(())
    }

    pub async fn remove(&self, tenant: &str) -> Result<()> {
        self.client.delete_collection(tenant).await?;
        Ok(())
    }
}

impl Store {
    pub fn connect(url: &str, api_key: Option<String>) -> Result<Self> {
        // Below half of the attempt timeouts: the client replaces a dead connection only when its
        // own timeout ends a call.
        let timeout = Duration::from_millis(450);
        let client = Qdrant::from_url(url)
            .api_key(api_key)
            .connect_timeout(timeout)
            .timeout(timeout)
            .skip_compatibility_check()
            .build()?;
        Ok(Self { client })
    }
}

fn of_author(author: &str) -> Filter {
    Filter::must([Condition::matches("author", author.to_owned())])
}

fn only(id: u64) -> PointsIdsList {
    PointsIdsList { ids: vec![id.into()] }
}
