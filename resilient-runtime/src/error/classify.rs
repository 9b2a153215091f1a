//! What a policy must know about an error.

use std::time::Duration;

use crate::ErrorKind;

/// What a policy asks of an error: its kind, when the server wants the next request, whether the
/// request may have been executed all the same, and whether it may be sent again at all.
///
/// It is implemented for `QdrantError` (feature `qdrant`), `tonic::Status` (feature `tonic`, which
/// `qdrant` implies), `reqwest::Error` (feature `reqwest`), [`io::Error`](std::io::Error), tokio's
/// [`Elapsed`](tokio::time::error::Elapsed), [`Rejection`](crate::Rejection) and
/// [`CircuitOpenError`](crate::CircuitOpenError). `Box<dyn Error + Send + Sync>`, `anyhow::Error`
/// (feature `anyhow`) and `eyre::Report` (feature `eyre`) are classified by the first of those in
/// their chain of sources that has a kind; an error of your own in it is passed over. A `Box<E>` or
/// `Arc<E>` is classified as the error inside, such as one that a cache shares. For an error
/// of your own it is [derived](macro@crate::Classify), or implemented by hand:
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Classify, ErrorKind};
///
/// enum AnswerError {
///     Connection(std::io::Error),
///     Overloaded { retry_after: Duration },
///     EmptyQuestion,
/// }
///
/// impl Classify for AnswerError {
///     fn kind(&self) -> ErrorKind {
///         match self {
///             Self::Connection(error) => Classify::kind(error),
///             Self::Overloaded { .. } => ErrorKind::RateLimitError,
///             Self::EmptyQuestion => ErrorKind::InvalidRequestError,
///         }
///     }
///
///     // An error that wraps another one passes every question on to it.
///     fn retry_after(&self) -> Option<Duration> {
///         match self {
///             Self::Connection(error) => error.retry_after(),
///             Self::Overloaded { retry_after } => Some(*retry_after),
///             Self::EmptyQuestion => None,
///         }
///     }
///
///     fn maybe_executed(&self) -> bool {
///         match self {
///             Self::Connection(error) => error.maybe_executed(),
///             Self::Overloaded { .. } | Self::EmptyQuestion => false,
///         }
///     }
///
///     fn may_retry(&self) -> bool {
///         match self {
///             Self::Connection(error) => error.may_retry(),
///             Self::Overloaded { .. } | Self::EmptyQuestion => true,
///         }
///     }
/// }
///
/// let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
/// assert!(AnswerError::Connection(reset).maybe_executed());
///
/// let shared = std::sync::Arc::new(AnswerError::EmptyQuestion);
/// assert_eq!(shared.kind(), ErrorKind::InvalidRequestError);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which kind of error it is",
    label = "no `Classify` for this error",
    note = "derive `resilient_runtime::Classify` for it, or implement it: its `kind()` decides what is retried",
    note = "an error of another crate goes into an enum of your own, or into a `Box<dyn Error + Send + Sync>`; for `anyhow::Error`, `eyre::Report` or `reqwest::Error`, enable the feature of this name of `resilient-runtime`"
)]
pub trait Classify {
    /// The kind of this error.
    fn kind(&self) -> ErrorKind;

    /// How long the server asks to wait before the next request. A retry never comes sooner, and
    /// jitter is added on top. A breaker that this error opens stays open for at least as long, up to
    /// its [`max_open_duration`](crate::BreakerConfigBuilder::max_open_duration). By default `None`.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// Whether the request may have been executed although it failed. A function that is not
    /// idempotent (`idempotent = false`) is retried only where this is `false`. By default `true`,
    /// which is safe for any error.
    fn maybe_executed(&self) -> bool {
        true
    }

    /// Whether another attempt is allowed: `false` if the server has asked not to retry, as a gRPC
    /// server does with a negative `grpc-retry-pushback-ms`. The call then ends with this error,
    /// whatever its kind. By default `true`.
    fn may_retry(&self) -> bool {
        true
    }
}
