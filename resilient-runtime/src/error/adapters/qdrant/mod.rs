//! What a failed call of `qdrant-client` says.
//!
//! A code alone does not tell: the client's own timeout arrives as `Cancelled`, a search timeout
//! and a refused connection both as `Internal`. So it is asked in this order: the variant of the
//! error, then the source of its status (where there is one, the transport made the status up, and
//! its code means nothing), then what the client says before any answer, then what a proxy
//! answered in the server's place, and only then the server's own code and words. Those are read
//! from the beginning of the message: a text of a user can stand behind them.

mod messages;
mod peer;
mod server;
mod transport;

use std::time::Duration;

#[cfg(feature = "qdrant")]
use qdrant_client::QdrantError;
use tonic::{Code, Status};

use crate::ErrorKind;
use crate::error::classification::Classification;
use crate::error::classify::Classify;
use crate::error::hint::{self, Pushback};
use crate::error::rejection::Rejection;
use crate::error::sources::sources;
#[cfg(feature = "qdrant")]
use crate::error::sources::status;

/// Looks through the client's codes and messages at what happened: a client timeout is a
/// `timeout_error` though it arrives as `Cancelled`, and so on.
///
/// # What was executed
///
/// Where an error leaves it open, [`maybe_executed`](Classify::maybe_executed) says yes. Four
/// things are good to know:
///
/// - The client sends a call of the points service (search, query, upsert, …) a second time by
///   itself where the first try ended with `Internal`, `Unavailable`, `Cancelled` or `Unknown`, and
///   shows the error of the second alone. If that one could not even connect, nothing is known of
///   the first: so a connection that is refused, or not made in time, or fails in TLS, counts as
///   executed perhaps, for every call, since the error does not say of which it is. Only where the
///   error comes from a connection that was there before is the answer no.
/// - A server's answer is that to one part of the request. The server runs the operations of a
///   batch one after the other, and each shard and replica applies its own part of a write. The
///   answer does not say how many parts there were. So after a rate limit, a full disk, or a shard
///   without an active replica, other parts may have been applied. The answer is no only for the
///   rate limit of a read, of which nothing stays, and for an operation on collections that the
///   cluster has no leader for.
/// - An error that is never retried, such as a bad vector, speaks of the one operation that the
///   server refused: of a batch, the operations before it were applied.
/// - An answer that says no, such as a proxy's 429, is that of the second try too. A first one that
///   was executed, and whose connection broke before it was answered, is not seen.
#[cfg(feature = "qdrant")]
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

/// By what happened, and not by the code alone: a timeout of the client is a `timeout_error` though
/// it arrives as `Cancelled`, and so on. `QdrantError` wraps such a status.
impl Classify for Status {
    fn kind(&self) -> ErrorKind {
        of_status(self).kind
    }

    /// The longer of the answer's `retry-after` and `grpc-retry-pushback-ms`, or the hint of the
    /// [`Rejection`] inside. `retry-after` is a number of seconds, with a fraction or without, or a
    /// date, for which this reads the system's clock: a date in the past is a wait of zero. Any
    /// other value is no hint, and a retry waits for its backoff alone.
    fn retry_after(&self) -> Option<Duration> {
        if let Some(rejection) = rejection(self) {
            return rejection.retry_after();
        }
        let hint = self.metadata().get("retry-after").and_then(|value| value.to_str().ok());
        let hint = hint.and_then(hint::retry_after);
        match pushback(self) {
            Some(Pushback::After(wait)) => hint.max(Some(wait)),
            Some(Pushback::Never) | None => hint,
        }
    }

    fn maybe_executed(&self) -> bool {
        of_status(self).maybe_executed
    }

    /// `false` if the answer's `grpc-retry-pushback-ms` is negative or is no number, by which a
    /// gRPC server asks not to retry.
    fn may_retry(&self) -> bool {
        pushback(self) != Some(Pushback::Never)
    }
}

fn pushback(status: &Status) -> Option<Pushback> {
    let value = status.metadata().get("grpc-retry-pushback-ms")?;
    Some(Pushback::read(value.to_str().ok()))
}

/// Returns a status whose source is the rejection, of code `Unavailable`, or `DeadlineExceeded` for
/// a timeout. [`CircuitOpenError::find`](crate::CircuitOpenError::find) finds the rejection by a
/// breaker again.
///
/// ```
/// use resilient_runtime::resilient;
/// use tonic::{Request, Response, Status};
///
/// # struct EmbedClient;
/// # impl EmbedClient {
/// #     async fn embed(&mut self, _: Request<String>) -> Result<Response<Vec<f32>>, Status> {
/// #         Ok(Response::new(vec![0.6, 0.8]))
/// #     }
/// # }
/// // For a client that `tonic-build` has generated.
/// #[resilient(retry = "auto", breaker = "embed")]
/// async fn embed(client: &mut EmbedClient, text: &str) -> Result<Vec<f32>, Status> {
///     Ok(client.embed(Request::new(text.to_owned())).await?.into_inner())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(embed(&mut EmbedClient, "hello").await?, [0.6, 0.8]);
/// # Ok::<(), Status>(()) }).unwrap();
/// ```
impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let (code, message) = match &rejection {
            Rejection::CircuitOpen(open) => (Code::Unavailable, open.to_string()),
            timeout => (Code::DeadlineExceeded, timeout.to_string()),
        };
        let mut status = Self::new(code, message);
        status.set_source(std::sync::Arc::new(rejection));
        status
    }
}

