use std::io::ErrorKind;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use qdrant_client::Qdrant;
use qdrant_client::config::CompressionEncoding;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, FieldType, StrictModeConfigBuilder,
    UpdateCollectionBuilder,
};
use resilient_testkit::store::{Distance, VectorConfig};
use resilient_testkit::{EmbeddedQdrant, Fault, MemoryStore, Method, Storage, Store};
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
    // After the first bytes of the server comes the end of the stream, or a reset.
    let _ = open.read_to_end(&mut Vec::new()).await;
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

#[tokio::test]
async fn a_client_may_check_its_compatibility_on_the_only_thread_of_a_test() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let start = Instant::now();
    // This blocks the thread until the server responds, or until the timeout.
    let client = Qdrant::from_url(&server.url()).timeout(Duration::from_secs(20)).build().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(server.requests(Method::HEALTH_CHECK), 1);
    client.list_collections().await.unwrap();
}

#[tokio::test]
async fn a_server_serves_a_thread_that_blocks() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let (answer, answered) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        answer.send(runtime.block_on(client.list_collections())).unwrap();
    });
    answered.recv_timeout(Duration::from_secs(60)).expect("an answer").unwrap();
}

#[test]
fn a_server_outlives_the_runtime_that_it_was_started_in() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime().block_on(EmbeddedQdrant::start()).unwrap();
    runtime().block_on(async { server.client().list_collections().await }).unwrap();
    runtime().block_on(server.shutdown());
}

#[tokio::test]
async fn a_paused_clock_neither_ends_nor_holds_up_what_the_server_measures() {
    let (server, _) = server_with_docs().await;
    let client = server.client();
    tokio::time::pause();
    let window = server.script(Fault::hang().on(Method::COUNT).lasting(Duration::from_secs(60)));
    tokio::time::advance(Duration::from_secs(3600)).await;
    let hour = server.script(Fault::hang().on(Method::GET).starting_in(Duration::from_secs(3600)));
    let delay = Duration::from_millis(50);
    server.script(Fault::delay(delay).on(Method::LIST_COLLECTIONS));
    tokio::time::advance(Duration::from_secs(3600)).await;

    // On another thread, whose clock is not paused.
    let elsewhere = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let start = Instant::now();
            client.list_collections().await.unwrap();
            assert!(start.elapsed() >= delay, "{:?}", start.elapsed());
            let get = qdrant_client::qdrant::GetPointsBuilder::new(DOCS, vec![1.into()]);
            client.get_points(get).await.unwrap();
            let count = client.count(qdrant_client::qdrant::CountPointsBuilder::new(DOCS));
            assert!(tokio::time::timeout(delay, count).await.is_err());
        });
    });
    elsewhere.join().unwrap();
    assert_eq!((window.hits(), hour.hits()), (1, 0));
}

#[tokio::test]
async fn a_paused_clock_does_not_cut_a_graceful_stop_short() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    tokio::time::pause();
    let fault =
        server.script(Fault::delay(Duration::from_millis(150)).on(Method::LIST_COLLECTIONS));
    let call = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(client.list_collections())
    });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
    call.join().unwrap().expect("it completes");
}

#[tokio::test]
async fn a_server_takes_the_port_that_it_is_given_or_says_that_it_cannot() {
    let first = EmbeddedQdrant::start().await.unwrap();
    let port = first.addr().port();
    let taken = EmbeddedQdrant::builder().port(port).start().await;
    assert_eq!(taken.expect_err("a server has it").kind(), ErrorKind::AddrInUse);
    first.connections().refuse();
    let taken = EmbeddedQdrant::builder().port(port).start().await;
    assert_eq!(taken.expect_err("a server keeps it").kind(), ErrorKind::AddrInUse);
    first.kill();
    let taken = EmbeddedQdrant::builder().port(port).start().await;
    assert_eq!(taken.expect_err("a stopped server keeps it").kind(), ErrorKind::AddrInUse);

    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let taken = EmbeddedQdrant::builder().port(port).start().await;
    assert_eq!(taken.expect_err("another program has it").kind(), ErrorKind::AddrInUse);
}

/// Creates a collection with a point, an index and settings.
async fn fill(client: &Qdrant) {
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    let index = CreateFieldIndexCollectionBuilder::new(DOCS, "a", FieldType::Keyword);
    client.create_field_index(index).await.unwrap();
    let strict = StrictModeConfigBuilder::default().enabled(true).read_rate_limit(2);
    let update = UpdateCollectionBuilder::new(DOCS).strict_mode_config(strict);
    client.update_collection(update).await.unwrap();
}

async fn assert_filled(client: &Qdrant) {
    let info = client.collection_info(DOCS).await.unwrap().result.unwrap();
    assert_eq!(info.points_count, Some(1));
    assert!(info.payload_schema.contains_key("a"));
    assert_eq!(info.config.unwrap().strict_mode_config.unwrap().read_rate_limit, Some(2));
}

async fn count(client: &Qdrant) -> bool {
    let count = qdrant_client::qdrant::CountPointsBuilder::new(DOCS);
    client.count(count).await.is_ok()
}

