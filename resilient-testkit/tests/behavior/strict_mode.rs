use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder,
    DeletePointsBuilder, Distance, FieldType, Filter, GetPointsBuilder, PointVectors,
    QuantizationSearchParams, QueryBatchPointsBuilder, QueryPointsBuilder, Range,
    ScrollPointsBuilder, SearchParams, SearchPointsBuilder, SetPayloadPointsBuilder,
    StrictModeConfigBuilder, UpdateCollectionBuilder, UpdatePointVectorsBuilder,
    VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_testkit::EmbeddedQdrant;
use tonic::Code;

use crate::support::{DOCS, assert_status, point, upsert};

async fn strict(config: StrictModeConfigBuilder) -> (EmbeddedQdrant, Qdrant) {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let create = CreateCollectionBuilder::new(DOCS)
        .vectors_config(VectorParamsBuilder::new(2, Distance::Dot))
        .strict_mode_config(config.enabled(true));
    client.create_collection(create).await.unwrap();
    (server, client)
}

fn config() -> StrictModeConfigBuilder {
    StrictModeConfigBuilder::default()
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, QdrantError>, error: &str, help: &str) {
    let words = format!("Bad request: {error}. Help: {help}");
    assert_status(result, Code::InvalidArgument, &words);
}

fn search() -> SearchPointsBuilder {
    SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1)
}

fn query() -> QueryPointsBuilder {
    QueryPointsBuilder::new(DOCS).query(vec![1.0, 0.0])
}

#[tokio::test]
async fn the_limit_of_every_read_is_limited() {
    let (_server, client) = strict(config().max_query_limit(4)).await;
    let error = |limit| format!("Limit exceeded {limit} > 4 for \"limit\"");
    let help = "Reduce the \"limit\" parameter to or below 4.";
    let wide = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 5);
    assert_refused(client.search_points(wide).await, &error(5), help);
    assert_refused(client.query(query().limit(5)).await, &error(5), help);
    assert_refused(client.scroll(ScrollPointsBuilder::new(DOCS).limit(5)).await, &error(5), help);
    // Defaults count too.
    assert_refused(client.query(query()).await, &error(10), help);
    assert_refused(client.scroll(ScrollPointsBuilder::new(DOCS)).await, &error(10), help);
    let batch = QueryBatchPointsBuilder::new(
        DOCS,
        vec![query().limit(4).build(), query().limit(5).build()],
    );
    assert_refused(client.query_batch(batch).await, &error(5), help);
    client.query(query().limit(4)).await.unwrap();
}

#[tokio::test]
async fn points_that_are_written_at_once_are_limited() {
    let (_server, client) = strict(config().upsert_max_batchsize(2)).await;
    let three = upsert([1, 2, 3].map(point).to_vec());
    assert_refused(
        client.upsert_points(three).await,
        "Limit exceeded 3 > 2 for \"upsert limit\"",
        "Reduce the \"upsert limit\" parameter to or below 2.",
    );
    let vectors = PointVectors { id: Some(1.into()), vectors: Some(vec![1.0, 1.0].into()) };
    let three = UpdatePointVectorsBuilder::new(DOCS, vec![vectors; 3]);
    assert_refused(
        client.update_vectors(three).await,
        "Limit exceeded 3 > 2 for \"update limit\"",
        "Reduce the \"update limit\" parameter to or below 2.",
    );
    client.upsert_points(upsert([1, 2].map(point).to_vec())).await.unwrap();
}

#[tokio::test]
async fn the_size_of_a_filter_is_limited() {
    let (_server, client) = strict(config().filter_max_conditions(2).condition_max_size(2)).await;
    let three = || Filter::must(["a", "b", "c"].map(Condition::is_empty));
    let (error, help) = (
        "Filter condition limit reached (3 > 2)",
        "Reduce the amount of conditions of your filter.",
    );
    assert_refused(client.search_points(search().filter(three())).await, error, help);
    assert_refused(client.query(query().filter(three())).await, error, help);
    let count = CountPointsBuilder::new(DOCS).filter(three());
    assert_refused(client.count(count).await, error, help);
    let delete = DeletePointsBuilder::new(DOCS).points(three());
    assert_refused(client.delete_points(delete).await, error, help);
    let set = SetPayloadPointsBuilder::new(DOCS, Payload::new()).points_selector(three());
    assert_refused(client.set_payload(set).await, error, help);

    let many = Filter::must([Condition::matches("a", vec![1, 2, 3])]);
    assert_refused(
        client.query(query().filter(many)).await,
        "Condition size limit reached (3 > 2)",
        "Reduce the size of your condition.",
    );
}

