//! `Classify` for the errors of the standard library's I/O and of tokio's timeouts.

use std::io;
use std::time::Duration;

use tokio::time::error::Elapsed;

use super::classify::Classify;
use super::dyn_error::in_chain;
use crate::ErrorKind;

/// By [`kind`](io::Error::kind), as the error of a network operation. If the kind is `Other`, by
/// the error inside, like a boxed error.
///
/// Only a refused connection, or one without a local address, certainly carried no request. The
/// system also reports an unreachable host or network to an established connection.
impl Classify for io::Error {
    fn kind(&self) -> ErrorKind {
        use io::ErrorKind as Io;
        match self.kind() {
            Io::ConnectionRefused
            | Io::NotConnected
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::NetworkDown
            | Io::AddrNotAvailable => ErrorKind::ConnectionError,
            Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::UnexpectedEof => {
                ErrorKind::NetworkError
            }
            Io::TimedOut => ErrorKind::TimeoutError,
            Io::NotFound => ErrorKind::NotFoundError,
            Io::PermissionDenied => ErrorKind::PermissionDenied,
            Io::InvalidInput | Io::InvalidData | Io::AlreadyExists | Io::Unsupported => {
                ErrorKind::InvalidRequestError
            }
            _ => inside(self, |error| error.kind()).unwrap_or(ErrorKind::Unknown),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        inside(self, |error| error.retry_after()).flatten()
    }

    fn maybe_executed(&self) -> bool {
        match self.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable => false,
            _ => inside(self, |error| error.maybe_executed()).unwrap_or(true),
        }
    }

    fn may_retry(&self) -> bool {
        inside(self, |error| error.may_retry()).unwrap_or(true)
    }
}

/// Asks the error inside `error` if the kind of `error` is `Other`.
fn inside<T>(error: &io::Error, ask: impl Fn(&dyn Classify) -> T) -> Option<T> {
    if error.kind() != io::ErrorKind::Other {
        return None;
    }
    in_chain(error.get_ref()?, ask)
}

impl Classify for Elapsed {
    fn kind(&self) -> ErrorKind {
        ErrorKind::TimeoutError
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_errors_are_read_as_those_of_a_network() {
        let kind = |kind| Classify::kind(&io::Error::from(kind));
        assert_eq!(kind(io::ErrorKind::ConnectionReset), ErrorKind::NetworkError);
        assert_eq!(kind(io::ErrorKind::TimedOut), ErrorKind::TimeoutError);
        assert_eq!(kind(io::ErrorKind::Other), ErrorKind::Unknown);
    }

    #[test]
    fn only_a_connection_that_was_never_made_surely_carried_nothing() {
        use io::ErrorKind as Io;
        for (kind, maybe_executed) in [
            (Io::ConnectionRefused, false),
            (Io::AddrNotAvailable, false),
            (Io::HostUnreachable, true),
            (Io::NetworkUnreachable, true),
            (Io::NetworkDown, true),
            (Io::NotConnected, true),
        ] {
            let error = io::Error::from(kind);
            assert_eq!(Classify::kind(&error), ErrorKind::ConnectionError, "{kind:?}");
            assert_eq!(error.maybe_executed(), maybe_executed, "{kind:?}");
        }
    }

    #[test]
    fn an_error_inside_is_asked_if_the_outer_one_says_nothing() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = io::Error::other(refused());
        assert_eq!(Classify::kind(&wrapped), ErrorKind::ConnectionError);
        assert!(!wrapped.maybe_executed());
        let reset = io::Error::new(io::ErrorKind::ConnectionReset, refused());
        assert_eq!(Classify::kind(&reset), ErrorKind::NetworkError);
        assert!(reset.maybe_executed());
    }
}
