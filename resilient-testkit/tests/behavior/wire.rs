use std::time::{Duration, Instant};

use qdrant_client::{Qdrant, QdrantError};
use resilient_testkit::{Answer, Fault, Method, RawPeer, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::support::{assert_status, server_with_docs, status};

fn client_of(url: &str) -> Qdrant {
    Qdrant::from_url(url).skip_compatibility_check().build().unwrap()
}

async fn answered(answer: Answer) -> Result<(), QdrantError> {
    let (server, client) = server_with_docs().await;
    server.script(Fault::answer(answer).on(Method::LIST_COLLECTIONS));
    client.list_collections().await.map(drop)
}

#[tokio::test]
async fn an_answer_is_given_with_its_status_headers_and_body() {
    assert_status(
        answered(Answer::http(503)).await,
        Code::Unavailable,
        "grpc-status header missing, mapped from HTTP status code 503",
    );
    let page = Answer::http(502).header("retry-after", "3").body("<h1>").body("down</h1>");
    let error = answered(page).await.unwrap_err();
    assert_eq!(status(&error).metadata().get("retry-after").unwrap(), "3");
    assert!(status(&error).message().contains("flag: 60"), "{error}");
}

#[tokio::test]
async fn an_empty_message_is_a_valid_answer() {
    answered(Answer::grpc().message([])).await.unwrap();
    let lost = answered(Answer::grpc().message([]).without_trailers()).await.unwrap_err();
    assert!(status(&lost).message().contains("missing grpc-status trailer"), "{lost}");
}

#[tokio::test]
async fn an_answer_may_be_reset_before_it_ends() {
    let reset = Answer::grpc().message([]).then_reset(Reason::INTERNAL_ERROR);
    let error = answered(reset).await.unwrap_err();
    assert!(status(&error).message().contains("error reading a body"), "{error}");
}

#[tokio::test]
async fn a_stream_is_reset_with_its_reason_and_the_connection_stays() {
    let (server, client) = server_with_docs().await;
    let before = server.connections().accepted();
    let reset = Fault::reset_stream(Reason::REFUSED_STREAM).on(Method::HEALTH_CHECK).times(1);
    let fault = server.script(reset);
    // The client's own second try succeeds, on a new connection.
    client.health_check().await.unwrap();
    assert_eq!((fault.hits(), server.requests(Method::HEALTH_CHECK)), (1, 2));
    assert_eq!(server.connections().open(), 1 + usize::try_from(before).unwrap());
}

#[tokio::test]
async fn a_peer_that_goes_away_takes_the_request_with_it() {
    let peer = RawPeer::going_away(Reason::ENHANCE_YOUR_CALM).await.unwrap();
    client_of(&peer.url()).list_collections().await.expect_err("no answer");
    assert_eq!((peer.connections(), peer.requests()), (1, 1));
}

#[tokio::test]
async fn a_peer_says_its_piece_and_closes() {
    let peer = RawPeer::saying("HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let mut socket = TcpStream::connect(peer.addr()).await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut said = String::new();
    socket.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_eq!((peer.connections(), peer.requests()), (1, 0));
}

#[tokio::test]
async fn a_full_peer_lets_nobody_in() {
    let peer = RawPeer::full().await.unwrap();
    let connect = TcpStream::connect(peer.addr());
    let waited = tokio::time::timeout(Duration::from_millis(300), connect).await;
    assert!(waited.is_err(), "it has no room");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_peer_stops_when_it_is_dropped() {
    let peer = RawPeer::saying("").await.unwrap();
    let addr = peer.addr();
    drop(peer);
    let start = Instant::now();
    while TcpStream::connect(addr).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(60), "the port is still open");
        tokio::task::yield_now().await;
    }
}
