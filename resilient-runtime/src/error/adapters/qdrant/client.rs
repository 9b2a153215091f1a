//! `Classify` for the errors of `qdrant-client`. Most wrap a status.

use std::io;
use std::time::Duration;

use qdrant_client::QdrantError;

use super::of_status;
use crate::ErrorKind;
use crate::error::classification::Classification;
use crate::error::classify::Classify;
use crate::error::rejection::Rejection;
use crate::error::sources::status;

/// The texts of variants that the client's feature `serde` adds. They are made from a payload, and
/// nothing was sent. (qdrant-client, `src/qdrant_client/error.rs`.)
const PAYLOAD_ERRORS: [&str; 2] =
    ["JSON cannot be converted to payload", "Error in payload deserialization"];

/// By the cause of the failure, not only by the code. A timeout of the client, for example, is a
/// `timeout_error`, although it arrives as `Cancelled`.
///
/// # Whether the request was executed
///
/// If the error leaves that open, [`maybe_executed`](Classify::maybe_executed) returns `true`:
///
/// - The client itself repeats a failed call of the points service (search, query, upsert, …) after
///   `Internal`, `Unavailable`, `Cancelled` or `Unknown`, and returns only the error of the second
///   try. If the second try could not connect, the first one may have been executed. The error does
///   not say which service was called, so every connection that is refused, times out or fails in
///   TLS counts as maybe executed. The exception is a connection of the pool that could not be made
///   again: its error says that the request was not sent.
/// - The server's answer is about one part of the request. The server runs the operations of a
///   batch one after the other, and each shard and replica applies its own part of a write. The
///   answer does not say how many parts there were. So after a rate limit, a full disk, or a shard
///   without an active replica, other parts may have been applied. The result is `false` only for
///   the rate limit of a read, which changes nothing, and for an operation on collections while the
///   cluster has no leader.
///
/// If `maybe_executed` returns `false`, two cases remain:
///
/// - An error that is never retried, such as a bad vector, is about the one operation that the
///   server rejected. The operations before it in a batch were applied.
/// - An answer such as a proxy's 429 may be the answer to the client's second try. The first try
///   may have been executed if its connection broke before the answer.
impl Classify for QdrantError {
    fn kind(&self) -> ErrorKind {
        classify(self).kind
    }

    fn retry_after(&self) -> Option<Duration> {
        let hint = status(self).and_then(Classify::retry_after);
        match self {
            Self::ResourceExhaustedError { retry_after_seconds, .. } => {
                hint.max(Some(Duration::from_secs(*retry_after_seconds)))
            }
            _ => hint,
        }
    }

    fn maybe_executed(&self) -> bool {
        classify(self).maybe_executed
    }

    fn may_retry(&self) -> bool {
        status(self).is_none_or(Classify::may_retry)
    }
}

/// As for [`Status`](tonic::Status), which it wraps.
impl From<Rejection> for QdrantError {
    fn from(rejection: Rejection) -> Self {
        Self::ResponseError { status: rejection.into() }
    }
}

/// The same, for functions that box the error because it is large.
impl From<Rejection> for Box<QdrantError> {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.into())
    }
}

fn classify(error: &QdrantError) -> Classification {
    if let Some(status) = status(error) {
        return of_status(status);
    }
    match error {
        QdrantError::NoSnapshotFound(_) => Classification::not_executed(ErrorKind::NotFoundError),
        QdrantError::ConversionError(_) | QdrantError::InvalidUri(_) => {
            Classification::not_executed(ErrorKind::InvalidRequestError)
        }
        // The local file system, to which the client writes a snapshot.
        QdrantError::Io(error) => Classification::not_executed(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                ErrorKind::InvalidRequestError
            }
            _ => ErrorKind::InternalError,
        }),
        _ => of_other_variant(error),
    }
}

/// Classifies the variants that features of the client add. This crate enables none of these
/// features, so it cannot name the variants.
fn of_other_variant(error: &QdrantError) -> Classification {
    #[cfg(feature = "reqwest")]
    if let Some(error) = std::error::Error::source(error).and_then(|source| source.downcast_ref()) {
        return crate::error::adapters::reqwest::classify(error);
    }
    let text = error.to_string();
    if PAYLOAD_ERRORS.iter().any(|words| text.starts_with(words)) {
        return Classification::not_executed(ErrorKind::InvalidRequestError);
    }
    Classification::ambiguous(ErrorKind::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::{Code, Status};

    use crate::{BreakerConfig, CircuitBreaker, CircuitOpenError};

    fn rejection() -> Rejection {
        let breaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
        breaker.force_open();
        breaker.acquire().unwrap_err().into()
    }

    fn rejected() -> QdrantError {
        rejection().into()
    }

    #[test]
    fn a_rejection_survives_inside_a_qdrant_error() {
        let error = rejected();
        assert_eq!(error.kind(), ErrorKind::CircuitOpen);
        assert!(!error.maybe_executed());
        assert_eq!(CircuitOpenError::find(&error).unwrap().breaker, "search");
        assert_eq!(status(&error).unwrap().code(), Code::Unavailable);
        assert!(error.to_string().contains("circuit breaker `search` is forced open"), "{error}");
    }

    #[test]
    fn the_hint_that_the_client_has_read_counts_also_without_its_metadata() {
        let status = Status::resource_exhausted("Rate limiting exceeded");
        let error = QdrantError::ResourceExhaustedError { status, retry_after_seconds: 3 };
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_boxed_qdrant_error_is_classified_like_the_error_itself() {
        let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(rejected());
        assert_eq!(boxed.kind(), ErrorKind::CircuitOpen);
    }

    #[test]
    fn a_boxed_qdrant_error_carries_a_rejection_and_is_known_in_a_chain() {
        let boxed = Box::<QdrantError>::from(rejection());
        assert_eq!(boxed.kind(), ErrorKind::CircuitOpen);
        assert!(CircuitOpenError::find(&boxed).is_some());
        let erased: Box<dyn std::error::Error + Send + Sync> = Box::new(boxed);
        assert_eq!(erased.kind(), ErrorKind::CircuitOpen);
        assert!(CircuitOpenError::find(&*erased).is_some());
    }

    #[test]
    fn variants_without_a_status_have_kinds() {
        let io = |kind| QdrantError::Io(io::Error::from(kind)).kind();
        assert_eq!(io(io::ErrorKind::NotFound), ErrorKind::InvalidRequestError);
        assert_eq!(io(io::ErrorKind::StorageFull), ErrorKind::InternalError);
        let missing = QdrantError::NoSnapshotFound("docs".into());
        assert_eq!(missing.kind(), ErrorKind::NotFoundError);
        let conversion = QdrantError::ConversionError("not a dense vector".into());
        assert_eq!(conversion.kind(), ErrorKind::InvalidRequestError);
        assert!(!conversion.maybe_executed());
    }
}
