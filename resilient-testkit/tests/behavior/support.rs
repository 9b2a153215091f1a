//! Helpers of the tests.

use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointId, PointStruct, UpsertPointsBuilder, Value,
    VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_testkit::EmbeddedQdrant;
use tonic::{Code, Status};

pub(crate) const DOCS: &str = "docs";

/// Starts a server with the collection `docs`: one unnamed vector of two dimensions, dot product.
pub(crate) async fn server_with_docs() -> (EmbeddedQdrant, Qdrant) {
    let server = EmbeddedQdrant::start().await.expect("a port");
    let client = server.client();
    client
        .create_collection(
            CreateCollectionBuilder::new(DOCS)
                .vectors_config(VectorParamsBuilder::new(2, Distance::Dot)),
        )
        .await
        .expect("a collection");
    (server, client)
}

/// Returns a point without payload. Its dot product with `[1.0, 0.0]` is its id.
pub(crate) fn point(id: u16) -> PointStruct {
    PointStruct::new(u64::from(id), vec![f32::from(id), 1.0], Payload::new())
}

pub(crate) fn with_payload<const N: usize>(id: u16, payload: [(&str, Value); N]) -> PointStruct {
    PointStruct {
        payload: payload.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        ..point(id)
    }
}

pub(crate) fn upsert(points: Vec<PointStruct>) -> UpsertPointsBuilder {
    UpsertPointsBuilder::new(DOCS, points).wait(true)
}

pub(crate) fn number(id: Option<PointId>) -> u64 {
    match id.and_then(|id| id.point_id_options) {
        Some(PointIdOptions::Num(number)) => number,
        other => panic!("no number: {other:?}"),
    }
}

/// Returns the status of an error, for both variants that hold one.
pub(crate) fn status(error: &QdrantError) -> &Status {
    match error {
        QdrantError::ResponseError { status }
        | QdrantError::ResourceExhaustedError { status, .. } => status,
        other => panic!("no status: {other:?}"),
    }
}

pub(crate) fn assert_status<T: std::fmt::Debug>(
    result: Result<T, QdrantError>,
    code: Code,
    message: &str,
) {
    let error = result.expect_err("an error");
    let status = status(&error);
    assert_eq!((status.code(), status.message()), (code, message));
}
