//! What a call gets where the policy, and not the function, ended it.

use std::time::Duration;

use crate::{CircuitOpenError, Classify, ErrorKind};

/// A call that its policy ended before the function could answer.
///
/// A function whose policy can reject returns an error `E: From<Rejection>`. `QdrantError` is one:
/// there a rejection is a status of code `Unavailable` whose source it is. In an enum of your own,
/// one variant does it:
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
    // Not transparent: behind a transparent variant of the user's, nothing would be left of it in
    // the chain.
    #[error("rejected by circuit breaker `{}`", .0.breaker)]
    CircuitOpen(#[from] CircuitOpenError),
}

impl Classify for Rejection {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CircuitOpen(error) => error.kind(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen(error) => Classify::retry_after(error),
        }
    }

    fn maybe_executed(&self) -> bool {
        match self {
            Self::CircuitOpen(error) => error.maybe_executed(),
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
    fn it_is_found_in_a_chain() {
        let breaker = CircuitBreaker::default();
        breaker.force_open();
        let open = breaker.acquire().unwrap_err();
        assert_eq!(CircuitOpenError::find(&open), Some(&open));
        for wrap in [Outer::Wrapped, Outer::Transparent] {
            assert_eq!(CircuitOpenError::find(&wrap(open.clone().into())), Some(&open));
        }
        assert_eq!(CircuitOpenError::find(&std::fmt::Error), None);
    }
}
