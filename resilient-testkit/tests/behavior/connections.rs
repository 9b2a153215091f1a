use std::io::ErrorKind;
use std::time::Duration;

use qdrant_client::qdrant::ScrollPointsBuilder;
use qdrant_client::{Qdrant, QdrantError};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::support::{DOCS, point, server_with_docs, status, upsert, with_payload};

const SHORT: Duration = Duration::from_millis(100);

/// Returns a client with a single connection, so that the test knows which one it breaks.
fn narrow_client(server: &EmbeddedQdrant) -> Qdrant {
    let mut config = Qdrant::from_url(&server.url()).skip_compatibility_check();
    config.set_pool_size(1);
    config.build().unwrap()
}

/// Returns whether an error or one of its sources is this I/O error.
fn has_io_error(error: &QdrantError, kind: ErrorKind) -> bool {
    let mut source = Some(status(error) as &dyn std::error::Error);
    while let Some(error) = source {
        if error.downcast_ref().is_some_and(|io: &std::io::Error| io.kind() == kind) {
            return true;
        }
        source = error.source();
    }
    false
}

#[tokio::test]
async fn refused_connections_are_refused_until_they_are_allowed() {
    let server = EmbeddedQdrant::start().await.unwrap();
    for _ in 0..5 {
        server.connections().refuse();
        let refused = TcpStream::connect(server.addr()).await.expect_err("the door is shut");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        server.connections().allow();
        TcpStream::connect(server.addr()).await.expect("the door is open");
    }
    assert_eq!(server.connections().accepted(), 5);
}

#[tokio::test]
async fn allowing_what_is_allowed_changes_nothing() {
    let server = EmbeddedQdrant::start().await.unwrap();
    server.connections().allow();
    server.client().list_collections().await.unwrap();
    server.connections().refuse();
    server.connections().refuse();
    assert!(TcpStream::connect(server.addr()).await.is_err());
}

#[tokio::test]
async fn open_connections_outlive_a_refusal() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = narrow_client(&server);
    client.list_collections().await.unwrap();
    server.connections().refuse();
    client.list_collections().await.unwrap();
    let error = server.client().list_collections().await.expect_err("a new connection");
    assert_eq!(status(&error).code(), Code::Internal);
    assert!(status(&error).message().contains("ConnectionRefused"));
}

#[tokio::test]
async fn nobody_takes_the_port_of_a_server_that_refuses() {
    let server = EmbeddedQdrant::start().await.unwrap();
    server.connections().refuse();
    let taken = tokio::net::TcpListener::bind(server.addr()).await;
    assert_eq!(taken.expect_err("the port is kept").kind(), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_reset_breaks_a_call_in_flight() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = narrow_client(&server);
    // The connection is established. If it is reset while the client writes, the client sees a
    // broken pipe.
    client.list_collections().await.unwrap();
    let fault = server.script(Fault::hang().on(Method::LIST_COLLECTIONS).times(1));
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.list_collections().await }
    });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.connections().open(), 1);
    server.connections().reset();
    assert_eq!(server.connections().open(), 0);
    let error = call.await.unwrap().expect_err("the call in flight");
    assert!(has_io_error(&error, ErrorKind::ConnectionReset), "{error:?}");
    client.list_collections().await.unwrap();
    assert_eq!(server.connections().accepted(), 2);
}

#[tokio::test]
async fn a_reset_is_a_tcp_reset() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let mut socket = TcpStream::connect(server.addr()).await.unwrap();
    server.connections().reset();
    let read = socket.read_to_end(&mut Vec::new()).await;
    assert_eq!(read.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_answer_is_cut_where_it_was_asked_to_be() {
    for after_bytes in [0, 1, 9] {
        let server = EmbeddedQdrant::start().await.unwrap();
        let client = narrow_client(&server);
        client.list_collections().await.unwrap();
        server.connections().cut_next_answer(after_bytes);
        let error = client.list_collections().await.expect_err("a cut answer");
        assert_ne!(status(&error).code(), Code::Ok, "cut after {after_bytes}: {error:?}");
        assert_eq!(server.requests(Method::LIST_COLLECTIONS), 2);
        client.list_collections().await.unwrap();
        assert_eq!(server.connections().accepted(), 2);
    }
}

#[tokio::test]
async fn an_answer_may_be_cut_within_its_body() {
    let (server, _) = server_with_docs().await;
    let client = narrow_client(&server);
    let filler = "x".repeat(100_000);
    let point = with_payload(1, [("filler", filler.into())]);
    client.upsert_points(upsert(vec![point])).await.unwrap();
    let scroll = || ScrollPointsBuilder::new(DOCS);
    server.connections().cut_next_answer(50_000);
    server.connections().cut_next_answer(50_000);
    let error = client.scroll(scroll()).await.expect_err("a cut body");
    assert!(status(&error).message().contains("body"), "the headers arrived: {error:?}");
    assert_eq!(client.scroll(scroll()).await.unwrap().result.len(), 1);
}

#[tokio::test]
async fn a_write_whose_answer_is_cut_was_applied() {
    let (server, _) = server_with_docs().await;
    let client = narrow_client(&server);
    server.connections().cut_next_answer(0);
    // The client's own second try succeeds.
    client.upsert_points(upsert(vec![point(1)])).await.unwrap();
    assert_eq!(server.requests(Method::UPSERT), 2);
}

#[tokio::test]
async fn each_cut_is_good_for_one_answer() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = narrow_client(&server);
    server.connections().cut_next_answer(0);
    server.connections().cut_next_answer(0);
    client.list_collections().await.expect_err("the first cut");
    client.list_collections().await.expect_err("the second cut");
    client.list_collections().await.unwrap();
}

