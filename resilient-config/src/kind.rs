//! The kinds of error that a policy tells apart.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The kind of an error, as far as a policy distinguishes them. The kind selects the row of the `RetryTable`, and
/// decides whether a breaker counts an error.
///
/// Eight kinds are [transient](Self::is_transient). The attribute takes their names
/// (`retry = "rate_limit_error"`). Six kinds are errors that a retry cannot fix. Three more are
/// [`CircuitOpen`](Self::CircuitOpen), for a call that a breaker rejected,
/// [`DeadlineExceeded`](Self::DeadlineExceeded), for a call that its own deadline ended, and
/// [`Unknown`](Self::Unknown), for an error that is not recognized.
///
/// ```
/// use resilient_runtime::ErrorKind;
///
/// let kind: ErrorKind = "rate_limit_error".parse()?;
/// assert_eq!(kind, ErrorKind::RateLimitError);
/// assert_eq!(kind.as_str(), "rate_limit_error");
/// assert!(kind.is_transient());
/// # Ok::<(), resilient_runtime::UnknownKindError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection could be made: it was refused, there is no route, or the name does not resolve.
    ConnectionError,
    /// A connection was not made in time.
    ConnectionTimeout,
    /// The server asked for fewer requests, often with a hint when to retry.
    RateLimitError,
    /// The server, or a part of it, is temporarily unavailable.
    ServiceUnavailable,
    /// A request was not answered in time.
    TimeoutError,
    /// The server ended a search that took too long.
    SearchTimeout,
    /// The server failed while it handled the request.
    InternalError,
    /// A connection broke during a request.
    NetworkError,
    /// The request is invalid. Sent again, it fails again.
    InvalidRequestError,
    /// Not authenticated: the API key is missing, wrong or expired.
    AuthenticationError,
    /// Something that the request names does not exist.
    NotFoundError,
    /// The collection that the request names does not exist.
    CollectionNotFound,
    /// A vector has the wrong dimension, name or type.
    InvalidVector,
    /// Authenticated, but not authorized.
    PermissionDenied,
    /// A circuit breaker rejected the call. Nothing was sent.
    CircuitOpen,
    /// The deadline of the call's own policy ended it. A server that does not answer in time is a
    /// [`TimeoutError`](Self::TimeoutError) instead.
    DeadlineExceeded,
    /// The error is not recognized.
    Unknown,
}

impl ErrorKind {
    /// Every kind, in the order of their declaration. A later version may add kinds, and so
    /// lengthen this list.
    ///
    /// ```
    /// use resilient_runtime::ErrorKind;
    ///
    /// let transient = ErrorKind::ALL.iter().filter(|kind| kind.is_transient());
    /// assert_eq!(transient.count(), 8);
    /// ```
    pub const ALL: &'static [Self] = &[
        Self::ConnectionError,
        Self::ConnectionTimeout,
        Self::RateLimitError,
        Self::ServiceUnavailable,
        Self::TimeoutError,
        Self::SearchTimeout,
        Self::InternalError,
        Self::NetworkError,
        Self::InvalidRequestError,
        Self::AuthenticationError,
        Self::NotFoundError,
        Self::CollectionNotFound,
        Self::InvalidVector,
        Self::PermissionDenied,
        Self::CircuitOpen,
        Self::DeadlineExceeded,
        Self::Unknown,
    ];

    /// Returns the name that attributes, events and [`FromStr`] use: `"rate_limit_error"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionError => "connection_error",
            Self::ConnectionTimeout => "connection_timeout",
            Self::RateLimitError => "rate_limit_error",
            Self::ServiceUnavailable => "service_unavailable",
            Self::TimeoutError => "timeout_error",
            Self::SearchTimeout => "search_timeout",
            Self::InternalError => "internal_error",
            Self::NetworkError => "network_error",
            Self::InvalidRequestError => "invalid_request_error",
            Self::AuthenticationError => "authentication_error",
            Self::NotFoundError => "not_found_error",
            Self::CollectionNotFound => "collection_not_found",
            Self::InvalidVector => "invalid_vector",
            Self::PermissionDenied => "permission_denied",
            Self::CircuitOpen => "circuit_open",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Unknown => "unknown",
        }
    }

    /// Returns whether the same request may succeed a little later.
    ///
    /// Only transient errors are retried. By default, only they count as failures of a breaker:
    /// see [`trip_on`](crate::BreakerConfigBuilder::trip_on). The one exception is a call that its
    /// own deadline ended.
    #[must_use]
    #[inline]
    pub const fn is_transient(self) -> bool {
        match self {
            Self::ConnectionError
            | Self::ConnectionTimeout
            | Self::RateLimitError
            | Self::ServiceUnavailable
            | Self::TimeoutError
            | Self::SearchTimeout
            | Self::InternalError
            | Self::NetworkError => true,
            Self::InvalidRequestError
            | Self::AuthenticationError
            | Self::NotFoundError
            | Self::CollectionNotFound
            | Self::InvalidVector
            | Self::PermissionDenied
            | Self::CircuitOpen
            | Self::DeadlineExceeded
            | Self::Unknown => false,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for ErrorKind {
    type Err = UnknownKindError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownKindError { name: name.into() })
    }
}

/// The error for a name that no [`ErrorKind`] has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKindError {
    name: String,
}

impl fmt::Display for UnknownKindError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let kinds = kinds.join(", ");
        write!(formatter, "`{}` is not a kind of error; the kinds are {kinds}", self.name)
    }
}

impl Error for UnknownKindError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for &kind in ErrorKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(ErrorKind::ALL[kind as usize], kind);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_kinds() {
        let error = "rate_limit".parse::<ErrorKind>().unwrap_err().to_string();
        assert!(error.starts_with("`rate_limit` is not a kind of error"), "{error}");
        assert!(error.contains("rate_limit_error, service_unavailable"), "{error}");
    }

    #[test]
    fn the_list_of_all_kinds_can_grow() {
        // Its length is not part of its type.
        let all: &'static [ErrorKind] = ErrorKind::ALL;
        assert_eq!(all.last(), Some(&ErrorKind::Unknown));
    }

    #[test]
    fn eight_kinds_are_transient() {
        let transient = ErrorKind::ALL.iter().filter(|kind| kind.is_transient());
        assert_eq!(
            transient.map(|kind| kind.as_str()).collect::<Vec<_>>(),
            [
                "connection_error",
                "connection_timeout",
                "rate_limit_error",
                "service_unavailable",
                "timeout_error",
                "search_timeout",
                "internal_error",
                "network_error",
            ]
        );
    }
}
