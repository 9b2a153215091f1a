//! The texts of a cluster, of the inference service and of limits, which this suite cannot provoke.
//! Each is the exact status that the server's source makes, without the transport.

use std::error::Error;

use proptest::prelude::*;
use qdrant_client::QdrantError;
use resilient_runtime::{Classify, ErrorKind as Kind};
use tonic::{Code, Status};

/// What a status says. Each way to hold it says the same.
fn answers(status: &Status) -> (Kind, bool) {
    fn of(error: &impl Classify) -> (Kind, bool) {
        (error.kind(), error.maybe_executed())
    }
    let qdrant = || QdrantError::from(status.clone());
    let seen = of(status);
    assert_eq!(of(&qdrant()), seen);
    assert_eq!(of(&Box::new(qdrant())), seen);
    assert_eq!(of(&(Box::new(status.clone()) as Box<dyn Error + Send + Sync>)), seen);
    assert_eq!(of(&(Box::new(qdrant()) as Box<dyn Error + Send + Sync>)), seen);
    assert_eq!(of(&anyhow::Error::from(qdrant()).context("while indexing")), seen);
    assert_eq!(of(&eyre::Report::from(qdrant()).wrap_err("while indexing")), seen);
    assert_eq!(of(&std::io::Error::other(qdrant())), seen);
    seen
}

fn assert_each(code: Code, rows: &[(&str, Kind, bool)]) {
    for &(message, kind, maybe_executed) in rows {
        let seen = answers(&Status::new(code, message));
        assert_eq!(seen, (kind, maybe_executed), "{code:?} {message}");
    }
}

/// A status as a node of the cluster prints what another node answered: up to 1.18, and from then
/// on.
fn printed(code: Code, message: &str) -> [String; 2] {
    let status = Status::new(code, message);
    [
        format!(
            "status: {code:?}, message: {message:?}, details: [], metadata: MetadataMap {{ \
             headers: {{\"content-type\": \"application/grpc\"}} }}"
        ),
        status.to_string(),
    ]
}

#[test]
fn a_refusal_is_one_of_a_part() {
    let mut write = Vec::new();
    for text in [
        "Rate limiting exceeded: Write rate limit exceeded: Operation requires 9 tokens but only \
         3.0 were available. Retry after 1s",
        "Rate limiting exceeded: too many requests to the model",
    ] {
        write.push((text, Kind::RateLimitError, true));
    }
    assert_each(Code::ResourceExhausted, &write);
    assert_each(
        Code::ResourceExhausted,
        &[
            // Nothing of a read stays.
            (
                "Rate limiting exceeded: Read rate limit exceeded: Operation requires 9 tokens",
                Kind::RateLimitError,
                false,
            ),
            ("local_rate_limited", Kind::RateLimitError, true),
        ],
    );
    assert_each(
        Code::Internal,
        &[
            (
                "Service internal error: The replica set for shard 0 on peer 17 has no active \
                 replica",
                Kind::ServiceUnavailable,
                true,
            ),
            (
                "Service internal error: No space left on device: WAL buffer size exceeds \
                 available disk space",
                Kind::InternalError,
                true,
            ),
        ],
    );
    assert_each(
        Code::Unavailable,
        &[("Shard temporarily unavailable: The shard moves", Kind::ServiceUnavailable, true)],
    );
}

#[test]
fn a_limit_of_the_node_is_its_state_and_not_the_requests_fault() {
    let memory = "Resident memory usage is at 91% of total memory, exceeding the configured limit \
                  of 90%. Help: Reduce memory usage";
    let disk = "Disk usage is at 95% of total capacity, exceeding the configured limit of 90%. \
                Help: Reduce disk usage";
    for limit in [memory, disk] {
        for prefix in ["Bad request: ", "Strict mode error: ", ""] {
            let message = format!("{prefix}{limit}");
            assert_each(Code::InvalidArgument, &[(&message, Kind::InternalError, true)]);
            assert_each(Code::ResourceExhausted, &[(&message, Kind::InternalError, true)]);
        }
    }
    let mut status = Status::resource_exhausted("Rate limiting exceeded: storage");
    status.metadata_mut().insert("qdrant-insufficient-storage", "1".parse().unwrap());
    assert_eq!(answers(&status), (Kind::InternalError, true));
}

