//! Requests that are rejected before anything is read, charged or written.

use qdrant_client::Payload;
use qdrant_client::qdrant::{
    ClearPayloadPointsBuilder, CollectionParamsDiff, CountPointsBuilder, CreateCollectionBuilder,
    DeletePayloadPointsBuilder, DeletePointVectorsBuilder, DeletePointsBuilder, Distance,
    GetPointsBuilder, HnswConfigDiffBuilder, NamedVectors, OptimizersConfigDiffBuilder,
    PointStruct, PointVectors, PointsIdsList, QuantizationSearchParams, QueryBatchPointsBuilder,
    QueryPointsBuilder, ReadConsistency, ScalarQuantizationBuilder, ScrollPointsBuilder,
    SearchBatchPointsBuilder, SearchParams, SearchPointsBuilder, SetPayloadPointsBuilder,
    SparseVectorConfig, SparseVectorParams, StrictModeConfigBuilder, UpdateCollectionBuilder,
    UpdatePointVectorsBuilder, UpsertPointsBuilder, VectorParamsBuilder, VectorParamsDiffBuilder,
    VectorParamsDiffMap, Vectors, VectorsConfigBuilder, VectorsConfigDiff, VectorsSelector,
    WalConfigDiff, WriteOrdering, read_consistency, vectors_config_diff,
};
use qdrant_client::{Qdrant, QdrantError};
use resilient_testkit::EmbeddedQdrant;
use tonic::Code;

use crate::support::{DOCS, assert_status, point, server_with_docs, status, upsert};

fn ids(ids: impl IntoIterator<Item = u64>) -> PointsIdsList {
    PointsIdsList { ids: ids.into_iter().map(Into::into).collect() }
}

fn vectors_of(id: u64, vector: Vec<f32>) -> PointVectors {
    PointVectors { id: Some(id.into()), vectors: Some(vector.into()) }
}

fn two_dimensions(name: &str) -> CreateCollectionBuilder {
    CreateCollectionBuilder::new(name).vectors_config(VectorParamsBuilder::new(2, Distance::Dot))
}

#[track_caller]
fn assert_invalid<T: std::fmt::Debug>(result: Result<T, QdrantError>, field: &str, why: &str) {
    let words = format!("Validation error in body: [{field}: {why}]");
    assert_status(result, Code::InvalidArgument, &words);
}

#[tokio::test]
async fn a_write_that_names_no_point_is_refused() {
    let (server, client) = server_with_docs().await;
    let words = "Bad request: Empty update request";
    let refused = |result| assert_status(result, Code::InvalidArgument, words);
    let none = || ids([]);
    refused(client.upsert_points(upsert(vec![])).await);
    refused(client.update_vectors(UpdatePointVectorsBuilder::new(DOCS, vec![])).await);
    refused(client.delete_points(DeletePointsBuilder::new(DOCS).points(none())).await);
    let set = || SetPayloadPointsBuilder::new(DOCS, Payload::new()).points_selector(none());
    refused(client.set_payload(set()).await);
    refused(client.overwrite_payload(set()).await);
    let delete = DeletePayloadPointsBuilder::new(DOCS, vec!["a".into()]).points_selector(none());
    refused(client.delete_payload(delete).await);
    refused(client.clear_payload(ClearPayloadPointsBuilder::new(DOCS).points(none())).await);
    let delete = DeletePointVectorsBuilder::new(DOCS)
        .points_selector(none())
        .vectors(VectorsSelector { names: vec![String::new()] });
    refused(client.delete_vectors(delete).await);

    // The server checks the collection first, and has counted no operation.
    let nowhere = UpsertPointsBuilder::new("nope", vec![]);
    assert_eq!(status(&client.upsert_points(nowhere).await.unwrap_err()).code(), Code::NotFound);
    let first = client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    assert_eq!(first.result.unwrap().operation_id, Some(0));
    drop(server);
}

