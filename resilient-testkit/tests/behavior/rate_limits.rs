use qdrant_client::qdrant::{
    Condition, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance, FieldType,
    Filter, Query, QueryBatchPointsBuilder, QueryPointsBuilder, RetrievedPoint,
    ScrollPointsBuilder, SearchBatchPointsBuilder, SearchPointsBuilder, SetPayloadPointsBuilder,
    StrictModeConfigBuilder, UpdateCollectionBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_testkit::{EmbeddedQdrant, Method};
use tonic::Code;

use crate::support::{DOCS, assert_status, point, status, upsert, with_payload};

async fn limited(config: StrictModeConfigBuilder) -> (EmbeddedQdrant, Qdrant) {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    client
        .create_collection(
            CreateCollectionBuilder::new(DOCS)
                .vectors_config(VectorParamsBuilder::new(2, Distance::Dot))
                .strict_mode_config(config),
        )
        .await
        .unwrap();
    (server, client)
}

fn search() -> SearchPointsBuilder {
    SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1)
}

#[tokio::test]
async fn a_write_costs_its_points_and_is_refused_with_a_hint() {
    let config = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(10);
    let (server, client) = limited(config).await;
    // Ten tokens, since the first write is charged twice.
    client.upsert_points(upsert((1..=5).map(point).collect())).await.unwrap();

    let ten = upsert((1..=10).map(point).collect());
    let error = client.upsert_points(ten).await.expect_err("an empty bucket");
    let QdrantError::ResourceExhaustedError { retry_after_seconds: hint, .. } = error else {
        panic!("no hint: {error:?}");
    };
    // The bucket refills in real time, so the wait is shorter on a slow machine.
    assert!((50..=60).contains(&hint), "{hint}");
    let words = status(&error).message();
    assert!(
        words.starts_with(
            "Rate limiting exceeded: Write rate limit exceeded: Operation requires 10 tokens but \
             only 0."
        ) && words.ends_with(&format!("were available. Retry after {hint}s")),
        "{words}"
    );
    assert_eq!(server.requests(Method::UPSERT), 2, "the client does not try it again");
}

#[tokio::test]
async fn a_write_that_can_never_pass_gets_no_hint() {
    let config = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(10);
    let (_server, client) = limited(config).await;
    let result = client.upsert_points(upsert((1..=11).map(point).collect())).await;
    assert!(matches!(&result, Err(QdrantError::ResponseError { .. })));
    assert_status(
        result,
        Code::ResourceExhausted,
        "Rate limiting exceeded: Write rate limit exceeded, request larger than rate limiter \
         capacity, please try to split your request",
    );
}

#[tokio::test]
async fn reads_have_a_limit_of_their_own() {
    let config = StrictModeConfigBuilder::default().enabled(true).read_rate_limit(2);
    let (_server, client) = limited(config).await;
    client.upsert_points(upsert((1..=99).map(point).collect())).await.unwrap();
    client.search_points(search()).await.unwrap();
    client.search_points(search()).await.unwrap();
    let error = client.search_points(search()).await.expect_err("an empty bucket");
    assert!(status(&error).message().contains("Read rate limit exceeded: Operation requires 1 "));
    assert!(matches!(
        error,
        QdrantError::ResourceExhaustedError { retry_after_seconds: ..=30, .. }
    ));
}

#[tokio::test]
async fn a_batch_costs_its_searches_and_a_filter_its_conditions() {
    let config = StrictModeConfigBuilder::default().enabled(true).read_rate_limit(3);
    let (_server, client) = limited(config).await;
    let four = vec![search().build(); 4];
    assert_status(
        client.search_batch_points(SearchBatchPointsBuilder::new(DOCS, four)).await,
        Code::ResourceExhausted,
        "Rate limiting exceeded: Read rate limit exceeded, request larger than rate limiter \
         capacity, please try to split your request",
    );
    let filter = Filter::must([Condition::is_empty("a"), Condition::is_empty("b")]);
    client.search_points(search().filter(filter)).await.unwrap();
    assert!(client.search_points(search()).await.is_err());
}

#[tokio::test]
async fn limits_hold_only_while_strict_mode_is_enabled() {
    let config = StrictModeConfigBuilder::default().enabled(false).read_rate_limit(1);
    let (_server, client) = limited(config).await;
    for _ in 0..3 {
        client.search_points(search()).await.unwrap();
    }
    let enable = |enabled| {
        UpdateCollectionBuilder::new(DOCS)
            .strict_mode_config(StrictModeConfigBuilder::default().enabled(enabled))
    };
    client.update_collection(enable(true)).await.unwrap();
    client.search_points(search()).await.unwrap();
    assert!(client.search_points(search()).await.is_err());
    client.update_collection(enable(false)).await.unwrap();
    client.search_points(search()).await.unwrap();
}

