//! A store behind an `#[async_trait]`, whose errors are `anyhow` with contexts. An attribute on the
//! `impl` block guards every method: an `anyhow::Error` has the kind of the error in its chain.
//!
//! Lines changed: 2 added, 0 removed.

use anyhow::{Context, Result};
use async_trait::async_trait;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    DeletePointsBuilder, PointStruct, PointsIdsList, QueryPointsBuilder, UpsertPointsBuilder, Value,
};
use resilient_runtime::resilient;
use resilient_testkit::{Fault, Method};

use crate::survival::{self, Project, TRIES, survives};

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

impl Project for QdrantArticles {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "articles";
    const FINDS_BY: Method = Method::QUERY;

    fn new(client: Qdrant) -> Self {
        Self { client }
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        let title = format!("article {number}");
        let article = Article { id: number, title, embedding: vec![1.0, 0.0] };
        self.save(article).await.map_err(|error| format!("{error:#}"))
    }

    async fn find(&self) -> Result<u64, String> {
        match self.similar(&[1.0, 0.0], 10).await {
            Ok(titles) => Ok(titles.len() as u64),
            Err(error) => Err(format!("{error:#}")),
        }
    }
}

survives!(QdrantArticles);

#[tokio::test]
async fn calls_through_the_trait_are_guarded_and_keep_their_contexts() {
    let _turn = TURN.lock().await;
    let (server, articles) = survival::start::<QdrantArticles>().await;
    articles.store(1).await.unwrap();
    let articles: &dyn ArticleStore = &articles;

    server.script(Fault::unavailable().on(Method::DELETE).times(TRIES));
    articles.remove(&[1]).await.unwrap();
    assert_eq!(server.requests(Method::DELETE), TRIES + 1);
    assert_eq!(survival::stored::<QdrantArticles>(&server).await, 0);

    let outage = server.script(Fault::unavailable().on(Method::DELETE));
    let error = articles.remove(&[1]).await.unwrap_err();
    assert_eq!(error.to_string(), "removing articles");
    assert_eq!(outage.hits(), 3 * TRIES);
}
