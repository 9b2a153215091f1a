//! What a call gets where the policy, and not the function, ended it.

use std::error::Error;
use std::time::Duration;

use crate::breaker::BreakerName;
use crate::classify::chain;
use crate::{Classify, ErrorKind};

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

/// A circuit breaker rejected the call: nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker `{breaker}` is open{}", hint(*retry_after))]
#[non_exhaustive]
pub struct CircuitOpenError {
    /// The breaker that rejected the call.
    pub breaker: BreakerName,
    /// How long until it lets a probe through. `None` where nobody knows: it is held open by
    /// hand, or it is half-open and all its probes are out.
    pub retry_after: Option<Duration>,
}

impl CircuitOpenError {
    /// The rejection by an open breaker in `error` or in the chain of its sources, where there is
    /// one. It looks into the status of a `QdrantError` too. A boxed error is asked as
    /// `find(&*error)`.
    ///
    /// ```
    /// use resilient_runtime::{CircuitBreaker, CircuitOpenError, Rejection};
    /// use qdrant_client::QdrantError;
    ///
    /// let breaker = CircuitBreaker::named("search", Default::default());
    /// breaker.force_open();
    ///
    /// let error = QdrantError::from(Rejection::from(breaker.acquire().unwrap_err()));
    /// assert_eq!(CircuitOpenError::find(&error).unwrap().breaker, "search");
    /// ```
    #[must_use]
    pub fn find<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        chain(error).find_map(|error| {
            let rejection = error.downcast_ref().map(|Rejection::CircuitOpen(open)| open);
            rejection.or_else(|| error.downcast_ref())
        })
    }
}

impl Classify for CircuitOpenError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::CircuitOpen
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn maybe_executed(&self) -> bool {
        false
    }
}

fn hint(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!(", try again in {wait:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("no answer")]
        Wrapped(#[source] Rejection),
        #[error(transparent)]
        Transparent(Rejection),
    }

    fn rejection(retry_after: Option<Duration>) -> CircuitOpenError {
        CircuitOpenError { breaker: BreakerName::from_static("search"), retry_after }
    }

    #[test]
    fn it_is_found_in_a_chain() {
        let open = rejection(Some(Duration::from_secs(3)));
        assert_eq!(CircuitOpenError::find(&open), Some(&open));
        for wrap in [Outer::Wrapped, Outer::Transparent] {
            assert_eq!(CircuitOpenError::find(&wrap(open.clone().into())), Some(&open));
        }
        assert_eq!(CircuitOpenError::find(&std::fmt::Error), None);
    }

    #[test]
    fn the_message_names_the_breaker_and_the_wait() {
        let open = rejection(Some(Duration::from_millis(2500)));
        assert_eq!(open.to_string(), "circuit breaker `search` is open, try again in 2.5s");
        assert_eq!(rejection(None).to_string(), "circuit breaker `search` is open");
    }
}
