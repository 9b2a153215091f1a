//! What is known about an error of another crate: its kind, and whether the request may have been
//! executed.
//!
//! The hint is not part of it. It is read from metadata, and only when it is asked for.

use crate::ErrorKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Classification {
    pub(crate) kind: ErrorKind,
    pub(crate) maybe_executed: bool,
}

impl Classification {
    pub(crate) const fn ambiguous(kind: ErrorKind) -> Self {
        Self { kind, maybe_executed: true }
    }

    pub(crate) const fn not_executed(kind: ErrorKind) -> Self {
        Self { kind, maybe_executed: false }
    }

    /// By the HTTP status of an answer that a proxy may have given in the server's place: it may
    /// have passed the request on first, but for those that it gives before.
    pub(crate) const fn of_http_status(number: u16) -> Self {
        match number {
            // Of the server, of a proxy, and of a network that wants a login first.
            401 | 407 | 511 => Self::not_executed(ErrorKind::AuthenticationError),
            403 => Self::not_executed(ErrorKind::PermissionDenied),
            // What is not there: a path, or a method, version or extension of HTTP.
            404 | 501 | 505 | 510 => Self::not_executed(ErrorKind::InvalidRequestError),
            // Too early: the handshake is to be over first (RFC 8470).
            425 => Self::not_executed(ErrorKind::ServiceUnavailable),
            429 => Self::not_executed(ErrorKind::RateLimitError),
            408 | 504 => Self::ambiguous(ErrorKind::TimeoutError),
            502 | 503 => Self::ambiguous(ErrorKind::ServiceUnavailable),
            // A redirection leads the same request astray again; what is left of the rest blames
            // the request.
            300..=499 => Self::ambiguous(ErrorKind::InvalidRequestError),
            _ => Self::ambiguous(ErrorKind::InternalError),
        }
    }
}

#[cfg(test)]
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
                Classification { kind, maybe_executed }
            );
        }
    }
}
