//! The classification of an error of another crate.

use std::time::Duration;

use super::classify::Classify;
use crate::ErrorKind;

/// What a policy must know about an error: all that [`Classify`] says, as a value.
///
/// The function that the key `classify` names returns it, or an [`ErrorKind`] alone.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Classification, ErrorKind, Rejection, resilient};
///
/// fn kind_of(error: &String) -> Classification {
///     if error.contains("429") {
///         Classification::new(ErrorKind::RateLimitError)
///             .with_retry_after(Duration::from_secs(1))
///             .with_maybe_executed(false)
///     } else {
///         Classification::new(ErrorKind::Unknown)
///     }
/// }
///
/// fn from_rejection(rejection: Rejection) -> String {
///     rejection.to_string()
/// }
///
/// #[resilient(retry = "auto", breaker = "texts", classify = kind_of, reject = from_rejection)]
/// async fn search() -> Result<u32, String> {
///     Ok(7)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(search().await, Ok(7));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classification {
    /// Its kind.
    pub kind: ErrorKind,
    /// Whether the request may have been executed although it failed.
    pub maybe_executed: bool,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// `false` if the server asks not to retry.
    pub may_retry: bool,
}

impl Classification {
    /// An error of this kind that may have been executed, without a wait.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        Self { kind, maybe_executed: true, retry_after: None, may_retry: true }
    }

    /// Everything that an error says of itself, such as the `QdrantError` inside another error.
    #[must_use]
    pub fn of<E: Classify + ?Sized>(error: &E) -> Self {
        Self {
            kind: error.kind(),
            maybe_executed: error.maybe_executed(),
            retry_after: error.retry_after(),
            may_retry: error.may_retry(),
        }
    }

    /// The same error, with a wait that the server asks for.
    #[must_use]
    pub const fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// The same error, and whether it may have been executed.
    #[must_use]
    pub const fn with_maybe_executed(mut self, maybe_executed: bool) -> Self {
        self.maybe_executed = maybe_executed;
        self
    }
}

#[cfg(any(feature = "tonic", feature = "reqwest"))]
impl Classification {
    pub(crate) const fn ambiguous(kind: ErrorKind) -> Self {
        Self::new(kind)
    }

    pub(crate) const fn not_executed(kind: ErrorKind) -> Self {
        Self::new(kind).with_maybe_executed(false)
    }

    /// Classifies an HTTP status that may come from a proxy. The proxy may have forwarded the
    /// request first, except with a status that it sends without forwarding.
    pub(crate) const fn of_http_status(number: u16) -> Self {
        match number {
            // From the server, from a proxy, and from a network that requires a login.
            401 | 407 | 511 => Self::not_executed(ErrorKind::AuthenticationError),
            403 => Self::not_executed(ErrorKind::PermissionDenied),
            // An unknown path, or a method, version or extension of HTTP that is not supported.
            404 | 501 | 505 | 510 => Self::not_executed(ErrorKind::InvalidRequestError),
            // Too early: the handshake must be complete first (RFC 8470).
            425 => Self::not_executed(ErrorKind::ServiceUnavailable),
            429 => Self::not_executed(ErrorKind::RateLimitError),
            408 | 504 => Self::ambiguous(ErrorKind::TimeoutError),
            502 | 503 => Self::ambiguous(ErrorKind::ServiceUnavailable),
            // A redirection would fail again. The other statuses blame the request.
            300..=499 => Self::ambiguous(ErrorKind::InvalidRequestError),
            _ => Self::ambiguous(ErrorKind::InternalError),
        }
    }
}

impl Classify for Classification {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn maybe_executed(&self) -> bool {
        self.maybe_executed
    }

    fn may_retry(&self) -> bool {
        self.may_retry
    }
}

/// The kind itself: may have been executed, without a wait.
impl Classify for ErrorKind {
    fn kind(&self) -> ErrorKind {
        *self
    }
}

#[cfg(all(test, any(feature = "tonic", feature = "reqwest")))]
mod tests {
    use super::*;

    #[test]
    fn each_http_status_has_its_kind() {
        for (number, kind, maybe_executed) in [
            (301, ErrorKind::InvalidRequestError, true),
            (400, ErrorKind::InvalidRequestError, true),
            (401, ErrorKind::AuthenticationError, false),
            (403, ErrorKind::PermissionDenied, false),
            (404, ErrorKind::InvalidRequestError, false),
            (405, ErrorKind::InvalidRequestError, true),
            (407, ErrorKind::AuthenticationError, false),
            (408, ErrorKind::TimeoutError, true),
            (413, ErrorKind::InvalidRequestError, true),
            (425, ErrorKind::ServiceUnavailable, false),
            (429, ErrorKind::RateLimitError, false),
            (500, ErrorKind::InternalError, true),
            (501, ErrorKind::InvalidRequestError, false),
            (502, ErrorKind::ServiceUnavailable, true),
            (503, ErrorKind::ServiceUnavailable, true),
            (504, ErrorKind::TimeoutError, true),
            (505, ErrorKind::InvalidRequestError, false),
            (510, ErrorKind::InvalidRequestError, false),
            (511, ErrorKind::AuthenticationError, false),
            (520, ErrorKind::InternalError, true),
        ] {
            assert_eq!(
                Classification::of_http_status(number),
                Classification::new(kind).with_maybe_executed(maybe_executed)
            );
        }
    }
}