#[tokio::test]
async fn a_name_that_no_collection_can_have_is_refused_by_every_call() {
    let (_server, client) = server_with_docs().await;
    let long = "x".repeat(300);
    let long_words = format!("value \"{long}\" invalid, must be from 1 to 255 characters");
    for (name, why) in [
        ("", "value \"\" invalid, must be from 1 to 255 characters"),
        ("a/b", "collection name cannot contain \"/\" char"),
        (long.as_str(), long_words.as_str()),
    ] {
        let field = "collection_name";
        assert_invalid(client.create_collection(two_dimensions(name)).await, field, why);
        assert_invalid(client.collection_exists(name).await, field, why);
        assert_invalid(client.delete_collection(name).await, field, why);
        assert_invalid(client.collection_info(name).await, field, why);
        let update = UpdateCollectionBuilder::new(name);
        assert_invalid(client.update_collection(update).await, field, why);
        let points = || UpsertPointsBuilder::new(name, vec![point(1)]);
        assert_invalid(client.upsert_points(points()).await, field, why);
        let delete = DeletePointsBuilder::new(name).points(ids([1]));
        assert_invalid(client.delete_points(delete).await, field, why);
        let get = GetPointsBuilder::new(name, vec![1.into()]);
        assert_invalid(client.get_points(get).await, field, why);
        assert_invalid(client.scroll(ScrollPointsBuilder::new(name)).await, field, why);
        assert_invalid(client.count(CountPointsBuilder::new(name)).await, field, why);
        let search = SearchPointsBuilder::new(name, vec![1.0, 0.0], 1);
        assert_invalid(client.search_points(search).await, field, why);
        assert_invalid(client.query(QueryPointsBuilder::new(name)).await, field, why);
        let batch = QueryBatchPointsBuilder::new(name, vec![]);
        assert_invalid(client.query_batch(batch).await, field, why);
    }
    assert_eq!(client.list_collections().await.unwrap().collections.len(), 1);
}

#[tokio::test]
async fn a_new_collection_has_a_stricter_name_than_an_old_one() {
    let (_server, client) = server_with_docs().await;
    let field = "collection_name";
    let why = "collection name cannot contain \"*\" char";
    assert_invalid(client.create_collection(two_dimensions("a*b")).await, field, why);
    assert!(!client.collection_exists("a*b").await.unwrap());
    client.create_collection(two_dimensions("größe-1.2 x")).await.unwrap();
}

#[tokio::test]
async fn settings_out_of_their_range_make_no_collection() {
    let (_server, client) = server_with_docs().await;
    let one = |least: u64, value: u64| format!("value {value} invalid, must be {least} or larger");
    let new = || two_dimensions("new");
    let mut no_replicas = new().build();
    no_replicas.replication_factor = Some(0);
    let mut no_consistency = new().build();
    no_consistency.write_consistency_factor = Some(0);
    let hnsw = |ef| HnswConfigDiffBuilder::default().ef_construct(ef);
    let wal = WalConfigDiff { wal_capacity_mb: Some(0), ..WalConfigDiff::default() };
    let vector_hnsw = VectorParamsBuilder::new(2, Distance::Dot).hnsw_config(hnsw(3));
    let optimizers = OptimizersConfigDiffBuilder::default();
    let half = ScalarQuantizationBuilder::default().quantile(0.4);
    let strict = StrictModeConfigBuilder::default();
    for (request, field, why) in [
        (new().shard_number(0).build(), "shard_number", one(1, 0)),
        (no_replicas, "replication_factor", one(1, 0)),
        (no_consistency, "write_consistency_factor", one(1, 0)),
        (new().hnsw_config(hnsw(1)).build(), "hnsw_config.ef_construct", one(4, 1)),
        (new().wal_config(wal).build(), "wal_config.wal_capacity_mb", one(1, 0)),
        (
            new().vectors_config(vector_hnsw).build(),
            "vectors_config.config.hnsw_config.ef_construct",
            one(4, 3),
        ),
        (
            new().optimizers_config(optimizers.clone().vacuum_min_vector_number(99)).build(),
            "optimizers_config.vacuum_min_vector_number",
            one(100, 99),
        ),
        (
            new().optimizers_config(optimizers.deleted_threshold(1.5)).build(),
            "optimizers_config.deleted_threshold",
            "value 1.5 invalid, must be from 0.0 to 1.0".to_owned(),
        ),
        (
            new().strict_mode_config(strict.clone().max_query_limit(0)).build(),
            "strict_mode_config.max_query_limit",
            one(1, 0),
        ),
        (
            new().strict_mode_config(strict.write_rate_limit(0)).build(),
            "strict_mode_config.write_rate_limit",
            one(1, 0),
        ),
    ] {
        assert_invalid(client.create_collection(request).await, field, &why);
    }
    let half = client.create_collection(new().quantization_config(half)).await.unwrap_err();
    assert!(status(&half).message().contains("quantile: value 0.4"), "{half}");
    assert!(!client.collection_exists("new").await.unwrap());
}

