//! An export that pages through a collection. `guard!` goes around the request for one page, so that
//! a retry asks for this page again, and not for the first.
//!
//! Lines changed: 5 added, 3 removed.

use std::sync::Arc;
use std::time::Duration;

use qdrant_client::qdrant::{PointId, PointStruct, ScrollPointsBuilder, UpsertPointsBuilder};
use qdrant_client::{Payload, Qdrant};
use resilient_runtime::guard;
use resilient_testkit::{EmbeddedQdrant, Fault, Method};

use crate::survival::{self, Project, TRIES, survives};

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

/// The client that the functions take.
struct Catalog(Qdrant);

impl Project for Catalog {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "catalog";
    const FINDS_BY: Method = Method::SCROLL;

    fn new(client: Qdrant) -> Self {
        Self(client)
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        import(&self.0, &[number]).await.map_err(|error| error.to_string())
    }

    async fn find(&self) -> Result<u64, String> {
        match export(&self.0).await {
            Ok(ids) => Ok(ids.len() as u64),
            Err(error) => Err(error.to_string()),
        }
    }
}

survives!(Catalog);

/// A server with this many pages.
async fn pages(pages: u64) -> (Arc<EmbeddedQdrant>, Catalog) {
    let (server, catalog) = survival::start::<Catalog>().await;
    let ids: Vec<_> = (1..=pages * u64::from(PAGE)).collect();
    import(&catalog.0, &ids).await.unwrap();
    (server, catalog)
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again_and_no_other() {
    let _turn = TURN.lock().await;
    let (server, catalog) = pages(4).await;
    // The second fault does not count the request that the first has answered.
    for _ in 0..TRIES {
        server.script(Fault::unavailable().on(Method::SCROLL).every(3).times(1));
    }
    let ids = export(&catalog.0).await.unwrap();
    let expected: Vec<PointId> = (1..=40).map(PointId::from).collect();
    assert_eq!(ids, expected);
    assert_eq!(server.requests(Method::SCROLL), 4 + TRIES);
}

#[tokio::test]
async fn most_pages_fail_once_and_every_point_is_exported_once() {
    let _turn = TURN.lock().await;
    let (server, catalog) = pages(4).await;
    // The client does not repeat this by itself.
    let limit = Fault::rate_limited(Duration::ZERO).on(Method::SCROLL).every(2);
    let limited = server.script(limit);
    let ids = export(&catalog.0).await.unwrap();
    let expected: Vec<PointId> = (1..=40).map(PointId::from).collect();
    assert_eq!(ids, expected);
    assert_eq!((limited.hits(), server.requests(Method::SCROLL)), (3, 4 + 3));
}

#[tokio::test]
async fn a_page_that_keeps_failing_ends_the_export() {
    let _turn = TURN.lock().await;
    let (server, catalog) = pages(2).await;
    server.script(Fault::unavailable().on(Method::SCROLL));
    let error = export(&catalog.0).await.unwrap_err();
    assert!(matches!(error, ExportError::Page { page: 1, .. }), "{error}");
    assert_eq!(server.requests(Method::SCROLL), 3 * TRIES);
}