#[tokio::test]
async fn a_killed_server_starts_again_with_its_data_and_full_rate_limits() {
    let (server, client) = server_with_docs().await;
    fill(&client).await;
    for _ in 0..3 {
        assert!(count(&client).await && count(&client).await && !count(&client).await);
        let (addr, requests) = (server.addr(), server.requests(Method::COUNT));
        server.kill();
        server.kill();
        let refused = TcpStream::connect(addr).await.expect_err("no server");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        server.connections().allow();
        TcpStream::connect(addr).await.expect_err("a stopped server has no door to open");
        client.list_collections().await.expect_err("no server");
        server.start_again().unwrap();
        server.start_again().unwrap();
        assert_eq!(server.addr(), addr);
        assert_eq!(server.requests(Method::COUNT), requests);
        assert_filled(&server.client()).await;
    }
}

#[tokio::test]
async fn a_stop_lets_calls_complete_and_a_start_takes_new_ones() {
    let (server, client) = server_with_docs().await;
    let delay = server.script(Fault::delay(Duration::from_millis(150)).on(Method::UPSERT).times(1));
    let hang = server.script(Fault::hang().on(Method::LIST_COLLECTIONS).times(1));
    let other = client.clone();
    let upserting = tokio::spawn(async move { other.upsert_points(upsert(vec![point(1)])).await });
    let other = client.clone();
    let hanging = tokio::spawn(async move { other.list_collections().await });
    while delay.hits() == 0 || hang.hits() == 0 {
        tokio::task::yield_now().await;
    }
    server.stop().await;
    upserting.await.unwrap().expect("it completes");
    hanging.await.unwrap().expect_err("the call that hangs");
    TcpStream::connect(server.addr()).await.expect_err("no server");
    server.stop().await;
    server.start_again().unwrap();
    let client = server.client();
    assert!(client.collection_exists(DOCS).await.unwrap());
    // The first stop does not end calls that hang after the restart.
    let hang = server.script(Fault::hang().on(Method::LIST_COLLECTIONS));
    let call = client.list_collections();
    assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
    assert_eq!(hang.hits(), 1);
}

#[tokio::test]
async fn what_a_killed_server_has_not_written_is_never_written() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let delay = Duration::from_millis(100);
    // The client does not repeat this call by itself.
    let fault = server.script(Fault::delay(delay).on(Method::CREATE_COLLECTION));
    let create = CreateCollectionBuilder::new("late");
    let call = tokio::spawn(async move { client.create_collection(create).await });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    server.kill();
    server.start_again().unwrap();
    call.await.unwrap().expect_err("the server was killed");
    tokio::time::sleep(delay * 2).await;
    assert!(!server.client().collection_exists("late").await.unwrap());
}

#[tokio::test]
async fn a_stop_that_is_given_up_stops_at_once() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let fault = server.script(Fault::delay(Duration::from_secs(60)));
    let call = tokio::spawn(async move { client.list_collections().await });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    let stop = tokio::time::timeout(Duration::from_millis(50), server.stop());
    assert!(stop.await.is_err());
    call.await.unwrap().expect_err("the server has stopped");
    fault.remove();
    server.start_again().unwrap();
    server.client().list_collections().await.unwrap();
}

#[tokio::test]
async fn a_new_server_may_take_the_port_of_one_that_had_connections() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let port = server.addr().port();
    let client = server.client();
    for _ in 0..3 {
        client.list_collections().await.unwrap();
    }
    drop(server);
    let server = EmbeddedQdrant::builder().port(port).start().await.unwrap();
    assert_eq!(server.addr().port(), port);
    server.client().list_collections().await.unwrap();
}

#[tokio::test]
async fn servers_that_share_a_storage_serve_the_same_data_with_limits_of_their_own() {
    let (one, client) = server_with_docs().await;
    let two = EmbeddedQdrant::builder().storage(one.storage()).start().await.unwrap();
    assert_ne!(one.addr(), two.addr());
    fill(&client).await;
    let other = two.client();
    assert_filled(&other).await;
    assert!(count(&client).await && count(&client).await && !count(&client).await);
    assert!(count(&other).await, "each node has buckets of its own");
    one.script(Fault::unavailable().on(Method::GET_COLLECTION));
    client.collection_info(DOCS).await.expect_err("the fault");
    assert_filled(&other).await;

    // Both servers number their operations together. The data outlives each server.
    let second = other.upsert_points(upsert(vec![point(1)])).await.unwrap();
    assert_eq!(second.result.unwrap().operation_id, Some(2));
    drop(one);
    assert_filled(&other).await;
    let storage = two.storage();
    drop(two);
    let three = EmbeddedQdrant::builder().storage(storage).start().await.unwrap();
    assert_filled(&three.client()).await;
}

#[tokio::test]
async fn a_test_may_look_into_the_store_of_a_server() {
    let store = Arc::new(MemoryStore::default());
    let storage = Storage::new(Arc::clone(&store));
    let server = EmbeddedQdrant::builder().storage(storage).start().await.unwrap();
    server.client().create_collection(CreateCollectionBuilder::new("seen")).await.unwrap();
    assert_eq!(Store::collections(&store).unwrap(), ["seen"]);
}