#[tokio::test]
async fn a_stall_stops_the_bytes_and_loses_none() {
    let (server, client) = server_with_docs().await;
    server.connections().stall();
    let points = (0..20_000).map(point).collect();
    let call = client.upsert_points(upsert(points));
    let mut call = std::pin::pin!(call);
    assert!(tokio::time::timeout(SHORT, &mut call).await.is_err());
    assert_eq!(server.requests(Method::UPSERT), 0, "nothing came through");
    server.connections().resume();
    call.await.unwrap();
    assert_eq!(server.requests(Method::UPSERT), 1);
}

#[tokio::test]
async fn a_stall_holds_back_answers_as_well() {
    let (server, _) = server_with_docs().await;
    let client = narrow_client(&server);
    client.list_collections().await.unwrap();
    let fault = server.script(Fault::delay(SHORT).on(Method::LIST_COLLECTIONS));
    let call = tokio::spawn(async move { client.list_collections().await });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    server.connections().stall();
    let mut call = call;
    assert!(tokio::time::timeout(SHORT * 2, &mut call).await.is_err());
    server.connections().resume();
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stalled_server_still_takes_connections() {
    let server = EmbeddedQdrant::start().await.unwrap();
    server.connections().stall();
    let mut socket = TcpStream::connect(server.addr()).await.unwrap();
    socket.write_all(b"PRI").await.unwrap();
    assert_eq!(server.connections().accepted(), 1);
    assert!(tokio::time::timeout(SHORT, socket.read_u8()).await.is_err());
}

#[tokio::test]
async fn connections_are_counted() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let first = TcpStream::connect(server.addr()).await.unwrap();
    let _second = TcpStream::connect(server.addr()).await.unwrap();
    assert_eq!(server.connections().accepted(), 2);
    assert_eq!(server.connections().open(), 2);
    drop(first);
    while server.connections().open() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.connections().accepted(), 2);
}

#[tokio::test]
async fn a_dead_connection_carries_nothing_and_new_ones_work() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = narrow_client(&server);
    client.list_collections().await.unwrap();
    let mut silent = TcpStream::connect(server.addr()).await.unwrap();
    server.connections().blackhole();
    let call = client.list_collections();
    assert!(tokio::time::timeout(SHORT, call).await.is_err(), "neither answer nor error");
    // Neither FIN nor RST: no bytes arrive after those that the server has already sent.
    let sent = tokio::time::timeout(SHORT, silent.read_to_end(&mut Vec::new())).await;
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(server.requests(Method::LIST_COLLECTIONS), 1, "nothing came through");
    assert_eq!(server.connections().open(), 2);
    narrow_client(&server).list_collections().await.unwrap();
    // `resume` affects only stalled connections.
    server.connections().resume();
    assert!(tokio::time::timeout(SHORT, client.list_collections()).await.is_err());
}

#[tokio::test]
async fn the_answer_of_a_call_that_has_arrived_is_lost_with_its_connection() {
    let (server, _) = server_with_docs().await;
    let client = narrow_client(&server);
    let fault = server.script(Fault::delay(SHORT * 10).on(Method::UPSERT));
    let upserting = client.clone();
    let call = tokio::spawn(async move { upserting.upsert_points(upsert(vec![point(1)])).await });
    while fault.hits() == 0 {
        tokio::task::yield_now().await;
    }
    // The body of the request arrived earlier on the same connection.
    client.list_collections().await.unwrap();
    server.connections().blackhole();
    let other = server.client();
    while other.scroll(ScrollPointsBuilder::new(DOCS)).await.unwrap().result.is_empty() {
        assert!(!call.is_finished(), "an answer before the call was executed");
    }
    assert!(tokio::time::timeout(SHORT, call).await.is_err(), "no answer");
}

#[tokio::test]
async fn a_dead_connection_may_be_reset_and_holds_up_no_stop() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let mut socket = TcpStream::connect(server.addr()).await.unwrap();
    server.connections().blackhole();
    server.connections().reset();
    assert!(socket.read_to_end(&mut Vec::new()).await.is_err());
    let _dead = TcpStream::connect(server.addr()).await.unwrap();
    server.connections().blackhole();
    let start = std::time::Instant::now();
    server.shutdown().await;
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}
