//! What the server itself answers.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointId, PointStruct, QueryPointsBuilder,
    SearchPointsBuilder, StrictModeConfigBuilder, UpdateCollectionBuilder, UpdateStatus,
    UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, QdrantError};
use resilient_runtime::{
    Classify, ErrorKind as Kind, Policy, Rejection, RetryExecutor, RetryPolicy,
};
use resilient_testkit::{Answer, Fault, Method};
use tonic::{Code, Status};

use crate::support::{Call, DOCS, Seen, client_of, seen, server};

/// How often a call is sent that is answered with this code.
fn tries(code: Code, call: Call) -> u64 {
    match code {
        Code::Internal | Code::Unavailable | Code::Cancelled | Code::Unknown => call.tries(),
        _ => 1,
    }
}

#[tokio::test]
async fn each_code_has_its_kind() {
    for (code, words, kind, maybe_executed) in [
        (Code::Internal, "Service internal error: who knows", Kind::InternalError, true),
        (Code::Unknown, "", Kind::InternalError, true),
        (Code::DataLoss, "", Kind::InternalError, true),
        (Code::Aborted, "", Kind::InternalError, true),
        (Code::Cancelled, "", Kind::TimeoutError, true),
        (Code::DeadlineExceeded, "Update operation timed out", Kind::TimeoutError, true),
        (Code::Unavailable, "Shard temporarily unavailable", Kind::ServiceUnavailable, true),
        (Code::FailedPrecondition, "Pre-condition failure", Kind::ServiceUnavailable, true),
        (Code::Unauthenticated, "Invalid API key or JWT", Kind::AuthenticationError, false),
        (Code::PermissionDenied, "ExpiredSignature", Kind::AuthenticationError, false),
        (Code::PermissionDenied, "Forbidden: Global access", Kind::PermissionDenied, false),
        (Code::OutOfRange, "decoded message length too large", Kind::InvalidRequestError, true),
        // The client's words, and not the client's: an answer has metadata.
        (Code::Internal, "Failed to connect to peer: TimedOut", Kind::InternalError, true),
    ] {
        for call in Call::BOTH {
            let seen = seen(Fault::status(Status::new(code, words)), call).await;
            let requests = tries(code, call);
            let expected = if maybe_executed {
                Seen::executed_perhaps(kind, requests)
            } else {
                Seen::not_executed(kind, requests)
            };
            assert_eq!(seen, expected, "{code:?} {words} {call:?}");
        }
    }
}

#[tokio::test]
async fn a_rate_limit_with_a_hint() {
    for call in Call::BOTH {
        let seen = seen(Fault::rate_limited(Duration::from_millis(6_100)), call).await;
        // It may be that of one operation of a batch, or of one shard.
        assert_eq!(seen, Seen::executed_perhaps(Kind::RateLimitError, 1).after(7));
    }
}

fn rate_limited(hint: Option<&str>) -> Status {
    let mut status =
        Status::resource_exhausted("Rate limiting exceeded: Write rate limit exceeded");
    if let Some(hint) = hint {
        status.metadata_mut().insert("retry-after", hint.parse().unwrap());
    }
    status
}

#[tokio::test]
async fn a_hint_that_the_client_does_not_read() {
    for (hint, expected) in [
        (None, None),
        (Some("soon"), None),
        (Some("-1"), None),
        (Some("1.5"), Some(Duration::from_millis(1_500))),
        (Some("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO)),
    ] {
        let server = server().await;
        server.script(Fault::status(rate_limited(hint)));
        let error = Call::Upsert.send(&client_of(&server.url())).await.unwrap_err();
        assert!(matches!(error, QdrantError::ResponseError { .. }), "{error:?}");
        assert_eq!(error.kind(), Kind::RateLimitError, "{hint:?}");
        assert_eq!(error.retry_after(), expected, "{hint:?}");
        assert_eq!(server.total_requests(), 1);
    }
}

#[tokio::test]
async fn a_date_to_come_is_waited_for() {
    let server = server().await;
    server.script(Fault::status(rate_limited(Some("Fri, 31 Dec 9999 23:59:59 GMT"))));
    let error = Call::Upsert.send(&client_of(&server.url())).await.unwrap_err();
    assert!(error.retry_after() > Some(Duration::from_secs(1)), "{error}");
}

/// Calls the server, which answers so, by a policy of three attempts, and returns the number of
/// requests.
async fn requests_of(status: Status) -> u64 {
    let server = server().await;
    server.script(Fault::status(status));
    let client = client_of(&server.url());
    let policy = RetryPolicy::builder().base_delay(Duration::from_millis(1)).build().unwrap();
    let executor = RetryExecutor::new(policy);
    executor.execute(|| Call::List.send(&client)).await.unwrap_err();
    server.total_requests()
}

#[tokio::test]
async fn a_hint_that_cannot_be_read_leaves_the_backoff_and_one_beyond_counting_ends_the_call() {
    for (hint, requests) in [
        ("soon", 3),
        ("0.001", 3),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 3),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1),
        ("99999999999999999999", 1),
    ] {
        assert_eq!(requests_of(rate_limited(Some(hint))).await, requests, "{hint}");
    }
}

