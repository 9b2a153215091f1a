use qdrant_client::qdrant::{PointId, PointStruct, ScrollPointsBuilder, UpsertPointsBuilder};
use qdrant_client::{Payload, Qdrant};
use resilient_runtime::guard;

const COLLECTION: &str = "catalog";

/// How many points one page has.
const PAGE: u32 = 10;

#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("page {page} failed: {message}")]
    Page { page: usize, message: String },
    #[error("the import failed: {0}")]
    Import(String),
}

async fn export(client: &Qdrant) -> Result<Vec<PointId>, ExportError> {
    let mut ids = Vec::new();
    let mut offset = None;
    for page in 1.. {
        let mut scroll = ScrollPointsBuilder::new(COLLECTION).limit(PAGE);
        if let Some(next) = offset {
            scroll = scroll.offset(next);
        }
        let response = guard!(retry = "auto", breaker = "catalog"; client.scroll(scroll.clone()))
            .await
            .map_err(|e| ExportError::Page { page, message: e.to_string() })?;
        ids.extend(response.result.into_iter().filter_map(|point| point.id));
        offset = response.next_page_offset;
        if offset.is_none() {
            break;
        }
    }
    Ok(ids)
}

async fn import(client: &Qdrant, ids: &[u64]) -> Result<(), ExportError> {
    let point = |&id| PointStruct::new(id, vec![1.0, 0.0], Payload::new());
    let points: Vec<_> = ids.iter().map(point).collect();
    let upsert = UpsertPointsBuilder::new(COLLECTION, points).wait(true);
    guard!(retry = "auto", breaker = "catalog"; client.upsert_points(upsert.clone()))
        .await
        .map_err(|e| ExportError::Import(e.to_string()))?;
    Ok(())
}