#[tokio::test]
async fn an_update_of_a_collection_is_checked_as_a_whole() {
    let (_server, client) = server_with_docs().await;
    let update = || UpdateCollectionBuilder::new(DOCS);
    let why = "value 0 invalid, must be 1 or larger";
    assert_invalid(client.update_collection(update().timeout(0)).await, "timeout", why);
    let params = CollectionParamsDiff { replication_factor: Some(0), ..Default::default() };
    let result = client.update_collection(update().params(params)).await;
    assert_invalid(result, "params.replication_factor", why);
    let hnsw = HnswConfigDiffBuilder::default().ef_construct(1);
    let result = client.update_collection(update().hnsw_config(hnsw)).await;
    assert_invalid(result, "hnsw_config.ef_construct", "value 1 invalid, must be 4 or larger");

    let unknown = "Wrong input: Not existing vector name error: zz";
    let vector = VectorParamsDiffBuilder::default().on_disk(true).build();
    let config = vectors_config_diff::Config::ParamsMap(VectorParamsDiffMap {
        map: [("zz".to_owned(), vector)].into(),
    });
    // The valid points of the same request are not stored.
    let both = update()
        .vectors_config(VectorsConfigDiff { config: Some(config) })
        .hnsw_config(HnswConfigDiffBuilder::default().m(32));
    assert_status(client.update_collection(both).await, Code::InvalidArgument, unknown);
    let sparse =
        SparseVectorConfig { map: [("zz".to_owned(), SparseVectorParams::default())].into() };
    let sparse = update().sparse_vectors_config(sparse);
    assert_status(client.update_collection(sparse).await, Code::InvalidArgument, unknown);
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert_eq!(info.config.unwrap().hnsw_config.unwrap().m, Some(16));
}

#[tokio::test]
async fn a_deletion_has_a_timeout_or_none() {
    let (_server, client) = server_with_docs().await;
    let delete = qdrant_client::qdrant::DeleteCollectionBuilder::new(DOCS).timeout(0);
    let why = "value 0 invalid, must be 1 or larger";
    assert_invalid(client.delete_collection(delete).await, "timeout", why);
    assert!(client.collection_exists(DOCS).await.unwrap());
}

#[tokio::test]
async fn numbers_of_a_search_have_their_ranges() {
    let (_server, client) = server_with_docs().await;
    let one = "value 0 invalid, must be 1 or larger";
    let search = || SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1);
    let query = || QueryPointsBuilder::new(DOCS).query(vec![1.0, 0.0]);
    assert_invalid(client.search_points(search().timeout(0)).await, "timeout", one);
    assert_invalid(client.query(query().timeout(0)).await, "timeout", one);
    assert_invalid(client.query(query().limit(0)).await, "limit", one);
    assert_invalid(client.scroll(ScrollPointsBuilder::new(DOCS).limit(0)).await, "limit", one);
    let batch = SearchBatchPointsBuilder::new(DOCS, vec![search().build()]).timeout(0);
    assert_invalid(client.search_batch_points(batch).await, "timeout", one);
    let batch = QueryBatchPointsBuilder::new(DOCS, vec![query().timeout(0).build()]);
    assert_invalid(client.query_batch(batch).await, "timeout", one);
    let oversampling = QuantizationSearchParams { oversampling: Some(0.5), ..Default::default() };
    let params = SearchParams { quantization: Some(oversampling), ..Default::default() };
    assert_invalid(
        client.search_points(search().params(params)).await,
        "params.quantization.oversampling",
        "value 0.5 invalid, must be 1.0 or larger",
    );
}

#[tokio::test]
async fn a_score_threshold_takes_a_query() {
    let (_server, client) = server_with_docs().await;
    assert_status(
        client.query(QueryPointsBuilder::new(DOCS).score_threshold(0.5)).await,
        Code::InvalidArgument,
        "Bad request: A query is needed to use the score_threshold. Can't have score_threshold \
         without defining a query.",
    );
}

