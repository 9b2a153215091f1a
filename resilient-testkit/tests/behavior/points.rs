use qdrant_client::Payload;
use qdrant_client::qdrant::vectors_output::VectorsOptions;
use qdrant_client::qdrant::{
    ClearPayloadPointsBuilder, Condition, CountPointsBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, DeletePayloadPointsBuilder, DeletePointVectorsBuilder,
    DeletePointsBuilder, Distance, FieldType, Filter, GetPointsBuilder, NamedVectors,
    PayloadIncludeSelector, PointId, PointStruct, PointVectors, PointsIdsList, RetrievedPoint,
    ScrollPointsBuilder, SetPayloadPointsBuilder, UpdatePointVectorsBuilder, UpdateStatus,
    UpsertPointsBuilder, VectorParamsBuilder, VectorsConfigBuilder, VectorsSelector, vector_output,
};
use qdrant_client::{Qdrant, qdrant};
use resilient_testkit::EmbeddedQdrant;

use crate::support::{DOCS, number, point, server_with_docs, upsert, with_payload};

async fn get(client: &Qdrant, id: u64) -> Option<RetrievedPoint> {
    client
        .get_points(
            GetPointsBuilder::new(DOCS, vec![id.into()]).with_payload(true).with_vectors(true),
        )
        .await
        .unwrap()
        .result
        .pop()
}

fn dense(output: &qdrant::VectorsOutput, name: &str) -> Option<Vec<f32>> {
    match output.get_vector_by_name(name) {
        Some(vector_output::Vector::Dense(dense)) => Some(dense.data),
        _ => None,
    }
}

fn ids(ids: impl IntoIterator<Item = u64>) -> PointsIdsList {
    PointsIdsList { ids: ids.into_iter().map(PointId::from).collect() }
}

fn payload(entries: impl IntoIterator<Item = (&'static str, qdrant::Value)>) -> Payload {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<std::collections::HashMap<_, _>>()
        .into()
}

#[tokio::test]
async fn a_point_comes_back_as_it_was_stored() {
    let (_server, client) = server_with_docs().await;
    let nested = qdrant::Value::from(vec![qdrant::Value::from(1), qdrant::Value::from(2.5)]);
    client
        .upsert_points(upsert(vec![with_payload(
            7,
            [("city", "Oslo".into()), ("open", true.into()), ("values", nested.clone())],
        )]))
        .await
        .unwrap();
    let point = get(&client, 7).await.unwrap();
    assert_eq!(point.payload["city"], "Oslo".into());
    assert_eq!(point.payload["open"], true.into());
    assert_eq!(point.payload["values"], nested);
    assert_eq!(dense(&point.vectors.unwrap(), ""), Some(vec![7.0, 1.0]));
}

#[tokio::test]
async fn an_upsert_replaces_the_whole_point() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![with_payload(1, [("old", true.into())])])).await.unwrap();
    client.upsert_points(upsert(vec![with_payload(1, [("new", true.into())])])).await.unwrap();
    let point = get(&client, 1).await.unwrap();
    assert_eq!(point.payload.keys().collect::<Vec<_>>(), ["new"]);
}

#[tokio::test]
async fn wait_decides_on_the_status_and_not_on_the_effect() {
    let (_server, client) = server_with_docs().await;
    let waited = client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    let result = waited.result.unwrap();
    assert_eq!(result.status(), UpdateStatus::Completed);
    assert_eq!(result.operation_id, Some(0));
    let acknowledged =
        client.upsert_points(UpsertPointsBuilder::new(DOCS, vec![point(2)])).await.unwrap();
    let result = acknowledged.result.unwrap();
    assert_eq!(result.status(), UpdateStatus::Acknowledged);
    assert_eq!(result.operation_id, Some(1));
    assert!(get(&client, 2).await.is_some());
}

#[tokio::test]
async fn ids_may_be_uuids() {
    let (_server, client) = server_with_docs().await;
    let uuid = "936da01f-9abd-4d9d-80c7-02af85c822a8";
    client
        .upsert_points(upsert(vec![PointStruct::new(uuid, vec![0.0, 1.0], Payload::new())]))
        .await
        .unwrap();
    let found = client
        .get_points(GetPointsBuilder::new(DOCS, vec![uuid.to_uppercase().into()]))
        .await
        .unwrap();
    assert_eq!(found.result[0].id, Some(uuid.into()));
}

#[tokio::test]
async fn get_returns_each_point_once_in_the_order_of_the_request() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(1), point(2), point(3)])).await.unwrap();
    let found = client
        .get_points(GetPointsBuilder::new(DOCS, [3, 9, 1, 3, 5].map(PointId::from).to_vec()))
        .await
        .unwrap()
        .result;
    let found: Vec<_> = found.into_iter().map(|point| number(point.id)).collect();
    assert_eq!(found, [3, 1]);
}

