use qdrant_client::qdrant::points_update_operation::{
    ClearPayload, DeletePayload, DeletePoints, DeleteVectors, Operation, OverwritePayload,
    PointStructList, SetPayload, UpdateVectors,
};
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointVectors, PointsSelector, PointsUpdateOperation,
    ScrollPointsBuilder, StrictModeConfigBuilder, UpdateBatchPointsBuilder, UpdateStatus,
    VectorParamsBuilder, VectorsSelector, points_selector::PointsSelectorOneOf,
};
use qdrant_client::{Qdrant, QdrantError};
use resilient_testkit::{EmbeddedQdrant, Method};
use tonic::Code;

use crate::support::{
    DOCS, assert_status, number, point, server_with_docs, status, upsert, with_payload,
};

fn batch(operations: impl IntoIterator<Item = Operation>) -> UpdateBatchPointsBuilder {
    let operations = operations.into_iter();
    let operations: Vec<_> =
        operations.map(|operation| PointsUpdateOperation { operation: Some(operation) }).collect();
    UpdateBatchPointsBuilder::new(DOCS, operations).wait(true)
}

fn ids(ids: impl IntoIterator<Item = u64>) -> PointsSelector {
    let ids = ids.into_iter().map(Into::into).collect();
    let list = qdrant_client::qdrant::PointsIdsList { ids };
    PointsSelector { points_selector_one_of: Some(PointsSelectorOneOf::Points(list)) }
}

fn upserted(ids: impl IntoIterator<Item = u16>) -> Operation {
    let points = ids.into_iter().map(point).collect();
    Operation::Upsert(PointStructList { points, ..PointStructList::default() })
}

async fn stored(client: &Qdrant) -> Vec<(u64, Vec<String>)> {
    let points = client.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap().result;
    let stored = points.into_iter().map(|point| {
        let mut keys: Vec<_> = point.payload.into_keys().collect();
        keys.sort();
        (number(point.id), keys)
    });
    stored.collect()
}

#[tokio::test]
async fn the_writes_of_a_batch_are_made_in_their_order() {
    let (_server, client) = server_with_docs().await;
    let ab = [("a", 1.into()), ("b", 1.into())];
    client.upsert_points(upsert(vec![with_payload(9, ab)])).await.unwrap();
    let c = || [("c".to_owned(), 1.into())].into();
    let vectors = PointVectors { id: Some(4.into()), vectors: Some(vec![7.0, 1.0].into()) };
    let response = client
        .update_points_batch(batch([
            upserted(1..=5),
            Operation::DeletePoints(DeletePoints {
                points: Some(ids([1])),
                ..DeletePoints::default()
            }),
            Operation::SetPayload(SetPayload {
                payload: c(),
                points_selector: Some(ids([2, 3, 9])),
                ..SetPayload::default()
            }),
            Operation::DeletePayload(DeletePayload {
                keys: vec!["a".into()],
                points_selector: Some(ids([9])),
                ..DeletePayload::default()
            }),
            Operation::OverwritePayload(OverwritePayload {
                payload: [("d".to_owned(), 1.into())].into(),
                points_selector: Some(ids([3])),
                ..OverwritePayload::default()
            }),
            Operation::ClearPayload(ClearPayload {
                points: Some(ids([2])),
                ..ClearPayload::default()
            }),
            Operation::UpdateVectors(UpdateVectors {
                points: vec![vectors],
                ..UpdateVectors::default()
            }),
            Operation::DeleteVectors(DeleteVectors {
                points_selector: Some(ids([5])),
                vectors: Some(VectorsSelector { names: vec![String::new()] }),
                ..DeleteVectors::default()
            }),
        ]))
        .await
        .unwrap();
    let operations: Vec<_> = response.result.iter().map(|result| result.operation_id).collect();
    assert_eq!(operations, (1..=8).map(Some).collect::<Vec<_>>());
    assert!(response.result.iter().all(|result| result.status() == UpdateStatus::Completed));
    let keys = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        stored(&client).await,
        [(2, keys(&[])), (3, keys(&["d"])), (4, keys(&[])), (5, keys(&[])), (9, keys(&["b", "c"]))]
    );
}

#[tokio::test]
async fn what_comes_before_a_refused_write_of_a_batch_stays() {
    let (_server, client) = server_with_docs().await;
    let wrong = PointVectors { id: Some(1.into()), vectors: Some(vec![1.0].into()) };
    let wrong = UpdateVectors { points: vec![wrong], ..UpdateVectors::default() };
    let writes = [upserted([1]), Operation::UpdateVectors(wrong), upserted([2])];
    assert_status(
        client.update_points_batch(batch(writes)).await,
        Code::InvalidArgument,
        "Wrong input: Vector dimension error: expected dim: 2, got 1",
    );
    assert_eq!(stored(&client).await, [(1, vec![])]);
}

#[tokio::test]
async fn each_write_of_a_batch_is_charged_by_itself() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let limit = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(4);
    let create = CreateCollectionBuilder::new(DOCS)
        .vectors_config(VectorParamsBuilder::new(2, Distance::Dot))
        .strict_mode_config(limit);
    client.create_collection(create).await.unwrap();
    // The first write is charged twice, which leaves two tokens for the second.
    let error = client
        .update_points_batch(batch([upserted([1]), upserted([2, 3, 4])]))
        .await
        .expect_err("an empty bucket");
    assert!(matches!(error, QdrantError::ResourceExhaustedError { .. }), "{error:?}");
    assert!(status(&error).message().contains("requires 3 tokens but only 2."), "{error}");
    assert_eq!(server.requests(Method::UPDATE_BATCH), 1);
    assert_eq!(stored(&client).await, [(1, vec![])]);
}

#[tokio::test]
async fn a_batch_without_writes_is_refused() {
    let (_server, client) = server_with_docs().await;
    assert_status(
        client.update_points_batch(batch([])).await,
        Code::InvalidArgument,
        "Validation error in body: [operations: value [] invalid, must be at least 1 characters]",
    );
    let empty = vec![PointsUpdateOperation { operation: None }];
    assert_status(
        client.update_points_batch(UpdateBatchPointsBuilder::new(DOCS, empty)).await,
        Code::InvalidArgument,
        "Operation is missing",
    );
}