#[tokio::test]
async fn an_ordering_or_a_consistency_that_is_unknown_is_refused() {
    let (_server, client) = server_with_docs().await;
    let unknown = WriteOrdering { r#type: 9 };
    assert_status(
        client.upsert_points(upsert(vec![point(1)]).ordering(unknown)).await,
        Code::InvalidArgument,
        "cannot convert ordering: 9",
    );
    assert!(stored(&client).await.is_empty());
    let unknown = read_consistency::Value::Type(9);
    assert_status(
        client.count(CountPointsBuilder::new(DOCS).read_consistency(unknown)).await,
        Code::InvalidArgument,
        "invalid read consistency type value 9",
    );
    let mut empty = ScrollPointsBuilder::new(DOCS).build();
    empty.read_consistency = Some(ReadConsistency { value: None });
    assert_status(
        client.scroll(empty).await,
        Code::InvalidArgument,
        "invalid read consistency message: `ReadConsistency::value` field is `None`",
    );
}

#[tokio::test]
async fn a_point_without_a_vector_is_refused_in_three_ways() {
    let (_server, client) = server_with_docs().await;
    let with = |vectors| PointStruct { vectors, ..point(1) };
    let refused = async |vectors, words| {
        let result = client.upsert_points(upsert(vec![with(vectors)])).await;
        assert_status(result, Code::InvalidArgument, words);
    };
    refused(None, "Expected some vectors").await;
    refused(Some(Vectors { vectors_options: None }), "No Vector Provided").await;
    refused(Some(Vec::<f32>::new().into()), "dense vector must not be empty").await;
    let update = UpdatePointVectorsBuilder::new(DOCS, vec![vectors_of(1, vec![])]);
    let words = "dense vector must not be empty";
    assert_status(client.update_vectors(update).await, Code::InvalidArgument, words);
}

async fn stored(client: &Qdrant) -> Vec<u64> {
    let points = client.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap().result;
    points.into_iter().map(|point| crate::support::number(point.id)).collect()
}

#[tokio::test]
async fn a_named_vector_that_does_not_fit_is_named() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("a", VectorParamsBuilder::new(2, Distance::Dot));
    let create = CreateCollectionBuilder::new(DOCS).vectors_config(vectors);
    client.create_collection(create).await.unwrap();
    for vector in [vec![1.0, 2.0, 3.0], vec![]] {
        let words = format!(
            "Wrong input: Vector dimension error: expected dim: 2, got {} for vector 'a'",
            vector.len()
        );
        let named = NamedVectors::default().add_vector("a", vector.clone());
        let points = vec![PointStruct::new(1, named.clone(), Payload::new())];
        let result = client.upsert_points(upsert(points)).await;
        assert_status(result, Code::InvalidArgument, &words);
        // The errors of an update and a search do not contain the name.
        let words = words.replace(" for vector 'a'", "");
        let update = PointVectors { id: Some(1.into()), vectors: Some(named.into()) };
        let update = UpdatePointVectorsBuilder::new(DOCS, vec![update]).wait(true);
        assert_status(client.update_vectors(update).await, Code::InvalidArgument, &words);
        let search = SearchPointsBuilder::new(DOCS, vector, 1).vector_name("a");
        assert_status(client.search_points(search).await, Code::InvalidArgument, &words);
    }
}

#[tokio::test]
async fn vectors_that_do_not_fit_change_nothing() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(1), point(2)])).await.unwrap();
    let update = |points| UpdatePointVectorsBuilder::new(DOCS, points).wait(true);
    let both = update(vec![vectors_of(1, vec![8.0, 8.0]), vectors_of(2, vec![1.0])]);
    let words = "Wrong input: Vector dimension error: expected dim: 2, got 1";
    assert_status(client.update_vectors(both).await, Code::InvalidArgument, words);
    assert_eq!(best(&client).await, (2, 2.0), "point 1 is not changed either");
}

/// Returns the point with the largest first coordinate, and the coordinate.
async fn best(client: &Qdrant) -> (u64, f32) {
    let search = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1);
    let best = client.search_points(search).await.unwrap().result.remove(0);
    (crate::support::number(best.id), best.score)
}