#[tokio::test]
async fn points_are_deleted_by_id_and_by_filter() {
    let (_server, client) = server_with_docs().await;
    client
        .upsert_points(upsert(vec![
            point(1),
            with_payload(2, [("old", true.into())]),
            with_payload(3, [("old", true.into())]),
            point(4),
        ]))
        .await
        .unwrap();
    let by_id = DeletePointsBuilder::new(DOCS).points(ids([1, 99])).wait(true);
    client.delete_points(by_id).await.unwrap();
    let by_filter = DeletePointsBuilder::new(DOCS)
        .points(Filter::must([Condition::matches("old", true)]))
        .wait(true);
    client.delete_points(by_filter).await.unwrap();
    let left = client.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap();
    let left: Vec<_> = left.result.into_iter().map(|p| number(p.id)).collect();
    assert_eq!(left, [4]);
}

#[tokio::test]
async fn a_scroll_goes_page_by_page_in_the_order_of_ids() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert([5, 3, 1, 4, 2].map(point).to_vec())).await.unwrap();
    let mut pages = Vec::new();
    let mut offset: Option<PointId> = None;
    loop {
        let mut scroll = ScrollPointsBuilder::new(DOCS).limit(2);
        if let Some(offset) = offset {
            scroll = scroll.offset(offset);
        }
        let page = client.scroll(scroll).await.unwrap();
        pages.push(page.result.into_iter().map(|p| number(p.id)).collect::<Vec<_>>());
        offset = page.next_page_offset;
        if offset.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn a_scroll_returns_ten_points_with_payload_unless_told_otherwise() {
    let (_server, client) = server_with_docs().await;
    let points = (1..=12).map(|id| with_payload(id, [("n", i64::from(id).into())]));
    client.upsert_points(upsert(points.collect())).await.unwrap();
    let page = client.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap();
    assert_eq!(page.result.len(), 10);
    assert_eq!(page.result[0].payload["n"], 1.into());
    assert_eq!(page.result[0].vectors, None);
}

#[tokio::test]
async fn a_count_may_be_filtered() {
    let (_server, client) = server_with_docs().await;
    client
        .upsert_points(upsert(vec![
            with_payload(1, [("a", 1.into())]),
            with_payload(2, [("a", 2.into())]),
        ]))
        .await
        .unwrap();
    let count = async |request: CountPointsBuilder| {
        client.count(request).await.unwrap().result.unwrap().count
    };
    assert_eq!(count(CountPointsBuilder::new(DOCS)).await, 2);
    let filtered = CountPointsBuilder::new(DOCS)
        .filter(Filter::must([Condition::matches("a", 2)]))
        .exact(true);
    assert_eq!(count(filtered).await, 1);
}

#[tokio::test]
async fn a_count_that_need_not_be_exact_is_an_estimate() {
    let (_server, client) = server_with_docs().await;
    let points = (1..=10).map(|id| with_payload(id, [("a", 1.into())]));
    client.upsert_points(upsert(points.collect())).await.unwrap();
    let count = async |filter: Filter| {
        let count = CountPointsBuilder::new(DOCS).filter(filter).exact(false);
        client.count(count).await.unwrap().result.unwrap().count
    };
    let all = || Filter::must([Condition::matches("a", 1)]);
    assert_eq!(count(Filter::default()).await, 10);
    assert_eq!(count(all()).await, 5, "half of them, for want of an index");
    let index = CreateFieldIndexCollectionBuilder::new(DOCS, "a", FieldType::Integer);
    client.create_field_index(index).await.unwrap();
    assert_eq!(count(all()).await, 10);
}

#[tokio::test]
async fn null_is_kept_by_a_payload_that_was_empty_and_removes_from_another() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(1), with_payload(2, [("x", 1.into())])])).await.unwrap();
    let null = qdrant::Value { kind: Some(qdrant::value::Kind::NullValue(0)) };
    let set = SetPayloadPointsBuilder::new(DOCS, payload([("x", null.clone()), ("y", 2.into())]))
        .points_selector(ids([1, 2]))
        .wait(true);
    client.set_payload(set).await.unwrap();
    let first = get(&client, 1).await.unwrap().payload;
    assert_eq!((first.len(), &first["x"], &first["y"]), (2, &null, &2.into()));
    let second = get(&client, 2).await.unwrap().payload;
    assert_eq!((second.len(), &second["y"]), (1, &2.into()));
}

