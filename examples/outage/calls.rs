//! The two calls that the service makes: with a policy beside them, and without.

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    PointStruct, PointsOperationResponse, SearchPointsBuilder, SearchResponse, UpsertPointsBuilder,
};

type Result<T> = std::result::Result<T, qdrant_client::QdrantError>;

/// What the attribute adds.
pub mod resilient {
    use resilient_runtime::resilient;

    use super::{PointStruct, PointsOperationResponse, Qdrant, Result, SearchResponse};

    /// A rate limit is waited out for as long as the server asks.
    #[resilient(retry = "rate_limit_error")]
    pub async fn upsert(
        client: &Qdrant,
        collection: &str,
        points: Vec<PointStruct>,
    ) -> Result<PointsOperationResponse> {
        super::plain::upsert(client, collection, points).await
    }

    /// Every attempt counts for the breaker: while the server is down, almost none is made.
    #[resilient(
        retry = "auto",
        breaker(name = "search", open_duration = "300ms", scope = "attempt")
    )]
    pub async fn search(
        client: &Qdrant,
        collection: &str,
        pixels: Vec<f32>,
    ) -> Result<SearchResponse> {
        super::plain::search(client, collection, pixels).await
    }
}

/// The same without it.
pub mod plain {
    use super::{
        PointStruct, PointsOperationResponse, Qdrant, Result, SearchPointsBuilder, SearchResponse,
        UpsertPointsBuilder,
    };

    pub async fn upsert(
        client: &Qdrant,
        collection: &str,
        points: Vec<PointStruct>,
    ) -> Result<PointsOperationResponse> {
        client.upsert_points(UpsertPointsBuilder::new(collection, points).wait(true)).await
    }

    pub async fn search(
        client: &Qdrant,
        collection: &str,
        pixels: Vec<f32>,
    ) -> Result<SearchResponse> {
        let nearest = SearchPointsBuilder::new(collection, pixels, 1).with_payload(true);
        client.search_points(nearest).await
    }
}