#[tokio::test]
async fn a_missing_collection_is_not_found_before_it_is_limited() {
    let config = StrictModeConfigBuilder::default().enabled(true).read_rate_limit(1);
    let (_server, client) = limited(config).await;
    client.delete_collection(DOCS).await.unwrap();
    for _ in 0..2 {
        assert_status(
            client.search_points(search()).await,
            Code::NotFound,
            "Not found: Collection `docs` doesn't exist!",
        );
    }
}

#[tokio::test]
async fn the_first_write_to_a_collection_is_charged_twice() {
    let config = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(10);
    let (_server, client) = limited(config).await;
    let six = || upsert((1..=6).map(point).collect());
    let error = client.upsert_points(six()).await.expect_err("twice six");
    let words = status(&error).message();
    assert!(
        words.starts_with(
            "Rate limiting exceeded: Write rate limit exceeded: Operation requires 6 tokens but \
             only 4.0 were available."
        ),
        "{words}"
    );
    assert!(stored(&client).await.is_empty());
    // It counts as the first write nevertheless.
    client.upsert_points(upsert((1..=4).map(point).collect())).await.unwrap();
}

#[tokio::test]
async fn a_write_before_the_limit_is_the_first_one_too() {
    let (_server, client) = limited(StrictModeConfigBuilder::default()).await;
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    let config = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(10);
    let update = UpdateCollectionBuilder::new(DOCS).strict_mode_config(config);
    client.update_collection(update).await.unwrap();
    client.upsert_points(upsert((1..=10).map(point).collect())).await.unwrap();
}

#[tokio::test]
async fn a_collection_that_is_made_anew_has_a_full_bucket_and_a_first_write() {
    let config = || StrictModeConfigBuilder::default().enabled(true).write_rate_limit(10);
    let (_server, client) = limited(config()).await;
    client.upsert_points(upsert((1..=5).map(point).collect())).await.unwrap();
    client.delete_collection(DOCS).await.unwrap();
    let create = CreateCollectionBuilder::new(DOCS)
        .vectors_config(VectorParamsBuilder::new(2, Distance::Dot))
        .strict_mode_config(config());
    client.create_collection(create).await.unwrap();
    client.upsert_points(upsert((1..=5).map(point).collect())).await.unwrap();
    client.upsert_points(upsert(vec![point(1)])).await.expect_err("an empty bucket");
}

#[tokio::test]
async fn a_write_by_filter_costs_what_it_is_expected_to_touch() {
    let (_server, client) = limited(StrictModeConfigBuilder::default()).await;
    let points = [1, 2, 3].map(|id| with_payload(id, [("a", 1.into())]));
    client.upsert_points(upsert(points.to_vec())).await.unwrap();
    let limit = async |limit| {
        let config = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(limit);
        let update = UpdateCollectionBuilder::new(DOCS).strict_mode_config(config);
        client.update_collection(update).await.unwrap();
    };
    let set = async || {
        let filter = Filter::must([Condition::matches("a", 1)]);
        let set = SetPayloadPointsBuilder::new(DOCS, Payload::new()).points_selector(filter);
        client.set_payload(set.wait(true)).await
    };
    // Three points match. Without an index, the estimate is half of all points.
    limit(1).await;
    set().await.unwrap();
    set().await.expect_err("an empty bucket");
    // With an index, the matching points are counted.
    let index = CreateFieldIndexCollectionBuilder::new(DOCS, "a", FieldType::Integer);
    client.create_field_index(index).await.unwrap();
    limit(3).await;
    set().await.unwrap();
    set().await.expect_err("an empty bucket");
}

#[tokio::test]
async fn a_point_that_several_searches_of_a_batch_take_their_vector_from_is_read_once() {
    for (limit, passes) in [(5, true), (4, false)] {
        let config = StrictModeConfigBuilder::default().enabled(true).read_rate_limit(limit);
        let (_server, client) = limited(config).await;
        client.upsert_points(upsert([1, 2].map(point).to_vec())).await.unwrap();
        let by_id = QueryPointsBuilder::new(DOCS).query(Query::new_nearest(1)).build();
        let batch = QueryBatchPointsBuilder::new(DOCS, vec![by_id; 2]);
        assert_eq!(client.query_batch(batch).await.is_ok(), passes, "{limit}");
    }
}

#[tokio::test]
async fn an_index_costs_nothing() {
    let config = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(1);
    let (_server, client) = limited(config).await;
    for field in ["a", "b", "c"] {
        let index = CreateFieldIndexCollectionBuilder::new(DOCS, field, FieldType::Keyword);
        client.create_field_index(index).await.unwrap();
    }
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
}

async fn stored(client: &Qdrant) -> Vec<RetrievedPoint> {
    client.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap().result
}
