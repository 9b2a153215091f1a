use std::io::ErrorKind;
use std::time::Duration;

use qdrant_client::Qdrant;
use qdrant_client::config::CompressionEncoding;
use resilient_testkit::store::{Distance, VectorConfig};
use resilient_testkit::{EmbeddedQdrant, Fault, MemoryStore, Method, Store};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::{DOCS, point, server_with_docs, upsert};

#[tokio::test]
async fn it_says_who_it_is() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let health = server.client().health_check().await.unwrap();
    assert_eq!(health.title, "qdrant - vector search engine");
    assert_eq!(health.version, "1.20.0");
    assert_eq!(server.url(), format!("http://{}", server.addr()));
}

#[tokio::test]
async fn each_server_has_a_port_and_a_store_of_its_own() {
    let (one, _client) = server_with_docs().await;
    let other = EmbeddedQdrant::start().await.unwrap();
    assert_ne!(one.addr(), other.addr());
    assert!(!other.client().collection_exists(DOCS).await.unwrap());
}

#[tokio::test]
async fn it_serves_a_store_that_is_not_empty() {
    let store = MemoryStore::default();
    let config = VectorConfig { size: 2, distance: Distance::Dot };
    store.create_collection(DOCS, [(String::new(), config)].into()).unwrap();
    let server = EmbeddedQdrant::start_with(store).await.unwrap();
    let client = server.client();
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert_eq!(info.points_count, Some(1));
    assert!(info.config.unwrap().params.unwrap().vectors_config.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_on_several_threads() {
    let (_server, client) = server_with_docs().await;
    let calls: Vec<_> = (0..50)
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move { client.upsert_points(upsert(vec![point(id)])).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert_eq!(info.points_count, Some(50));
}

#[tokio::test]
async fn it_takes_compressed_messages() {
    let (server, _) = server_with_docs().await;
    let client = Qdrant::from_url(&server.url())
        .compression(Some(CompressionEncoding::Gzip))
        .skip_compatibility_check()
        .build()
        .unwrap();
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
}

#[tokio::test]
async fn dropping_it_closes_its_port_and_its_connections() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let addr = server.addr();
    server.client().list_collections().await.unwrap();
    let mut open = TcpStream::connect(addr).await.unwrap();
    drop(server);
    let refused = TcpStream::connect(addr).await.expect_err("no server");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // The end of the stream, or a reset: the server did not look at what it was sent.
    let end = open.read_to_end(&mut Vec::new()).await;
    assert!(end.is_err() || end.is_ok_and(|read| read == 0));
    tokio::net::TcpListener::bind(addr).await.expect("the port is free");
}

#[tokio::test]
async fn dropping_it_ends_calls_that_hang() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let fault = server.script(Fault::hang());
    let call = tokio::spawn(async move { client.list_collections().await });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    drop(server);
    call.await.unwrap().expect_err("the server is gone");
}

#[tokio::test]
async fn a_graceful_stop_lets_calls_in_flight_complete() {
    let (server, client) = server_with_docs().await;
    let delay = Duration::from_millis(150);
    let fault = server.script(Fault::delay(delay).on(Method::UPSERT));
    let addr = server.addr();
    let call = tokio::spawn(async move { client.upsert_points(upsert(vec![point(1)])).await });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
    call.await.unwrap().expect("it completes");
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_graceful_stop_does_not_wait_for_what_never_ends() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let hang = server.script(Fault::hang().on(Method::LIST_COLLECTIONS));
    let stall = server.script(Fault::stall_body().on(Method::HEALTH_CHECK));
    let hanging = tokio::spawn({
        let client = client.clone();
        async move { client.list_collections().await }
    });
    let stalled = tokio::spawn(async move { client.health_check().await });
    while hang.hits() == 0 || stall.hits() == 0 {
        tokio::task::yield_now().await;
    }
    let _silent = TcpStream::connect(server.addr()).await.unwrap();
    server.shutdown().await;
    hanging.await.unwrap().expect_err("the call that hangs");
    stalled.await.unwrap().expect_err("the answer that stalls");
}
