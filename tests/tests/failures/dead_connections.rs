//! A connection that has died silently: neither `FIN` nor `RST`.
//!
//! `qdrant-client` makes a new channel when its own timeout ends a call. A shorter timeout around
//! the call ends it before that, and the dead channel is used again.

use std::time::Duration;

use qdrant_client::{Qdrant, QdrantError};
use resilient_runtime::{Classify, ErrorKind, Policy, resilient};

use crate::support::{Call, SHORT, client_of, server, with_timeout};

/// The shorter timeout of the client. The call after it has to succeed within this time, also on a
/// slow machine.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(1);

/// A policy that ends an attempt after this time, without retries.
fn ends_after(timeout: Duration) -> Policy {
    Policy::builder("dead connections").attempt_timeout(timeout).build().unwrap()
}

#[tokio::test]
async fn a_client_whose_timeout_is_the_shorter_one_replaces_its_channel() {
    for call in Call::BOTH {
        let server = server().await;
        let client = with_timeout(&server.url(), CLIENT_TIMEOUT);
        call.send(&client).await.unwrap();
        let accepted = server.connections().accepted();
        server.connections().blackhole();

        let policy = ends_after(CLIENT_TIMEOUT * 20);
        let first = policy.run(|| call.send(&client)).await;
        match call {
            Call::List => {
                let error = first.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimeoutError, "{error}");
                assert!(error.maybe_executed());
                assert!(error.to_string().contains("Timeout expired"), "{error}");
            }
            // The client's own second try uses the new channel.
            Call::Upsert => first.unwrap(),
        }
        for _ in 0..3 {
            policy.run(|| call.send(&client)).await.unwrap();
        }
        assert_eq!(server.connections().accepted(), accepted + 1, "one new connection: {call:?}");
    }
}

#[resilient(
    retry(row = "timeout_error", base_delay = "10ms"),
    attempt_timeout = "20s",
    deadline = "40s"
)]
async fn list(client: &Qdrant) -> Result<(), QdrantError> {
    Call::List.send(client).await
}

#[tokio::test]
async fn a_retry_gets_the_new_channel() {
    let server = server().await;
    let client = with_timeout(&server.url(), CLIENT_TIMEOUT);
    list(&client).await.unwrap();
    server.connections().blackhole();
    list(&client).await.unwrap();
}

#[tokio::test]
async fn an_attempt_timeout_that_is_the_shorter_one_meets_the_dead_channel_again_and_again() {
    for call in Call::BOTH {
        let server = server().await;
        // Its timeout is 30 seconds.
        let client = client_of(&server.url());
        call.send(&client).await.unwrap();
        server.reset_counts();
        let accepted = server.connections().accepted();
        server.connections().blackhole();

        let policy = ends_after(SHORT);
        for _ in 0..5 {
            let error = policy.run(|| call.send(&client)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimeoutError, "{error}");
            assert!(error.to_string().contains("attempt"), "it is ours: {error}");
        }
        assert_eq!(server.total_requests(), 0, "nothing reaches the server: {call:?}");
        assert_eq!(server.connections().accepted(), accepted, "no new connection: {call:?}");

        // The server still serves other clients.
        let other = client_of(&server.url());
        call.send(&other).await.unwrap();
    }
}
