use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, VectorParamsBuilder, VectorsConfigBuilder,
};
use resilient_testkit::EmbeddedQdrant;

use crate::support::{DOCS, point, server_with_docs, upsert};

#[tokio::test]
async fn collections_are_made_listed_and_removed() {
    let (_server, client) = server_with_docs().await;
    let params = VectorParamsBuilder::new(3, Distance::Euclid);
    let created = client
        .create_collection(CreateCollectionBuilder::new("another").vectors_config(params))
        .await
        .unwrap();
    assert!(created.result);

    let list = client.list_collections().await.unwrap().collections;
    let names: Vec<_> = list.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["another", DOCS]);
    assert!(client.collection_exists(DOCS).await.unwrap());

    assert!(client.delete_collection(DOCS).await.unwrap().result);
    assert!(!client.delete_collection(DOCS).await.unwrap().result);
    assert!(!client.collection_exists(DOCS).await.unwrap());
}

#[tokio::test]
async fn the_info_tells_how_the_collection_was_made_and_what_it_holds() {
    let (_server, client) = server_with_docs().await;
    client.upsert_points(upsert(vec![point(1), point(2)])).await.unwrap();
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert_eq!(info.points_count, Some(2));
    let vectors = info.config.unwrap().params.unwrap().vectors_config.unwrap();
    let Some(Config::Params(params)) = vectors.config else {
        panic!("one unnamed vector: {vectors:?}");
    };
    assert_eq!((params.size, params.distance()), (2, Distance::Dot));
}

#[tokio::test]
async fn a_collection_may_have_named_vectors() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("text", VectorParamsBuilder::new(2, Distance::Cosine));
    vectors.add_named_vector_params("image", VectorParamsBuilder::new(3, Distance::Manhattan));
    client
        .create_collection(CreateCollectionBuilder::new(DOCS).vectors_config(vectors))
        .await
        .unwrap();
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    let vectors = info.config.unwrap().params.unwrap().vectors_config.unwrap();
    let Some(Config::ParamsMap(params)) = vectors.config else {
        panic!("named vectors: {vectors:?}");
    };
    assert_eq!(params.map["image"].size, 3);
    assert_eq!(params.map["text"].distance(), Distance::Cosine);
}