#[tokio::test]
async fn exact_searches_may_be_forbidden() {
    let (_server, client) = strict(config().search_allow_exact(false)).await;
    let (error, help) = ("Exact search disabled!", "Set exact=false.");
    let exact = || SearchParams { exact: Some(true), ..SearchParams::default() };
    assert_refused(client.search_points(search().params(exact())).await, error, help);
    assert_refused(client.query(query().params(exact())).await, error, help);
    assert_refused(client.count(CountPointsBuilder::new(DOCS)).await, error, help);
    client.count(CountPointsBuilder::new(DOCS).exact(false)).await.unwrap();
    client.search_points(search()).await.unwrap();
}

#[tokio::test]
async fn other_numbers_of_a_read_are_limited() {
    let (_server, client) = strict(
        config()
            .max_timeout(5)
            .search_max_hnsw_ef(100)
            .search_max_oversampling(2.0)
            .search_max_batchsize(1),
    )
    .await;
    let reduce =
        |name: &str, most: &str| format!("Reduce the \"{name}\" parameter to or below {most}.");
    let error = "Limit exceeded 6 > 5 for \"timeout\"";
    assert_refused(client.query(query().timeout(6)).await, error, &reduce("timeout", "5"));
    let get = GetPointsBuilder::new(DOCS, vec![1.into()]).timeout(6);
    assert_refused(client.get_points(get).await, error, &reduce("timeout", "5"));
    let params = SearchParams { hnsw_ef: Some(101), ..SearchParams::default() };
    let error = "Limit exceeded 101 > 100 for \"hnsw_ef\"";
    let result = client.search_points(search().params(params)).await;
    assert_refused(result, error, &reduce("hnsw_ef", "100"));
    let oversampling = QuantizationSearchParams { oversampling: Some(2.5), ..Default::default() };
    let params = SearchParams { quantization: Some(oversampling), ..SearchParams::default() };
    let error = "Limit exceeded 2.5 > 2 for \"oversampling\"";
    let result = client.search_points(search().params(params)).await;
    assert_refused(result, error, &reduce("oversampling", "2"));
    let batch = QueryBatchPointsBuilder::new(DOCS, vec![query().build(); 2]);
    let error = "Limit exceeded 2 > 1 for \"search batch size\"";
    let result = client.query_batch(batch).await;
    assert_refused(result, error, &reduce("search batch size", "1"));
}

#[tokio::test]
async fn a_filter_takes_an_index_that_serves_it() {
    let (_server, client) =
        strict(config().unindexed_filtering_retrieve(false).unindexed_filtering_update(false))
            .await;
    let help = "Create an index for this key or use a different filter.";
    let error = |key: &str, kinds: &str| {
        format!(
            "Index required but not found for \"{key}\" of one of the following types: [{kinds}]"
        )
    };
    let keyword = || Filter::must([Condition::matches("city", "Oslo".to_owned())]);
    let unindexed = error("city", "keyword");
    assert_refused(client.query(query().filter(keyword())).await, &unindexed, help);
    assert_refused(client.search_points(search().filter(keyword())).await, &unindexed, help);
    let scroll = || ScrollPointsBuilder::new(DOCS).filter(keyword());
    assert_refused(client.scroll(scroll()).await, &unindexed, help);
    let count = CountPointsBuilder::new(DOCS).filter(keyword());
    assert_refused(client.count(count).await, &unindexed, help);
    let delete = || DeletePointsBuilder::new(DOCS).points(keyword());
    assert_refused(client.delete_points(delete()).await, &unindexed, help);

    // An index of another type does not help.
    let index = |field: &str, kind| CreateFieldIndexCollectionBuilder::new(DOCS, field, kind);
    client.create_field_index(index("city", FieldType::Text)).await.unwrap();
    assert_refused(client.scroll(scroll()).await, &unindexed, help);
    client.create_field_index(index("city", FieldType::Keyword)).await.unwrap();
    client.scroll(scroll()).await.unwrap();
    client.delete_points(delete()).await.unwrap();

    // The type of index that a condition needs depends on its check.
    let refused = async |condition: Condition, key: &str, kinds: &str| {
        let filter = Filter::must_not([Filter::should([condition]).into()]);
        let scroll = ScrollPointsBuilder::new(DOCS).filter(filter);
        assert_refused(client.scroll(scroll).await, &error(key, kinds), help);
    };
    refused(Condition::matches("size", 7), "size", "integer").await;
    refused(Condition::matches("port", true), "port", "bool").await;
    refused(Condition::range("size", Range::default()), "size", "float, integer").await;
    refused(Condition::matches_text("text", "x"), "text", "text").await;
    let uuid = "936da01f-9abd-4d9d-80c7-02af85c822a8".to_owned();
    refused(Condition::matches("id", uuid), "id", "keyword, uuid").await;
    let any = "bool, datetime, float, geo, integer, keyword, text, uuid";
    refused(Condition::is_empty("size"), "size", any).await;
    let nested = Condition::nested("stops", Filter::must([Condition::matches("nights", 9)]));
    refused(nested, "stops[].nights", "integer").await;

    let free = Filter::must([
        Condition::has_id([1]),
        Condition::has_vector(""),
        Condition::is_empty("city"),
        Condition::matches("size", Vec::<i64>::new()),
    ]);
    client.scroll(ScrollPointsBuilder::new(DOCS).filter(free)).await.unwrap();
}

