use qdrant_client::qdrant::{
    Condition, CreateCollectionBuilder, Distance, Filter, NamedVectors, PointStruct, Query,
    QueryBatchPointsBuilder, QueryPointsBuilder, ScoredPoint, SearchBatchPointsBuilder,
    SearchPointsBuilder, VectorParamsBuilder, VectorsConfigBuilder, vector_output,
};
use qdrant_client::{Payload, Qdrant};
use resilient_testkit::EmbeddedQdrant;

use crate::support::{DOCS, number, point, server_with_docs, upsert, with_payload};

fn ids(result: Vec<ScoredPoint>) -> Vec<u64> {
    result.into_iter().map(|point| number(point.id)).collect()
}

async fn filled() -> (EmbeddedQdrant, Qdrant) {
    let (server, client) = server_with_docs().await;
    let points = (1..=5).map(|id| with_payload(id, [("even", (id % 2 == 0).into())]));
    client.upsert_points(upsert(points.collect())).await.unwrap();
    (server, client)
}

/// Inserts points 1 to 3 with these vectors, and returns the ids and scores of a search for
/// `[1.0, 0.0]`.
async fn search_by(distance: Distance, places: [[f32; 2]; 3]) -> (Vec<u64>, Vec<f32>) {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    client
        .create_collection(
            CreateCollectionBuilder::new(DOCS)
                .vectors_config(VectorParamsBuilder::new(2, distance)),
        )
        .await
        .unwrap();
    let points = (1u64..).zip(places);
    let points = points.map(|(id, place)| PointStruct::new(id, place.to_vec(), Payload::new()));
    client.upsert_points(upsert(points.collect())).await.unwrap();
    let found = client
        .search_points(SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 3))
        .await
        .unwrap()
        .result;
    let scores = found.iter().map(|point| point.score).collect();
    (ids(found), scores)
}

fn assert_near(actual: &[f32], expected: &[f32]) {
    assert_eq!(actual.len(), expected.len());
    for (a, b) in actual.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5, "{actual:?} is not {expected:?}");
    }
}

#[tokio::test]
async fn cosine_puts_the_smallest_angle_first_whatever_the_length() {
    let (ids, scores) = search_by(Distance::Cosine, [[3.0, 4.0], [0.1, 0.0], [-9.0, 0.0]]).await;
    assert_eq!(ids, [2, 1, 3]);
    assert_near(&scores, &[1.0, 0.6, -1.0]);
}

#[tokio::test]
async fn dot_puts_the_largest_product_first() {
    let (ids, scores) = search_by(Distance::Dot, [[3.0, 4.0], [0.1, 0.0], [9.0, 0.0]]).await;
    assert_eq!(ids, [3, 1, 2]);
    assert_near(&scores, &[9.0, 3.0, 0.1]);
}

#[tokio::test]
async fn euclid_puts_the_shortest_way_first() {
    let (ids, scores) = search_by(Distance::Euclid, [[4.0, 4.0], [1.0, 1.0], [1.0, 3.0]]).await;
    assert_eq!(ids, [2, 3, 1]);
    assert_near(&scores, &[1.0, 3.0, 5.0]);
}

#[tokio::test]
async fn manhattan_adds_up_the_axes() {
    let (ids, scores) = search_by(Distance::Manhattan, [[4.0, 4.0], [1.0, 1.0], [2.0, 3.0]]).await;
    assert_eq!(ids, [2, 3, 1]);
    assert_near(&scores, &[1.0, 4.0, 7.0]);
}

#[tokio::test]
async fn equals_come_in_the_order_of_their_ids() {
    let (ids, _) = search_by(Distance::Dot, [[1.0, 5.0], [2.0, 0.0], [1.0, 9.0]]).await;
    assert_eq!(ids, [2, 1, 3]);
}

#[tokio::test]
async fn cosine_vectors_are_stored_normalized() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let params = VectorParamsBuilder::new(2, Distance::Cosine);
    client
        .create_collection(CreateCollectionBuilder::new(DOCS).vectors_config(params))
        .await
        .unwrap();
    let point = PointStruct::new(1, vec![3.0, 4.0], Payload::new());
    client.upsert_points(upsert(vec![point])).await.unwrap();
    let found = client
        .search_points(SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1).with_vectors(true))
        .await
        .unwrap()
        .result;
    let Some(vector_output::Vector::Dense(stored)) =
        found[0].vectors.as_ref().unwrap().get_vector()
    else {
        panic!("a dense vector");
    };
    assert_near(&stored.data, &[0.6, 0.8]);
}

