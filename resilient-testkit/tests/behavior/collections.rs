use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CollectionParamsDiff, CreateCollectionBuilder, Distance, HnswConfigDiffBuilder,
    OptimizersConfigDiffBuilder, UpdateCollectionBuilder, VectorParamsBuilder, VectorParamsDiff,
    VectorsConfigBuilder, VectorsConfigDiff, vectors_config_diff,
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

#[tokio::test]
async fn the_info_has_the_defaults_of_the_server() {
    let (_server, client) = server_with_docs().await;
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert_eq!(info.segments_count, 2);
    let config = info.config.unwrap();
    let hnsw = config.hnsw_config.unwrap();
    assert_eq!((hnsw.m, hnsw.ef_construct), (Some(16), Some(100)));
    assert_eq!(hnsw.full_scan_threshold, Some(10_000));
    let optimizers = config.optimizer_config.unwrap();
    assert_eq!(optimizers.deleted_threshold, Some(0.2));
    assert_eq!(optimizers.vacuum_min_vector_number, Some(1000));
    assert_eq!(optimizers.flush_interval_sec, Some(5));
    let wal = config.wal_config.unwrap();
    assert_eq!((wal.wal_capacity_mb, wal.wal_segments_ahead), (Some(32), Some(0)));
    let params = config.params.unwrap();
    assert_eq!((params.shard_number, params.replication_factor), (1, Some(1)));
}

#[tokio::test]
async fn an_update_changes_the_settings_that_it_names() {
    let (_server, client) = server_with_docs().await;
    let hnsw = |hnsw: HnswConfigDiffBuilder| UpdateCollectionBuilder::new(DOCS).hnsw_config(hnsw);
    client.update_collection(hnsw(HnswConfigDiffBuilder::default().m(32))).await.unwrap();
    let all = hnsw(HnswConfigDiffBuilder::default().ef_construct(200))
        .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(7))
        .params(CollectionParamsDiff {
            replication_factor: Some(2),
            ..CollectionParamsDiff::default()
        })
        .vectors_config(VectorsConfigDiff {
            config: Some(vectors_config_diff::Config::Params(VectorParamsDiff {
                hnsw_config: Some(HnswConfigDiffBuilder::default().m(8).build()),
                ..VectorParamsDiff::default()
            })),
        });
    client.update_collection(all).await.unwrap();

    let config = client.collection_info(DOCS).await.unwrap().result.unwrap().config.unwrap();
    let hnsw = config.hnsw_config.unwrap();
    assert_eq!((hnsw.m, hnsw.ef_construct), (Some(32), Some(200)));
    assert_eq!(config.optimizer_config.unwrap().indexing_threshold, Some(7));
    let params = config.params.unwrap();
    assert_eq!(params.replication_factor, Some(2));
    let Some(Config::Params(vector)) = params.vectors_config.unwrap().config else {
        panic!("one unnamed vector");
    };
    assert_eq!((vector.size, vector.hnsw_config.unwrap().m), (2, Some(8)));
}
