use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, PointStruct, SearchPointsBuilder, UpsertPointsBuilder,
};
use resilient_runtime::guard;
use resilient_testkit::Method;

use crate::survival::{Project, survives};

const COLLECTION: &str = "chunks";

async fn index_chunk(client: &Qdrant, id: u64, vector: Vec<f32>, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("chunk {id} is empty"));
    }
    let points = vec![PointStruct::new(id, vector, [("text", text.into())])];
    let upsert = UpsertPointsBuilder::new(COLLECTION, points).wait(true);
    guard!(retry = "auto", breaker = "chunks"; client.upsert_points(upsert.clone()))
        .await
        .map_err(|e| format!("Failed to index chunk {id}: {e}"))?;
    Ok(())
}

async fn search_chunks(client: &Qdrant, vector: Vec<f32>, top: u64) -> Result<Vec<f32>, String> {
    let search = SearchPointsBuilder::new(COLLECTION, vector, top);
    let response = guard!(retry = "auto", breaker = "chunks"; client.search_points(search.clone()))
        .await
        .map_err(|e| format!("Qdrant search failed: {e}"))?;
    Ok(response.result.iter().map(|hit| hit.score).collect())
}

async fn chunk_count(client: &Qdrant) -> Result<u64, String> {
    let count = CountPointsBuilder::new(COLLECTION).exact(true);
    match guard!(retry = "auto", breaker = "chunks"; client.count(count.clone())).await {
        Ok(response) => Ok(response.result.map_or(0, |result| result.count)),
        Err(e) => Err(format!("Qdrant count failed: {e}")),
    }
}

/// The client that the functions take.
struct Chunks(Qdrant);

impl Project for Chunks {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "chunks";
    const FINDS_BY: Method = Method::SEARCH;

    fn new(client: Qdrant) -> Self {
        Self(client)
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        index_chunk(&self.0, number, vec![1.0, 0.0], "a text").await
    }

    async fn find(&self) -> Result<u64, String> {
        Ok(search_chunks(&self.0, vec![1.0, 0.0], 10).await?.len() as u64)
    }
}

survives!(Chunks);