#[test]
fn a_failure_of_the_inference_service_is_told_by_its_cause() {
    let none = false;
    for (inside, kind, maybe_executed) in [
        ("Bad request: Inference request validation failed: no", Kind::InvalidRequestError, none),
        ("Inference request validation failed: no", Kind::InvalidRequestError, none),
        ("Bad request: Invalid inference request: {}", Kind::InvalidRequestError, none),
        (
            "Bad request: Inference can't process request (404 Not Found): no model",
            Kind::InvalidRequestError,
            none,
        ),
        ("Wrong input: Invalid BM25 config: missing field", Kind::InvalidRequestError, true),
        (
            "Service internal error: Unexpected inference service response (429 Too Many \
             Requests): slow down",
            Kind::RateLimitError,
            true,
        ),
        ("Rate limiting exceeded: slow down", Kind::RateLimitError, true),
        (
            "Service internal error: Authentication failed for inference service (401 \
             Unauthorized): no",
            Kind::AuthenticationError,
            none,
        ),
        (
            "Service internal error: Inference service error (503 Service Unavailable): no",
            Kind::InternalError,
            true,
        ),
        (
            "Service internal error: Failed to send inference request: error sending request",
            Kind::InternalError,
            true,
        ),
    ] {
        let message = format!("Inference error: {inside}");
        assert_each(Code::Internal, &[(&message, kind, maybe_executed)]);
    }
    for sort in ["Document", "Image", "Object"] {
        let message = format!("{sort} conversion error: no text");
        assert_each(Code::Internal, &[(&message, Kind::InvalidRequestError, none)]);
    }
    // Over a write, they come as they are.
    assert_each(
        Code::Internal,
        &[(
            "Service internal error: Authentication failed for inference service (403 Forbidden): \
             no",
            Kind::AuthenticationError,
            none,
        )],
    );
    assert_each(
        Code::InvalidArgument,
        &[(
            "Bad request: Inference can't process request (429 Too Many Requests): slow down",
            Kind::RateLimitError,
            true,
        )],
    );
}

#[test]
fn a_read_that_no_replica_answers_is_told_by_its_first_failure() {
    let mut rows: Vec<(String, Kind)> = vec![
        ("0 of 0 read operations failed".into(), Kind::ServiceUnavailable),
        ("Local shard 3 not found".into(), Kind::ServiceUnavailable),
        (
            "2 of 2 read operations failed:\n  Shard temporarily unavailable: The shard moves\n  \
             Service internal error: out of luck"
                .into(),
            Kind::ServiceUnavailable,
        ),
        (
            "1 of 1 read operations failed:\n  Precondition failed: Shard 0 is not active".into(),
            Kind::ServiceUnavailable,
        ),
        (
            "1 of 1 read operations failed:\n  Service internal error: transport error: tcp \
             connect error: Connection refused (os error 111)"
                .into(),
            Kind::ServiceUnavailable,
        ),
        (
            "1 of 1 read operations failed:\n  Timeout error: Operation 'Search' timed out after \
             60s"
            .into(),
            Kind::SearchTimeout,
        ),
        (
            "1 of 1 read operations failed:\n  Out of memory, free: 1024, loading".into(),
            Kind::InternalError,
        ),
        (
            "1 of 1 read operations failed:\n  Operation Cancelled: process cancelled by service"
                .into(),
            Kind::InternalError,
        ),
    ];
    for (code, message, variant, kind) in [
        (Code::Cancelled, "Timeout expired", "Operation Cancelled: ", Kind::SearchTimeout),
        (
            Code::Cancelled,
            "operation was canceled",
            "Operation Cancelled: ",
            Kind::ServiceUnavailable,
        ),
        (
            Code::DeadlineExceeded,
            "Timeout: Timeout error: Operation 'Query scroll' timed out after 1s",
            "Timeout error: Deadline Exceeded: ",
            Kind::SearchTimeout,
        ),
        (
            Code::DeadlineExceeded,
            "no time",
            "Timeout error: Deadline Exceeded: ",
            Kind::SearchTimeout,
        ),
        (
            Code::Unavailable,
            "tcp connect error",
            "Service internal error: Tonic status error: ",
            Kind::ServiceUnavailable,
        ),
        (
            Code::Internal,
            "Service internal error: 1 of 1 read operations failed:\n  Timeout error: Operation \
             'Search' timed out after 60s",
            "Service internal error: Internal error: ",
            Kind::SearchTimeout,
        ),
        (
            Code::Internal,
            "Service internal error: out of luck",
            "Service internal error: Internal error: ",
            Kind::InternalError,
        ),
    ] {
        for status in printed(code, message) {
            rows.push((format!("1 of 1 read operations failed:\n  {variant}{status}"), kind));
        }
    }
    for (message, kind) in rows {
        let message = format!("Service internal error: {message}");
        assert_each(Code::Internal, &[(&message, kind, true)]);
    }
}