#[tokio::test]
async fn a_search_is_limited_offset_filtered_and_cut_at_a_score() {
    let (_server, client) = filled().await;
    let search = |limit| SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], limit);
    let found =
        async |search: SearchPointsBuilder| ids(client.search_points(search).await.unwrap().result);
    assert_eq!(found(search(2)).await, [5, 4]);
    assert_eq!(found(search(2).offset(2)).await, [3, 2]);
    let even = Filter::must([Condition::matches("even", true)]);
    assert_eq!(found(search(9).filter(even)).await, [4, 2]);
    assert_eq!(found(search(9).score_threshold(3.0)).await, [5, 4]);
}

#[tokio::test]
async fn a_search_returns_payload_only_when_asked() {
    let (_server, client) = filled().await;
    let search = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1);
    let found = client.search_points(search.clone()).await.unwrap().result;
    assert!(found[0].payload.is_empty());
    let found = client.search_points(search.with_payload(true)).await.unwrap().result;
    assert_eq!(found[0].payload["even"], false.into());
}

#[tokio::test]
async fn a_query_by_vector_is_a_search() {
    let (_server, client) = filled().await;
    let query = QueryPointsBuilder::new(DOCS)
        .query(vec![1.0, 0.0])
        .filter(Filter::must_not([Condition::matches("even", true)]))
        .offset(1)
        .limit(2)
        .with_payload(true);
    let found = client.query(query).await.unwrap().result;
    assert_eq!(found[0].payload["even"], false.into());
    assert_eq!(ids(found), [3, 1]);
}

#[tokio::test]
async fn a_query_by_point_leaves_the_point_out() {
    let (_server, client) = filled().await;
    let query = QueryPointsBuilder::new(DOCS).query(Query::new_nearest(5)).limit(2);
    assert_eq!(ids(client.query(query).await.unwrap().result), [4, 3]);
}

#[tokio::test]
async fn a_query_for_nothing_returns_points_by_id() {
    let (_server, client) = filled().await;
    let query = QueryPointsBuilder::new(DOCS).offset(1).limit(2);
    let found = client.query(query).await.unwrap().result;
    assert_near(&found.iter().map(|point| point.score).collect::<Vec<_>>(), &[1.0, 1.0]);
    assert_eq!(ids(found), [2, 3]);
}

#[tokio::test]
async fn batches_answer_in_the_order_of_their_requests() {
    let (_server, client) = filled().await;
    let up = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1);
    let down = SearchPointsBuilder::new(DOCS, vec![-1.0, 0.0], 1);
    let batch = SearchBatchPointsBuilder::new(DOCS, vec![up.build(), down.build()]);
    let results = client.search_batch_points(batch).await.unwrap().result;
    let results: Vec<_> = results.into_iter().map(|r| ids(r.result)).collect();
    assert_eq!(results, [[5], [1]]);

    let query = |x| QueryPointsBuilder::new(DOCS).query(vec![x, 0.0]).limit(1).build();
    let batch = QueryBatchPointsBuilder::new(DOCS, vec![query(-1.0), query(1.0)]);
    let results = client.query_batch(batch).await.unwrap().result;
    let results: Vec<_> = results.into_iter().map(|r| ids(r.result)).collect();
    assert_eq!(results, [[1], [5]]);
}

#[tokio::test]
async fn a_named_vector_is_searched_among_the_points_that_have_it() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("text", VectorParamsBuilder::new(1, Distance::Dot));
    vectors.add_named_vector_params("image", VectorParamsBuilder::new(1, Distance::Euclid));
    client
        .create_collection(CreateCollectionBuilder::new(DOCS).vectors_config(vectors))
        .await
        .unwrap();
    let named = |id: u64, name: &str, x: f32| {
        let vectors = NamedVectors::default().add_vector(name, vec![x]);
        PointStruct::new(id, vectors, Payload::new())
    };
    client
        .upsert_points(upsert(vec![
            named(1, "text", 1.0),
            named(2, "text", 2.0),
            named(3, "image", 3.0),
        ]))
        .await
        .unwrap();
    let search = SearchPointsBuilder::new(DOCS, vec![1.0], 9).vector_name("text");
    assert_eq!(ids(client.search_points(search).await.unwrap().result), [2, 1]);
    let query = QueryPointsBuilder::new(DOCS).query(vec![1.0]).using("image");
    assert_eq!(ids(client.query(query).await.unwrap().result), [3]);
}

#[tokio::test]
async fn many_points_fit_into_one_message() {
    let (_server, client) = server_with_docs().await;
    let filler = "x".repeat(1024);
    let points = (0..6000).map(|id| with_payload(id, [("filler", filler.clone().into())]));
    client.upsert_points(upsert(points.collect())).await.unwrap();
    let search = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 6000).with_payload(true);
    let found = client.search_points(search).await.unwrap().result;
    assert_eq!(found.len(), 6000);
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
}
