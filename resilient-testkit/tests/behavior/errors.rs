use qdrant_client::Payload;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, DeletePointsBuilder, Distance, FacetCountsBuilder, GetPointsBuilder,
    NamedVectors, PointStruct, PointsIdsList, Query, QueryPointsBuilder, ScrollPointsBuilder,
    SearchPointsBuilder, SetPayloadPointsBuilder, VectorParamsBuilder, VectorsConfigBuilder,
    VectorsSelector,
};
use resilient_testkit::{EmbeddedQdrant, Method};
use tonic::Code;

use crate::support::{DOCS, assert_status, point, server_with_docs, upsert};

#[tokio::test]
async fn a_missing_collection_is_not_found() {
    let (_server, client) = server_with_docs().await;
    let words = "Not found: Collection `nope` doesn't exist!";
    let search = SearchPointsBuilder::new("nope", vec![1.0, 0.0], 1);
    assert_status(client.search_points(search).await, Code::NotFound, words);
    assert_status(client.collection_info("nope").await, Code::NotFound, words);
    let scroll = ScrollPointsBuilder::new("nope");
    assert_status(client.scroll(scroll).await, Code::NotFound, words);
    let mut points = upsert(vec![point(1)]).build();
    points.collection_name = "nope".to_owned();
    assert_status(client.upsert_points(points).await, Code::NotFound, words);
}

#[tokio::test]
async fn a_collection_is_made_once() {
    let (_server, client) = server_with_docs().await;
    let create = CreateCollectionBuilder::new(DOCS)
        .vectors_config(VectorParamsBuilder::new(2, Distance::Dot));
    assert_status(
        client.create_collection(create).await,
        Code::AlreadyExists,
        "Wrong input: Collection `docs` already exists!",
    );
}

#[tokio::test]
async fn a_vector_has_the_dimensions_of_its_collection() {
    let (server, client) = server_with_docs().await;
    let words = "Wrong input: Vector dimension error: expected dim: 2, got 3";
    let long = PointStruct::new(1, vec![1.0, 2.0, 3.0], Payload::new());
    assert_status(
        client.upsert_points(upsert(vec![point(2), long])).await,
        Code::InvalidArgument,
        words,
    );
    let search = SearchPointsBuilder::new(DOCS, vec![1.0, 2.0, 3.0], 1);
    assert_status(client.search_points(search).await, Code::InvalidArgument, words);
    assert_eq!(server.requests(Method::UPSERT), 1);
    let left = client.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap();
    assert!(left.result.is_empty(), "the other point is not stored either");
}

#[tokio::test]
async fn a_vector_name_is_one_of_its_collection() {
    let (_server, client) = server_with_docs().await;
    let words = "Wrong input: Not existing vector name error: zz";
    let search = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1).vector_name("zz");
    assert_status(client.search_points(search).await, Code::InvalidArgument, words);
    let query = QueryPointsBuilder::new(DOCS).query(Query::new_nearest(1)).using("zz");
    assert_status(client.query(query).await, Code::InvalidArgument, words);
    let named = NamedVectors::default().add_vector("zz", vec![1.0]);
    let named = PointStruct::new(1, named, Payload::new());
    assert_status(client.upsert_points(upsert(vec![named])).await, Code::InvalidArgument, words);
    let selector = VectorsSelector { names: vec!["zz".into()] };
    let get = GetPointsBuilder::new(DOCS, vec![1.into()]).with_vectors(selector.clone());
    let found = client.get_points(get.clone()).await.unwrap();
    assert!(found.result.is_empty(), "there is no point to ask it of");
    let scroll = ScrollPointsBuilder::new(DOCS).with_vectors(selector.clone());
    client.scroll(scroll.clone()).await.unwrap();
    let search = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1).with_vectors(selector.clone());
    client.search_points(search.clone()).await.unwrap();
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    assert_status(client.get_points(get).await, Code::InvalidArgument, words);
    assert_status(client.scroll(scroll).await, Code::InvalidArgument, words);
    assert_status(client.search_points(search).await, Code::InvalidArgument, words);
}

#[tokio::test]
async fn a_query_by_a_missing_point_and_a_change_of_one_are_not_found() {
    let (_server, client) = server_with_docs().await;
    let words = "Not found: No point with id 42 found";
    let query = QueryPointsBuilder::new(DOCS).query(Query::new_nearest(42));
    assert_status(client.query(query).await, Code::NotFound, words);
    let set = SetPayloadPointsBuilder::new(DOCS, Payload::new())
        .points_selector(PointsIdsList { ids: vec![42.into()] });
    assert_status(client.set_payload(set.wait(true)).await, Code::NotFound, words);
}

#[tokio::test]
async fn a_query_by_a_point_without_the_vector_is_not_found() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("text", VectorParamsBuilder::new(1, Distance::Dot));
    client
        .create_collection(CreateCollectionBuilder::new(DOCS).vectors_config(vectors))
        .await
        .unwrap();
    let bare = PointStruct::new(1, NamedVectors::default(), Payload::new());
    client.upsert_points(upsert(vec![bare])).await.unwrap();
    let query = QueryPointsBuilder::new(DOCS).query(Query::new_nearest(1)).using("text");
    assert_status(
        client.query(query).await,
        Code::NotFound,
        "Not found: Vector with name \"text\" for point not found",
    );
}

#[tokio::test]
async fn what_is_malformed_is_an_invalid_argument() {
    let (_server, client) = server_with_docs().await;
    assert_status(
        client.get_points(GetPointsBuilder::new(DOCS, vec!["no-uuid".into()])).await,
        Code::InvalidArgument,
        "Unable to parse UUID: no-uuid",
    );
    let mut empty = point(1);
    empty.vectors = None;
    assert_status(
        client.upsert_points(upsert(vec![empty])).await,
        Code::InvalidArgument,
        "Expected some vectors",
    );
    assert_status(
        client.search_points(SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 0)).await,
        Code::InvalidArgument,
        "Validation error in body: [limit: value 0 invalid, must be 1 or larger]",
    );
    assert_status(
        client.delete_points(DeletePointsBuilder::new(DOCS).build()).await,
        Code::InvalidArgument,
        "PointSelector is missing",
    );
    let create = CreateCollectionBuilder::new("flat")
        .vectors_config(VectorParamsBuilder::new(0, Distance::Dot));
    assert_status(
        client.create_collection(create).await,
        Code::InvalidArgument,
        "Validation error in body: [vectors_config.config.size: value 0 invalid, must be from 1 \
         to 65536]",
    );
}

#[tokio::test]
async fn other_calls_and_options_are_unimplemented() {
    let (_server, client) = server_with_docs().await;
    let facet = FacetCountsBuilder::new(DOCS, "city");
    assert_status(
        client.facet(facet).await,
        Code::Unimplemented,
        "resilient-testkit does not support Points::facet",
    );
    let query = QueryPointsBuilder::new(DOCS).query(Query::new_order_by("city"));
    assert_status(
        client.query(query).await,
        Code::Unimplemented,
        "resilient-testkit does not support queries other than nearest",
    );
}
