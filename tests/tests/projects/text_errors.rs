use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, PointStruct, SearchPointsBuilder, UpsertPointsBuilder,
};
use resilient_runtime::guard;

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
