//! An API key is in no text of this library, whatever the client and the server say of it.

use std::time::Duration;

use qdrant_client::{Qdrant, QdrantError};
use resilient_runtime::{
    BreakerConfig, CircuitBreaker, CircuitOpenError, Classify, ErrorKind, Policy, Rejection,
    RetryExecutor, RetryPolicy, breaker, resilient,
};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};
use resilient_tests::events::Events;
use tonic::Status;

use crate::support::Seen;

const KEY: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// A client with the key, and with a header that has it too.
fn client(server: &EmbeddedQdrant, key: &str) -> Qdrant {
    let config = Qdrant::from_url(&server.url()).api_key(key).skip_compatibility_check();
    config.build().unwrap()
}

/// A key that no header takes.
fn malformed() -> String {
    format!("{KEY}\n")
}

fn assert_silent(text: &str) {
    assert!(!text.contains(KEY), "{text}");
}

fn assert_silent_events(events: &Events) {
    let all = events.all();
    assert!(!all.is_empty());
    for event in all {
        assert_silent(&format!("{event:?}"));
    }
}

#[tokio::test]
async fn a_malformed_key_or_header_is_an_invalid_request_and_is_not_sent() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let with_key = client(&server, &malformed());
    let plain = server.client();
    for client in
        [with_key, plain.with_header("authorization", malformed()), plain.with_header("a b", KEY)]
    {
        let error = client.list_collections().await.unwrap_err();
        let expected = Seen::not_executed(ErrorKind::InvalidRequestError, 0);
        assert_eq!(Seen::of(&error, server.total_requests()), expected);
    }
    // The client's own text has it, or the tests below would hold nothing.
    let error = client(&server, &malformed()).list_collections().await.unwrap_err();
    assert!(error.to_string().contains(KEY));
}

#[resilient(
    retry(max_attempts = 2, base_delay = "1ms"),
    breaker(name = "redaction", failure_threshold = 1, open_duration = "1ms")
)]
async fn list(client: &Qdrant) -> Result<(), QdrantError> {
    client.list_collections().await.map(drop)
}

#[tokio::test]
async fn no_event_and_no_rejection_has_what_an_error_says() {
    let events = Events::catch();
    let server = EmbeddedQdrant::start().await.unwrap();
    // A server that repeats what it was sent, in an error that is retried and opens the breaker.
    let status = Status::unavailable(format!("who is {KEY}?"));
    server.script(Fault::status(status).on(Method::LIST_COLLECTIONS).times(2));
    let client = client(&server, KEY);

    let error = list(&client).await.unwrap_err();
    assert!(error.to_string().contains(KEY), "the error is the client's own");
    let rejected = list(&client).await.unwrap_err();
    assert!(CircuitOpenError::find(&rejected).is_some());
    assert_silent(&format!("{rejected} {rejected:?}"));

    tokio::time::sleep(Duration::from_millis(2)).await;
    for _ in 0..2 {
        list(&client).await.unwrap();
    }
    for message in ["retrying", "gave up", "rejected", "circuit breaker changed state"] {
        assert!(!events.named(message).is_empty(), "no event `{message}`");
    }
    assert_silent_events(&events);
    assert_silent(&format!("{:?}", breaker("redaction").unwrap()));
}

#[resilient(retry = "auto", breaker = "redaction of a key")]
async fn list_with_a_bad_key(client: &Qdrant) -> Result<(), QdrantError> {
    client.list_collections().await.map(drop)
}

#[tokio::test]
async fn a_malformed_key_is_in_no_event() {
    let events = Events::catch();
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = client(&server, &malformed());
    list_with_a_bad_key(&client).await.unwrap_err();

    // An attempt that is retried first, so that the call is given up with an event.
    let attempts = std::cell::Cell::new(0);
    let policy = RetryPolicy::builder().base_delay(Duration::from_millis(1)).build().unwrap();
    let executor = RetryExecutor::new(policy);
    let call = || {
        attempts.set(attempts.get() + 1);
        let attempt = attempts.get();
        let client = &client;
        async move {
            if attempt == 1 {
                return Err(Status::unavailable(KEY).into());
            }
            client.list_collections().await.map(drop)
        }
    };
    executor.execute(call).await.unwrap_err();
    assert_eq!(events.named("gave up").len(), 1);
    assert_silent_events(&events);
    assert_silent(&format!("{executor:?}"));
}

#[tokio::test]
async fn a_breaker_that_was_asked_by_hand_keeps_no_error() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = client(&server, KEY);
    server.script(Fault::status(Status::unavailable(KEY)));
    let config = BreakerConfig::builder().failure_threshold(1).build().unwrap();
    let breaker = std::sync::Arc::new(CircuitBreaker::named("by hand", config));
    breaker.call(|| client.list_collections()).await.unwrap_err();
    let policy =
        Policy::builder("by hand").breaker(std::sync::Arc::clone(&breaker)).build().unwrap();
    let rejected = policy.run(|| client.list_collections()).await.unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::CircuitOpen);
    let rejection = Rejection::from(breaker.acquire().unwrap_err());
    for text in [
        format!("{rejected} {rejected:?}"),
        format!("{rejection} {rejection:?}"),
        format!("{breaker:?} {:?} {policy:?}", breaker.stats()),
    ] {
        assert_silent(&text);
    }
}

#[tokio::test]
async fn the_testkit_keeps_no_header() {
    let server = EmbeddedQdrant::start().await.unwrap();
    client(&server, KEY).list_collections().await.unwrap();
    assert_silent(&format!("{server:?}"));
}
