//! The trait that classifies an error.

use std::time::Duration;

use crate::ErrorKind;

/// Classifies an error for a policy: its kind, when the server wants the next request, whether the
/// request may have been executed although it failed, and whether it may be sent again.
///
/// It is implemented for `QdrantError` (feature `qdrant`), `tonic::Status` (feature `tonic`, which
/// `qdrant` implies), `reqwest::Error` (feature `reqwest`), [`io::Error`](std::io::Error), tokio's
/// [`Elapsed`](tokio::time::error::Elapsed), [`Rejection`](crate::Rejection) and
/// [`CircuitOpenError`](crate::CircuitOpenError). A type-erased error (`dyn Error` in a `Box` or an
/// `Arc`, `anyhow::Error` with the feature `anyhow`, `eyre::Report` with the feature `eyre`) is
/// classified by the outermost error in its chain of sources that is of one of these types and has
/// a kind, or that [derives](macro@crate::Classify) this trait. The guide lists [which chains are
/// searched](crate::guide::errors#chains). A `Box<E>` or `Arc<E>` is classified as the error inside.
/// For an error of your own, [derive](macro@crate::Classify) it or implement it. An implementation
/// by hand is not found in a chain:
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
///     // Every method delegates to a wrapped error.
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
    note = "an error of another crate goes into an enum of your own, or into a `Box<dyn Error + Send + Sync>`; for `anyhow::Error`, `eyre::Report` or `reqwest::Error`, enable the feature of this name of `resilient-runtime`",
    note = "or name a function that classifies it: `classify = kind_of`; or guard only the call whose error is classified: `guard!(retry = \"auto\"; …)`"
)]
pub trait Classify {
    /// Returns the kind of this error.
    fn kind(&self) -> ErrorKind;

    /// Returns how long the server asks to wait before the next request. A retry never comes
    /// sooner, and jitter is added on top. A breaker that this error opens stays open for at least
    /// as long, up to its [`max_open_duration`](crate::BreakerConfigBuilder::max_open_duration).
    /// Default `None`.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// Returns whether the request may have been executed although it failed. A function that is
    /// not idempotent (`idempotent = false`) is retried only if this is `false`. Default `true`,
    /// which is safe for any error.
    fn maybe_executed(&self) -> bool {
        true
    }

    /// Returns `false` if the server asks not to retry, as a gRPC server does with a negative
    /// `grpc-retry-pushback-ms`. The call then ends with this error, whatever its kind. Default
    /// `true`.
    fn may_retry(&self) -> bool {
        true
    }
}