#[test]
fn a_write_that_a_peer_did_not_answer_may_have_been_applied() {
    let mut rows: Vec<(String, Kind)> = vec![
        (
            "Failed to wait for consensus commit on peer 7, has diverged commit/term or timed out."
                .into(),
            Kind::TimeoutError,
        ),
        ("Failed to wait for replica set state, timed out".into(), Kind::TimeoutError),
        ("Failed to wait for replica set state: task 7 panicked".into(), Kind::InternalError),
        (
            "Failed to wait for consensus commit on peer 7: Service internal error: Address for \
             peer ID is not found."
                .into(),
            Kind::ServiceUnavailable,
        ),
        ("no address found for peer 7".into(), Kind::ServiceUnavailable),
        (
            "Failed to apply update with Strong ordering via leader peer 7: Timeout error: \
             Deadline Exceeded"
                .into(),
            Kind::TimeoutError,
        ),
        (
            "Cannot forward update to shard 3 because was removed from the replica set".into(),
            Kind::ServiceUnavailable,
        ),
        ("Operation cancelled: Gridstore flushing was cancelled".into(), Kind::InternalError),
    ];
    for status in printed(Code::Cancelled, "Timeout expired") {
        rows.push((format!("Operation cancelled: {status}"), Kind::TimeoutError));
        rows.push((
            format!(
                "Operation cancelled: 1 out of 3 shards failed to apply operation. First error \
                 captured: Operation Cancelled: {status}"
            ),
            Kind::TimeoutError,
        ));
    }
    for (code, message, variant, kind) in [
        (
            Code::DeadlineExceeded,
            "no time",
            "Timeout error: Deadline Exceeded: ",
            Kind::TimeoutError,
        ),
        (
            Code::Unavailable,
            "Failed to connect to http://node-2:6335",
            "Service internal error: Tonic status error: ",
            Kind::ServiceUnavailable,
        ),
        (
            Code::Internal,
            "Service internal error: The replica set for shard 0 on peer 1 has no active replica",
            "Service internal error: Internal error: ",
            Kind::ServiceUnavailable,
        ),
        (
            Code::Internal,
            "Service internal error: Failed to propose operation: leader is not established",
            "Service internal error: Internal error: ",
            Kind::ServiceUnavailable,
        ),
    ] {
        for status in printed(code, message) {
            rows.push((
                format!(
                    "Failed to apply update with Medium ordering via leader peer 7: \
                     {variant}{status}"
                ),
                kind,
            ));
        }
    }
    for (message, kind) in rows {
        let message = format!("Service internal error: {message}");
        assert_each(Code::Internal, &[(&message, kind, true)]);
    }
    assert_each(
        Code::DeadlineExceeded,
        &[
            (
                "Timeout: Timeout error: Operation 'Failed to acquire clock for update operation \
                 within Some(1s)' timed out after 1s",
                Kind::TimeoutError,
                true,
            ),
            (
                "Timeout: Timeout error: Update operation timed out in 1.00 seconds on 1 out of 2 \
                 shards.",
                Kind::TimeoutError,
                true,
            ),
        ],
    );
}