#[tokio::test]
async fn vectors_of_a_missing_point_do_not_keep_others_from_being_changed() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(2)])).await.unwrap();
    let update = UpdatePointVectorsBuilder::new(
        DOCS,
        vec![vectors_of(99, vec![1.0, 1.0]), vectors_of(2, vec![7.0, 1.0])],
    );
    assert_status(
        client.update_vectors(update.wait(true)).await,
        Code::NotFound,
        "Not found: No point with id 99 found",
    );
    assert_eq!(best(&client).await, (2, 7.0));
    // The operation was executed, so it is counted.
    let next = client.upsert_points(upsert(vec![point(3)])).await.unwrap();
    assert_eq!(next.result.unwrap().operation_id, Some(2));
}

#[tokio::test]
async fn a_missing_point_comes_before_an_unknown_vector() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    let delete = |id| {
        DeletePointVectorsBuilder::new(DOCS)
            .points_selector(ids([id]))
            .vectors(VectorsSelector { names: vec!["zz".into()] })
            .wait(true)
    };
    let words = "Not found: No point with id 99 found";
    assert_status(client.delete_vectors(delete(99)).await, Code::NotFound, words);
    let words = "Wrong input: Not existing vector name error: zz";
    assert_status(client.delete_vectors(delete(1)).await, Code::InvalidArgument, words);
}

#[tokio::test]
async fn a_write_that_is_not_waited_for_says_nothing_of_missing_points() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    let missing = || ids([99]);
    let set = SetPayloadPointsBuilder::new(DOCS, Payload::new()).points_selector(missing());
    client.set_payload(set).await.unwrap();
    let clear = ClearPayloadPointsBuilder::new(DOCS).points(missing());
    client.clear_payload(clear).await.unwrap();
    let update = UpdatePointVectorsBuilder::new(DOCS, vec![vectors_of(99, vec![1.0, 1.0])]);
    client.update_vectors(update).await.unwrap();
    let delete = DeletePointVectorsBuilder::new(DOCS)
        .points_selector(ids([1]))
        .vectors(VectorsSelector { names: vec!["zz".into()] });
    client.delete_vectors(delete).await.unwrap();
    // Errors in the request itself are reported first.
    let update = UpdatePointVectorsBuilder::new(DOCS, vec![vectors_of(1, vec![1.0])]);
    let words = "Wrong input: Vector dimension error: expected dim: 2, got 1";
    assert_status(client.update_vectors(update).await, Code::InvalidArgument, words);
}

async fn limited(writes: u32, reads: u32) -> (EmbeddedQdrant, Qdrant) {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let strict = StrictModeConfigBuilder::default()
        .enabled(true)
        .write_rate_limit(writes)
        .read_rate_limit(reads);
    client.create_collection(two_dimensions(DOCS).strict_mode_config(strict)).await.unwrap();
    (server, client)
}

#[tokio::test]
async fn what_is_refused_costs_nothing() {
    let (_server, client) = limited(2, 1).await;
    let long = PointStruct::new(1, vec![1.0, 2.0, 3.0], Payload::new());
    for _ in 0..3 {
        client.upsert_points(upsert(vec![point(2), long.clone()])).await.unwrap_err();
        client.upsert_points(upsert(vec![])).await.unwrap_err();
        client
            .update_vectors(UpdatePointVectorsBuilder::new(DOCS, vec![vectors_of(1, vec![1.0])]))
            .await
            .unwrap_err();
        let search = SearchPointsBuilder::new(DOCS, vec![1.0], 1);
        client.search_points(search).await.unwrap_err();
        let good = QueryPointsBuilder::new(DOCS).query(vec![1.0, 0.0]).build();
        let bad = QueryPointsBuilder::new(DOCS).query(vec![1.0]).build();
        let batch = QueryBatchPointsBuilder::new(DOCS, vec![good, bad]);
        client.query_batch(batch).await.unwrap_err();
    }
    // None of these requests was charged. The first write is charged twice.
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    client.count(CountPointsBuilder::new(DOCS)).await.unwrap();
    client.upsert_points(upsert(vec![point(1)])).await.unwrap_err();
    client.count(CountPointsBuilder::new(DOCS)).await.unwrap_err();
}
