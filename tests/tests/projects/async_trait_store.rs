use anyhow::{Context, Result};
use async_trait::async_trait;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    DeletePointsBuilder, PointStruct, PointsIdsList, QueryPointsBuilder, UpsertPointsBuilder, Value,
};
use resilient_runtime::resilient;

const COLLECTION: &str = "articles";

#[derive(Clone)]
struct Article {
    id: u64,
    title: String,
    embedding: Vec<f32>,
}

#[async_trait]
trait ArticleStore: Send + Sync {
    async fn save(&self, article: Article) -> Result<()>;
    async fn similar(&self, embedding: &[f32], limit: u64) -> Result<Vec<String>>;
    async fn remove(&self, ids: &[u64]) -> Result<()>;
}

struct QdrantArticles {
    client: Qdrant,
}

#[resilient(retry = "auto", breaker = "articles")]
#[async_trait]
impl ArticleStore for QdrantArticles {
    async fn save(&self, Article { id, title, embedding }: Article) -> Result<()> {
        let point = PointStruct::new(id, embedding, [("title", title.into())]);
        let upsert = UpsertPointsBuilder::new(COLLECTION, vec![point]).wait(true);
        self.client.upsert_points(upsert).await.context("saving an article")?;
        Ok(())
    }

    async fn similar(&self, embedding: &[f32], limit: u64) -> Result<Vec<String>> {
        let query = QueryPointsBuilder::new(COLLECTION)
            .query(embedding.to_vec())
            .limit(limit)
            .with_payload(true);
        let found = self.client.query(query).await.context("searching for articles")?;
        found
            .result
            .iter()
            .map(|point| point.payload.get("title").and_then(Value::as_str).cloned())
            .collect::<Option<_>>()
            .context("an article has no title")
    }

    async fn remove(&self, ids: &[u64]) -> Result<()> {
        let ids = PointsIdsList { ids: ids.iter().map(|&id| id.into()).collect() };
        let delete = DeletePointsBuilder::new(COLLECTION).points(ids).wait(true);
        self.client.delete_points(delete).await.context("removing articles")?;
        Ok(())
    }
}