#[test]
fn what_a_peer_refuses_is_told_as_if_this_node_had() {
    for (code, message, prefix, kind) in [
        (
            Code::InvalidArgument,
            "Wrong input: Vector dimension error: expected dim: 4, got 3",
            "Wrong input: InvalidArgument: ",
            Kind::InvalidVector,
        ),
        (
            Code::NotFound,
            "Not found: Collection `docs` doesn't exist!",
            "Not found: ",
            Kind::CollectionNotFound,
        ),
        (
            Code::ResourceExhausted,
            "Rate limiting exceeded: Write rate limit exceeded, request larger than rate limiter \
             capacity, please try to split your request",
            "Rate limiting exceeded: ",
            Kind::InvalidRequestError,
        ),
        (
            Code::ResourceExhausted,
            "Rate limiting exceeded: Write rate limit exceeded: Operation requires 9 tokens",
            "Rate limiting exceeded: ",
            Kind::RateLimitError,
        ),
        (
            Code::FailedPrecondition,
            "Pre-condition failure: No target shard 3 found for update",
            "Pre-condition failure: Precondition failed: ",
            Kind::ServiceUnavailable,
        ),
    ] {
        for status in printed(code, message) {
            assert_each(code, &[(&format!("{prefix}{status}"), kind, true)]);
        }
    }
}

#[test]
fn a_vector_that_does_not_fit_is_told_from_another_bad_request() {
    for text in [
        "Vector with name zz is not configured in this collection",
        "Vector with name `zz` is not configured in this collection, available names: a, b",
        "Collection requires specified vector name in the request, available names: a, b",
        "Vector params for zz are not specified in config",
        "Default vector params are not specified in config",
        "Sparse vector zz is not specified in collection config",
        "Sparse vector should be named",
        "Validation failed: Sparse vector must be named",
        "Unable to convert to multi-dense vector: Validation failed: Data length is not divisible",
        "vector blob of 7 bytes is no list of numbers",
        "Vector dimension error: expected dim: 4, got 3",
        "Not existing vector name error: zz",
        "Conversion between sparse and regular vectors failed",
    ] {
        for prefix in ["Wrong input: ", "Bad request: ", ""] {
            let message = format!("{prefix}{text}");
            assert_each(Code::InvalidArgument, &[(&message, Kind::InvalidVector, false)]);
        }
    }
    assert_each(
        Code::InvalidArgument,
        &[
            (
                "Validation error in body: [limit: value 0 invalid]",
                Kind::InvalidRequestError,
                false,
            ),
            (
                "Wrong input: Vectors configuration is not compatible: origin collection have \
                 vectors [a], while other vectors [b]",
                Kind::InvalidRequestError,
                false,
            ),
            ("Qdrant is running in standalone mode", Kind::InvalidRequestError, false),
        ],
    );
    assert_each(
        Code::Unimplemented,
        &[("Qdrant is running in standalone mode", Kind::InvalidRequestError, false)],
    );
}

#[test]
fn a_part_that_was_refused_says_nothing_of_the_others() {
    assert_each(
        Code::InvalidArgument,
        &[(
            "Wrong input: 1 out of 3 shards failed to apply operation. First error captured: Wrong \
             input: Vector dimension error: expected dim: 4, got 3",
            Kind::InvalidVector,
            true,
        )],
    );
}

/// Texts with a meaning at their place. Here they stand in what a user sent.
const TELLING: [&str; 24] = [
    "Timeout error: Operation 'Search' timed out after 1s",
    "Timeout expired",
    "Tonic status error: code: 'The service is currently unavailable'",
    "Waiting for consensus operation commit failed",
    "Failed to propose operation: leader is not established within 10s",
    "The replica set for shard 0 on peer 1 has no active replica",
    "no leader could be selected",
    "Shard temporarily unavailable",
    "No space left on device: WAL buffer size exceeds available disk space",
    "1 out of 3 shards failed to apply operation. First error captured: ",
    "1 of 1 read operations failed:\n  Timeout error: Operation 'Search'",
    "Consistency of this update is not guaranteed",
    "Inference error: (429 Too Many Requests)",
    "Rate limiting exceeded: Read rate limit exceeded",
    "request larger than rate limiter capacity",
    "Vector dimension error: expected dim: 4, got 3",
    "Not found: Collection `docs` doesn't exist!",
    "Disk usage is at 95%",
    "ExpiredSignature Invalid JWT InvalidSignature",
    "Failed to connect to http://localhost:6334/: TimedOut",
    "grpc-status header missing, mapped from HTTP status code 401",
    "Unexpected EOF decoding stream",
    "decoded message length too large",
    "code: 'Some resource has been exhausted', message: \"Rate limiting exceeded\"",
];

