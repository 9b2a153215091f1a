//! The classification of an error of another crate.

use crate::ErrorKind;

/// The kind of an error, and whether the request may have been executed. The hint is not part of
/// it: it is read from metadata, only when a caller needs it.
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