#[tokio::test]
async fn at_least_one_of_no_conditions_selects_every_point() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(1), point(2)])).await.unwrap();
    let filter = || Filter::min_should(1, Vec::<Condition>::new());
    let found = client.scroll(ScrollPointsBuilder::new(DOCS).filter(filter())).await.unwrap();
    assert_eq!(found.result.len(), 2);
    let delete = DeletePointsBuilder::new(DOCS).points(filter()).wait(true);
    client.delete_points(delete).await.unwrap();
    assert_eq!(client.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap().result.len(), 0);
}

#[tokio::test]
async fn payload_is_set_overwritten_deleted_and_cleared() {
    let (_server, client) = server_with_docs().await;
    client
        .upsert_points(upsert(vec![with_payload(1, [("kept", 1.into()), ("changed", 1.into())])]))
        .await
        .unwrap();
    let keys = async || {
        let mut keys: Vec<_> = get(&client, 1).await.unwrap().payload.into_keys().collect();
        keys.sort();
        keys
    };

    let set =
        SetPayloadPointsBuilder::new(DOCS, payload([("changed", 2.into()), ("added", 3.into())]));
    client.set_payload(set.points_selector(ids([1])).wait(true)).await.unwrap();
    assert_eq!(keys().await, ["added", "changed", "kept"]);
    assert_eq!(get(&client, 1).await.unwrap().payload["changed"], 2.into());

    let set = SetPayloadPointsBuilder::new(DOCS, payload([("deep", 4.into())]));
    client.set_payload(set.points_selector(ids([1])).key("nest.egg").wait(true)).await.unwrap();
    let filter = Filter::must([Condition::matches("nest.egg.deep", 4)]);
    let count = CountPointsBuilder::new(DOCS).filter(filter);
    assert_eq!(client.count(count).await.unwrap().result.unwrap().count, 1);

    let delete = DeletePayloadPointsBuilder::new(DOCS, vec!["kept".into(), "nest.egg".into()]);
    client.delete_payload(delete.points_selector(ids([1])).wait(true)).await.unwrap();
    assert_eq!(keys().await, ["added", "changed", "nest"]);

    let overwrite = SetPayloadPointsBuilder::new(DOCS, payload([("only", 5.into())]));
    let everything = Filter::default();
    client.overwrite_payload(overwrite.points_selector(everything).wait(true)).await.unwrap();
    assert_eq!(keys().await, ["only"]);

    let clear = ClearPayloadPointsBuilder::new(DOCS).points(ids([1]));
    client.clear_payload(clear.wait(true)).await.unwrap();
    assert_eq!(keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_holds_the_parts_that_were_asked_for() {
    let (_server, client) = server_with_docs().await;
    client
        .upsert_points(upsert(vec![with_payload(1, [("a", 1.into()), ("b", 2.into())])]))
        .await
        .unwrap();
    let bare = GetPointsBuilder::new(DOCS, vec![1.into()]);
    let found = client.get_points(bare.clone()).await.unwrap().result;
    assert!(found[0].payload.is_empty() && found[0].vectors.is_none());

    let some = bare.with_payload(PayloadIncludeSelector { fields: vec!["b".into()] });
    let found = client.get_points(some).await.unwrap().result;
    assert_eq!(found[0].payload.keys().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn named_vectors_are_stored_updated_and_deleted_one_by_one() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("text", VectorParamsBuilder::new(2, Distance::Dot));
    vectors.add_named_vector_params("image", VectorParamsBuilder::new(1, Distance::Dot));
    client
        .create_collection(CreateCollectionBuilder::new(DOCS).vectors_config(vectors))
        .await
        .unwrap();
    let both =
        NamedVectors::default().add_vector("text", vec![1.0, 2.0]).add_vector("image", vec![3.0]);
    client.upsert_points(upsert(vec![PointStruct::new(1, both, Payload::new())])).await.unwrap();

    let update = PointVectors {
        id: Some(1.into()),
        vectors: Some(NamedVectors::default().add_vector("image", vec![4.0]).into()),
    };
    client
        .update_vectors(UpdatePointVectorsBuilder::new(DOCS, vec![update]).wait(true))
        .await
        .unwrap();
    let stored = get(&client, 1).await.unwrap().vectors.unwrap();
    assert_eq!(dense(&stored, "text"), Some(vec![1.0, 2.0]));
    assert_eq!(dense(&stored, "image"), Some(vec![4.0]));

    let delete = DeletePointVectorsBuilder::new(DOCS)
        .points_selector(ids([1]))
        .vectors(VectorsSelector { names: vec!["text".into()] });
    client.delete_vectors(delete.wait(true)).await.unwrap();
    let stored = get(&client, 1).await.unwrap().vectors.unwrap();
    let Some(VectorsOptions::Vectors(left)) = stored.vectors_options else {
        panic!("named vectors");
    };
    assert_eq!(left.vectors.keys().collect::<Vec<_>>(), ["image"]);
}