#[tokio::test]
async fn a_server_that_asks_not_to_retry_is_not_asked_again() {
    for (pushback, requests) in [("1", 3), ("0", 3), ("-1", 1), ("soon", 1), ("1.5", 1)] {
        let mut status = Status::unavailable("busy");
        status.metadata_mut().insert("grpc-retry-pushback-ms", pushback.parse().unwrap());
        assert_eq!(requests_of(status).await, requests, "{pushback}");
    }
}

#[derive(Debug, thiserror::Error, Classify)]
enum Own {
    #[error(transparent)]
    #[classify(transparent)]
    Search(QdrantError),
    #[error("empty")]
    #[classify(kind = "rate_limit_error")]
    Empty,
}

#[tokio::test]
async fn a_pushback_is_the_same_in_every_error_that_holds_the_status() {
    let server = server().await;
    let mut status = Status::unavailable("busy");
    status.metadata_mut().insert("grpc-retry-pushback-ms", "-1".parse().unwrap());
    server.script(Fault::status(status));
    let client = client_of(&server.url());
    let error = || async { Call::List.send(&client).await.unwrap_err() };

    assert!(!error().await.may_retry());
    assert!(!Box::new(error().await).may_retry());
    assert!(!Own::Search(error().await).may_retry());
    assert!(Own::Empty.may_retry());
    let boxed: Box<dyn Error + Send + Sync> = Box::new(error().await);
    assert!(!boxed.may_retry());
    assert!(!std::io::Error::other(error().await).may_retry());
    assert!(!anyhow::Error::from(error().await).context("while searching").may_retry());
    assert!(!eyre::Report::from(error().await).wrap_err("while searching").may_retry());
}

/// A policy for a write that must not be applied twice.
fn once() -> Policy {
    let row = RetryPolicy::builder().base_delay(Duration::from_millis(1)).build().unwrap();
    Policy::builder("once").retry(row).idempotent(false).build().unwrap()
}

#[tokio::test]
async fn a_batch_that_is_refused_in_its_middle_is_sent_once() {
    for refusal in [
        rate_limited(Some("0")),
        Status::unavailable("Shard temporarily unavailable: The shard moves"),
        Status::internal(
            "Service internal error: The replica set for shard 0 on peer 1 has no active replica",
        ),
        Status::internal(
            "Service internal error: No space left on device: WAL buffer size exceeds available \
             disk space",
        ),
        Status::invalid_argument("Bad request: Disk usage is at 95% of total capacity"),
    ] {
        let server = server().await;
        // What comes before the refusal stays.
        server.script(Fault::status_after_execution(refusal.clone()).on(Method::UPSERT));
        let client = client_of(&server.url());
        let attempts = Cell::new(0);
        let write = || async {
            attempts.set(attempts.get() + 1);
            Call::Upsert.send(&client).await
        };
        once().run(write).await.unwrap_err();
        assert_eq!(attempts.get(), 1, "{refusal}");
    }
}

/// The error of a write that is one operation on one shard without replicas.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct OfOnePart(QdrantError);

impl Classify for OfOnePart {
    fn kind(&self) -> Kind {
        self.0.kind()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
    }

    fn maybe_executed(&self) -> bool {
        self.kind() != Kind::RateLimitError && self.0.maybe_executed()
    }

    fn may_retry(&self) -> bool {
        self.0.may_retry()
    }
}

impl From<Rejection> for OfOnePart {
    fn from(rejection: Rejection) -> Self {
        Self(rejection.into())
    }
}

#[tokio::test]
async fn a_write_that_is_known_to_have_one_part_is_sent_again_after_a_rate_limit() {
    let server = server().await;
    server.script(Fault::rate_limited(Duration::ZERO).on(Method::UPSERT).times(2));
    let client = client_of(&server.url());
    once().run(|| async { Call::Upsert.send(&client).await.map_err(OfOnePart) }).await.unwrap();
    assert_eq!(server.requests(Method::UPSERT), 3);
}