#[tokio::test]
async fn reads_and_writes_by_filter_are_restricted_apart() {
    let filter = || Filter::must([Condition::matches("a", 1)]);
    let read = || ScrollPointsBuilder::new(DOCS).filter(filter());
    let write = || DeletePointsBuilder::new(DOCS).points(filter());
    let (_server, client) = strict(config().unindexed_filtering_retrieve(false)).await;
    client.delete_points(write()).await.unwrap();
    client.scroll(read()).await.unwrap_err();
    let (_server, client) = strict(config().unindexed_filtering_update(false)).await;
    client.scroll(read()).await.unwrap();
    client.delete_points(write()).await.unwrap_err();
}

#[tokio::test]
async fn indexes_and_points_are_limited_in_number() {
    let (_server, client) = strict(config().max_payload_index_count(1).max_points_count(2)).await;
    let index =
        |field: &str| CreateFieldIndexCollectionBuilder::new(DOCS, field, FieldType::Keyword);
    client.create_field_index(index("a")).await.unwrap();
    assert_refused(
        client.create_field_index(index("b")).await,
        "Collection already has the maximum number of payload indices (1)",
        "Please delete an existing index before creating a new one.",
    );
    client.upsert_points(upsert([1, 2].map(point).to_vec())).await.unwrap();
    assert_status(
        client.upsert_points(upsert(vec![point(3)])).await,
        Code::InvalidArgument,
        "Bad request: Max points count limit of 2 reached!",
    );
}

#[tokio::test]
async fn nothing_is_limited_until_strict_mode_is_enabled() {
    let (_server, client) = strict(config().max_query_limit(1)).await;
    let update = |config: StrictModeConfigBuilder| {
        client.update_collection(UpdateCollectionBuilder::new(DOCS).strict_mode_config(config))
    };
    update(config().enabled(false)).await.unwrap();
    client.query(query().limit(5)).await.unwrap();
    // An update changes the settings that it sets and keeps the others.
    update(config().enabled(true).upsert_max_batchsize(1)).await.unwrap();
    client.query(query().limit(5)).await.unwrap_err();
    client.upsert_points(upsert([1, 2].map(point).to_vec())).await.unwrap_err();
}

#[tokio::test]
async fn what_strict_mode_refuses_costs_nothing_and_changes_nothing() {
    let limits = config().read_rate_limit(1).write_rate_limit(2);
    let (_server, client) = strict(limits.max_query_limit(1).upsert_max_batchsize(1)).await;
    for _ in 0..3 {
        client.query(query().limit(5)).await.unwrap_err();
        client.upsert_points(upsert([1, 2].map(point).to_vec())).await.unwrap_err();
    }
    let found = client.scroll(ScrollPointsBuilder::new(DOCS).limit(1)).await.unwrap();
    assert!(found.result.is_empty());
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
}