/// As for [`Status`], which it wraps.
#[cfg(feature = "qdrant")]
impl From<Rejection> for QdrantError {
    fn from(rejection: Rejection) -> Self {
        Self::ResponseError { status: rejection.into() }
    }
}

#[cfg(feature = "qdrant")]
fn classify(error: &QdrantError) -> Classification {
    if let Some(status) = status(error) {
        return of_status(status);
    }
    match error {
        QdrantError::NoSnapshotFound(_) => Classification::not_executed(ErrorKind::NotFoundError),
        QdrantError::ConversionError(_) | QdrantError::InvalidUri(_) => {
            Classification::not_executed(ErrorKind::InvalidRequestError)
        }
        // The file system of this machine, as a snapshot is written to it.
        QdrantError::Io(error) => Classification::not_executed(match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                ErrorKind::InvalidRequestError
            }
            _ => ErrorKind::InternalError,
        }),
        _ => of_other_variant(error),
    }
}

/// Variants that exist by features of the client. Its users enable them, and this crate, which
/// enables none, cannot name them.
#[cfg(feature = "qdrant")]
fn of_other_variant(error: &QdrantError) -> Classification {
    #[cfg(feature = "reqwest")]
    if let Some(error) =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<reqwest::Error>())
    {
        return super::reqwest::classify(error);
    }
    let text = error.to_string();
    if messages::OF_A_PAYLOAD.iter().any(|words| text.starts_with(words)) {
        return Classification::not_executed(ErrorKind::InvalidRequestError);
    }
    Classification::ambiguous(ErrorKind::Unknown)
}

fn of_status(status: &Status) -> Classification {
    if let Some(rejection) = rejection(status) {
        return Classification {
            kind: rejection.kind(),
            maybe_executed: rejection.maybe_executed(),
        };
    }
    if let Some(source) = std::error::Error::source(status) {
        return transport::of_source(source);
    }
    transport::of_client_message(status)
        .or_else(|| transport::of_http_status(status))
        .unwrap_or_else(|| server::of_answer(status))
}

fn rejection(status: &Status) -> Option<&Rejection> {
    sources(std::error::Error::source(status)?).find_map(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BreakerConfig, CircuitBreaker, CircuitOpenError};

    fn rejection() -> Rejection {
        let breaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
        breaker.force_open();
        breaker.acquire().unwrap_err().into()
    }

    #[test]
    fn a_rejection_survives_inside_a_status() {
        let status = Status::from(rejection());
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.kind(), ErrorKind::CircuitOpen);
        assert!(!status.maybe_executed());
        assert_eq!(CircuitOpenError::find(&status).unwrap().breaker, "search");
    }

    #[test]
    fn a_boxed_status_is_classified_like_the_status_itself() {
        let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(Status::from(rejection()));
        assert_eq!(boxed.kind(), ErrorKind::CircuitOpen);
    }
}

#[cfg(all(test, feature = "qdrant"))]
mod qdrant_tests {
    use super::*;
    use crate::{BreakerConfig, CircuitBreaker, CircuitOpenError};

    fn rejected() -> QdrantError {
        let breaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
        breaker.force_open();
        QdrantError::from(Rejection::from(breaker.acquire().unwrap_err()))
    }

    #[test]
    fn a_rejection_survives_inside_a_qdrant_error() {
        let error = rejected();
        assert_eq!(error.kind(), ErrorKind::CircuitOpen);
        assert!(!error.maybe_executed());
        assert_eq!(CircuitOpenError::find(&error).unwrap().breaker, "search");
        assert_eq!(status(&error).unwrap().code(), Code::Unavailable);
        assert!(error.to_string().contains("circuit breaker `search` is held open"), "{error}");
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
    fn variants_without_a_status_have_kinds() {
        let io = |kind| QdrantError::Io(std::io::Error::from(kind)).kind();
        assert_eq!(io(std::io::ErrorKind::NotFound), ErrorKind::InvalidRequestError);
        assert_eq!(io(std::io::ErrorKind::StorageFull), ErrorKind::InternalError);
        let missing = QdrantError::NoSnapshotFound("docs".into());
        assert_eq!(missing.kind(), ErrorKind::NotFoundError);
        let conversion = QdrantError::ConversionError("not a dense vector".into());
        assert_eq!(conversion.kind(), ErrorKind::InvalidRequestError);
        assert!(!conversion.maybe_executed());
    }
}