#[test]
fn what_a_user_sent_tells_nothing() {
    for text in TELLING {
        let unchanged = |code, before: &str, after: &str, expected: (Kind, bool)| {
            for text in [text.to_owned(), format!("{text:?}"), format!("\n  {text}")] {
                let status = Status::new(code, format!("{before}{text}{after}"));
                assert_eq!(answers(&status), expected, "{status}");
            }
        };
        let internal = (Kind::InternalError, true);
        unchanged(
            Code::Internal,
            "Service internal error: Failed to apply operation PointOperation(UpsertPoints \
             { payload: ",
            " }) after 3 attempts, all attempts were rejected",
            internal,
        );
        unchanged(
            Code::Internal,
            "Service internal error: 1 of 1 read operations failed:\n  Service internal error: \
             task 7 panicked with message ",
            "",
            internal,
        );
        unchanged(
            Code::Internal,
            "Inference error: Service internal error: Failed to parse successful inference \
             response: ",
            ". Response body: ",
            internal,
        );
        unchanged(
            Code::Internal,
            "Service internal error: Some replica of shard 0 failed to apply operation and \
             deactivation timed out after 30s. Consistency of this update is not guaranteed. \
             Please retry. Failed peer: 7, error: ",
            "",
            internal,
        );
        let invalid = (Kind::InvalidRequestError, false);
        unchanged(
            Code::InvalidArgument,
            "Bad request: Inference request validation failed: ",
            "",
            invalid,
        );
        unchanged(
            Code::InvalidArgument,
            "Bad request: Index required but not found for ",
            ". Help: Create an index",
            invalid,
        );
        unchanged(Code::AlreadyExists, "Wrong input: Collection `", "` already exists!", invalid);
        unchanged(
            Code::NotFound,
            "Not found: No point with id ",
            " found",
            (Kind::NotFoundError, true),
        );
        unchanged(
            Code::NotFound,
            "Not found: Collection `",
            "` doesn't exist!",
            (Kind::CollectionNotFound, false),
        );
        unchanged(
            Code::PermissionDenied,
            "Forbidden: Write access to collection ",
            " is required",
            (Kind::PermissionDenied, false),
        );
        unchanged(
            Code::DeadlineExceeded,
            "Timeout: Timeout error: Update operation timed out: ",
            "",
            (Kind::TimeoutError, true),
        );
        unchanged(
            Code::Unavailable,
            "Shard temporarily unavailable: ",
            "",
            (Kind::ServiceUnavailable, true),
        );
        // As a peer prints it, and this node prints that.
        for status in printed(Code::Internal, &format!("Service internal error: got {text:?}")) {
            let message = format!("Service internal error: Internal error: {status}");
            assert_eq!(answers(&Status::internal(&message)), internal, "{message}");
        }
    }
}

/// Messages of texts with a meaning, of what wraps them, and of anything.
fn messages() -> impl Strategy<Value = String> {
    let wrapping = prop::sample::select(vec![
        "Service internal error: ",
        "Wrong input: ",
        "Inference error: ",
        "1 of 2 read operations failed:\n  ",
        "Internal error: code: 'Internal error', message: \"",
        "Internal error: status: Internal, message: \"",
        "Rate limiting exceeded: ",
        "Operation cancelled: ",
    ])
    .prop_map(str::to_owned);
    let telling = prop::sample::select(TELLING.to_vec()).prop_map(str::to_owned);
    let piece = prop_oneof![3 => wrapping, 2 => telling, 1 => any::<String>()];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_the_server_says_is_safe(code in 1..17_i32, message in messages()) {
        let (kind, maybe_executed) = answers(&Status::new(Code::from_i32(code), &message));
        let is_whole = ["leader is not established", "Read rate limit", "HTTP status code"];
        let is_whole = is_whole.iter().any(|words| message.contains(words));
        prop_assert!(maybe_executed || !kind.is_transient() || is_whole, "{kind} {message}");
    }
}