#[tokio::test]
async fn a_write_that_outlasts_its_own_timeout_is_no_failure() {
    // `PointsOperationResponse { result: UpdateResult { status: WaitTimeout } }`
    let wait_timeout = u8::try_from(UpdateStatus::WaitTimeout as i32).unwrap();
    let answer = Answer::grpc().message([0x0a, 2, 0x10, wait_timeout]);
    let server = server().await;
    server.script(Fault::answer(answer));
    let point = PointStruct::new(1, vec![1.0, 0.0], Payload::new());
    let upsert = UpsertPointsBuilder::new(DOCS, vec![point]).wait(true).timeout(1);
    let response = client_of(&server.url()).upsert_points(upsert).await.unwrap();
    assert_eq!(response.result.unwrap().status(), UpdateStatus::WaitTimeout);
    assert_eq!(server.requests(Method::UPSERT), 1);
}

#[tokio::test]
async fn a_request_that_is_larger_than_the_whole_limit() {
    let server = server().await;
    let client = client_of(&server.url());
    let limit = StrictModeConfigBuilder::default().enabled(true).write_rate_limit(1);
    let update = UpdateCollectionBuilder::new(DOCS).strict_mode_config(limit);
    client.update_collection(update).await.unwrap();
    let points = [1, 2].map(|id| PointStruct::new(id, vec![1.0, 0.0], Payload::new()));
    let upsert = UpsertPointsBuilder::new(DOCS, points);
    let error = client.upsert_points(upsert).await.unwrap_err();
    let expected = Seen::not_executed(Kind::InvalidRequestError, 1);
    assert_eq!(Seen::of(&error, server.requests(Method::UPSERT)), expected, "{error}");
}

#[tokio::test]
async fn a_search_that_took_too_long() {
    for call in Call::BOTH {
        let seen = seen(Fault::search_timeout(), call).await;
        assert_eq!(seen, Seen::executed_perhaps(Kind::SearchTimeout, call.tries()));
    }
}

#[tokio::test]
async fn what_a_request_names_and_is_not_there() {
    let server = server().await;
    let client = client_of(&server.url());
    let search = SearchPointsBuilder::new("nowhere", vec![1.0, 0.0], 1);
    let error = client.search_points(search).await.unwrap_err();
    assert_eq!(Seen::of(&error, 1), Seen::not_executed(Kind::CollectionNotFound, 1), "{error}");

    let query = QueryPointsBuilder::new(DOCS).query(PointId::from(999));
    let error = client.query(query).await.unwrap_err();
    assert_eq!(Seen::of(&error, 1), Seen::executed_perhaps(Kind::NotFoundError, 1), "{error}");
    assert_eq!(server.total_requests(), 2);
}

#[tokio::test]
async fn a_vector_that_does_not_fit() {
    let server = server().await;
    let client = client_of(&server.url());
    let long = SearchPointsBuilder::new(DOCS, vec![1.0; 3], 1);
    let unnamed = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1).vector_name("zz");
    for search in [long, unnamed] {
        server.reset_counts();
        let error = client.search_points(search).await.unwrap_err();
        let expected = Seen::not_executed(Kind::InvalidVector, 1);
        assert_eq!(Seen::of(&error, server.total_requests()), expected, "{error}");
    }
}

#[tokio::test]
async fn a_request_that_is_wrong() {
    let server = server().await;
    let client = client_of(&server.url());
    let expected = || Seen::not_executed(Kind::InvalidRequestError, 1);

    let none = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 0);
    let error = client.search_points(none).await.unwrap_err();
    assert_eq!(Seen::of(&error, 1), expected(), "{error}");

    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    let again = CreateCollectionBuilder::new(DOCS).vectors_config(vectors);
    let error = client.create_collection(again).await.unwrap_err();
    assert_eq!(Seen::of(&error, 1), expected(), "{error}");

    let error = client.list_full_snapshots().await.unwrap_err();
    assert_eq!(Seen::of(&error, 1), expected(), "{error}");
    assert_eq!(server.total_requests(), 3);
}

#[tokio::test]
async fn a_first_try_that_was_executed_is_hidden_by_a_second_that_was_not() {
    let server = server().await;
    let broken = Fault::status_after_execution(Status::unavailable("the shard moves"));
    server.script(broken.on(Method::UPSERT).times(1));
    server.script(Fault::rate_limited(Duration::from_secs(1)).on(Method::UPSERT));
    let error = Call::Upsert.send(&client_of(&server.url())).await.unwrap_err();
    // All that the client shows is the answer to its second try.
    let expected = Seen::executed_perhaps(Kind::RateLimitError, 2).after(1);
    assert_eq!(Seen::of(&error, server.total_requests()), expected, "{error}");
}
