//! The error of a call that its policy ends.

use std::fmt;
use std::time::Duration;

use super::classify::Classify;
use super::open_error::CircuitOpenError;
use crate::ErrorKind;

/// A call or an attempt that its policy ended before the function returned.
///
/// A function with a breaker, an attempt timeout or a deadline returns an error `E:
/// From<Rejection>`. `QdrantError` implements this: the rejection becomes the source of a status of
/// code `Unavailable`, or `DeadlineExceeded` for a timeout. In an enum of your own, add a variant:
///
/// ```
/// use resilient_runtime::Rejection;
///
/// #[derive(Debug, thiserror::Error)]
/// enum SearchError {
///     #[error(transparent)]
///     Rejected(#[from] Rejection),
///     #[error("the query is empty")]
///     EmptyQuery,
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The circuit breaker of the function is open.
    // Not transparent: behind a transparent variant of the user's, it would be missing in the
    // chain.
    #[error("rejected by circuit breaker `{}`", .0.breaker)]
    CircuitOpen(#[from] CircuitOpenError),
    /// The attempt took longer than its `attempt_timeout`. The server may still be working on it.
    /// The kind is `timeout_error`.
    #[error("attempt {attempt} timed out after {timeout:?}")]
    #[non_exhaustive]
    AttemptTimeout {
        /// The attempt timeout.
        timeout: Duration,
        /// The number of the attempt. The first is 1.
        attempt: u32,
    },
    /// The call took longer than its `deadline`, or than the time that
    /// [`within`](crate::within()) had left for it. The server may still be working on the last
    /// attempt. The kind is `deadline_exceeded`, which is not transient.
    #[error("{}", ExceededDeadline { deadline: *deadline, attempts: *attempts })]
    #[non_exhaustive]
    DeadlineExceeded {
        /// The deadline, or the time that was left when the call began.
        deadline: Duration,
        /// The number of attempts; 0 if no time was left for the first, so that nothing was sent.
        attempts: u32,
    },
}

/// What a deadline says that was exceeded.
struct ExceededDeadline {
    deadline: Duration,
    attempts: u32,
}

impl fmt::Display for ExceededDeadline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deadline, attempts } = self;
        match attempts {
            0 => formatter.write_str("deadline exceeded before the first attempt"),
            _ => write!(formatter, "deadline of {deadline:?} exceeded in attempt {attempts}"),
        }
    }
}

impl Classify for Rejection {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CircuitOpen(error) => error.kind(),
            Self::AttemptTimeout { .. } => ErrorKind::TimeoutError,
            Self::DeadlineExceeded { .. } => ErrorKind::DeadlineExceeded,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen(error) => Classify::retry_after(error),
            Self::AttemptTimeout { .. } | Self::DeadlineExceeded { .. } => None,
        }
    }

    fn maybe_executed(&self) -> bool {
        match self {
            Self::CircuitOpen(error) => error.maybe_executed(),
            Self::AttemptTimeout { .. } => true,
            Self::DeadlineExceeded { attempts, .. } => *attempts > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CircuitBreaker;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("no answer")]
        Wrapped(#[source] Rejection),
        #[error(transparent)]
        Transparent(Rejection),
    }

    #[test]
    fn a_deadline_is_told_from_a_timeout_by_its_kind() {
        let second = Duration::from_secs(1);
        let timeout = Rejection::AttemptTimeout { timeout: second, attempt: 1 };
        let deadline = Rejection::DeadlineExceeded { deadline: second, attempts: 1 };
        assert_eq!(timeout.kind(), ErrorKind::TimeoutError);
        assert_eq!(deadline.kind(), ErrorKind::DeadlineExceeded);
        assert!(timeout.maybe_executed() && deadline.maybe_executed());
    }

    #[test]
    fn it_is_found_in_a_chain() {
        let breaker = CircuitBreaker::default();
        breaker.force_open();
        let open = breaker.acquire().unwrap_err();
        assert_eq!(CircuitOpenError::find(&open), Some(&open));
        for wrap in [Outer::Wrapped, Outer::Transparent] {
            assert_eq!(CircuitOpenError::find(&wrap(open.clone().into())), Some(&open));
        }
        assert_eq!(CircuitOpenError::find(&fmt::Error), None);
    }
}
