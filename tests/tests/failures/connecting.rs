//! No connection: nothing reaches the server, or what is set up at one end does not fit the other.

use std::time::Duration;

use qdrant_client::{Qdrant, QdrantError};
use rcgen::CertifiedKey;
use resilient_runtime::{Classify, ErrorKind};
use resilient_testkit::{EmbeddedQdrant, Fault, Method, RawPeer};
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::support::{Call, SHORT, Seen, client_of, server, with_timeout};

/// What is seen of a call to this URL, where nothing can count requests.
async fn seen_at(url: &str, call: Call) -> Seen {
    Seen::of(&call.send(&with_timeout(url, SHORT)).await.unwrap_err(), 0)
}

/// The same server's URL, for TLS.
fn secure(url: &str) -> String {
    url.replace("http://", "https://")
}

#[tokio::test]
async fn a_refused_connection_of_a_new_channel() {
    for call in Call::BOTH {
        let server = server().await;
        server.connections().refuse();
        let error = call.send(&client_of(&server.url())).await.unwrap_err();
        // The client's own second try hides the first where it cannot connect, and the error does
        // not say whose it is.
        let expected = Seen::executed_perhaps(ErrorKind::ConnectionError, 0);
        assert_eq!(Seen::of(&error, server.total_requests()), expected, "{call:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_of_a_channel_that_was_connected() {
    let server = server().await;
    let client = client_of(&server.url());
    Call::List.send(&client).await.unwrap();
    server.connections().refuse();
    server.connections().reset();
    // The runtime looks at its sockets before this is over, so the client knows of the reset.
    tokio::time::sleep(SHORT).await;
    let error = Call::List.send(&client).await.unwrap_err();
    let expected = Seen::not_executed(ErrorKind::ConnectionError, 1);
    assert_eq!(Seen::of(&error, server.total_requests()), expected, "{error}");
}

#[tokio::test]
async fn a_refused_second_try_hides_a_first_one_that_was_executed() {
    let server = server().await;
    let client = client_of(&server.url());
    Call::List.send(&client).await.unwrap();
    server.reset_counts();
    server.connections().refuse();
    let answer = Fault::status_after_execution(Status::unavailable("the shard moves"));
    server.script(answer.on(Method::UPSERT));
    let error = Call::Upsert.send(&client).await.unwrap_err();
    let expected = Seen::executed_perhaps(ErrorKind::ConnectionError, 1);
    assert_eq!(Seen::of(&error, server.total_requests()), expected, "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    for call in Call::BOTH {
        // RFC 6761 keeps this name for what does not exist.
        let client = client_of("http://name.invalid:6334");
        let error = call.send(&client).await.unwrap_err();
        let expected = Seen::executed_perhaps(ErrorKind::ConnectionError, 0);
        assert_eq!(Seen::of(&error, 0), expected, "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time() {
    let peer = RawPeer::full().await.unwrap();
    for call in Call::BOTH {
        let error = call.send(&with_timeout(&peer.url(), SHORT)).await.unwrap_err();
        let expected = Seen::executed_perhaps(ErrorKind::ConnectionTimeout, 0);
        assert_eq!(Seen::of(&error, peer.connections()), expected, "{error}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_nobody_answers_is_beyond_the_clients_timeouts() {
    let server = server().await;
    server.connections().stall();
    let client = with_timeout(&secure(&server.url()), SHORT);
    let elapsed = tokio::time::timeout(SHORT * 5, Call::List.send(&client)).await.unwrap_err();
    assert_eq!(elapsed.kind(), ErrorKind::TimeoutError);
    assert!(elapsed.maybe_executed(), "a timeout of our own knows nothing of what it ends");
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn tls_to_a_port_without_it() {
    let server = server().await;
    for call in Call::BOTH {
        let error = call.send(&client_of(&secure(&server.url()))).await.unwrap_err();
        let expected = Seen::executed_perhaps(ErrorKind::InvalidRequestError, 0);
        assert_eq!(Seen::of(&error, server.total_requests()), expected, "{error}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_has_signed() {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    let identity = Identity::from_pem(cert.pem(), signing_key.serialize_pem());
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("https://{}", incoming.local_addr().unwrap());
    let serving = Server::builder()
        .tls_config(ServerTlsConfig::new().identity(identity))
        .unwrap()
        .serve_with_incoming(Routes::default().prepare(), incoming);
    let serving = tokio::spawn(serving);
    for call in Call::BOTH {
        let expected = Seen::executed_perhaps(ErrorKind::AuthenticationError, 0);
        assert_eq!(seen_at(&url, call).await, expected);
    }
    serving.abort();
}

#[tokio::test]
async fn an_url_that_nobody_can_connect_to() {
    for url in ["127.0.0.1:6334", "localhost", "ftp://127.0.0.1:6334", "http://name.invalid:99999"]
    {
        for call in Call::BOTH {
            let expected = Seen::not_executed(ErrorKind::InvalidRequestError, 0);
            assert_eq!(seen_at(url, call).await, expected, "{url}");
        }
    }
}

#[tokio::test]
async fn a_host_that_no_certificate_can_name() {
    for call in Call::BOTH {
        let expected = Seen::executed_perhaps(ErrorKind::InvalidRequestError, 0);
        assert_eq!(seen_at("https://a..b:6334", call).await, expected);
    }
}

#[test]
fn an_url_that_is_none() {
    let error = Qdrant::from_url("http://a b").skip_compatibility_check().build().err().unwrap();
    assert!(matches!(error, QdrantError::InvalidUri(_)), "{error:?}");
    let expected = Seen::not_executed(ErrorKind::InvalidRequestError, 0);
    assert_eq!(Seen::of(&error, 0), expected);
}

#[tokio::test]
async fn a_connection_check_fails_as_a_call_does() {
    let server = EmbeddedQdrant::start().await.unwrap();
    server.connections().refuse();
    let config = Qdrant::from_url(&server.url()).connect_timeout(Duration::from_secs(30));
    let error = config.skip_compatibility_check().check_connection().build().err().unwrap();
    let expected = Seen::executed_perhaps(ErrorKind::ConnectionError, 0);
    assert_eq!(Seen::of(&error, server.total_requests()), expected, "{error}");
}
