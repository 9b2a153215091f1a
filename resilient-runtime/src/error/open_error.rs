//! The error of a call that a breaker rejected.

use std::error::Error;
use std::time::Duration;

use super::breaker_name::BreakerName;
use super::breaker_state::BreakerState;
use super::classify::Classify;
use super::readable::readable;
use super::sources::{is_or_holds, sources};
use crate::ErrorKind;

/// A circuit breaker rejected the call. No request was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker `{breaker}` {}", reason(*state, *retry_after))]
#[non_exhaustive]
pub struct CircuitOpenError {
    /// The breaker that rejected the call.
    pub breaker: BreakerName,
    /// Its state: open, or half-open with all its probes in use.
    pub state: BreakerState,
    /// The time until the breaker admits a probe. `None` if the breaker is half-open or forced
    /// open.
    pub retry_after: Option<Duration>,
}

impl CircuitOpenError {
    /// Finds the rejection by a breaker in `error` or its sources, including the status of a
    /// `QdrantError`. Pass a boxed error as `find(&*error)`.
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
        sources(error).find_map(is_or_holds)
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

fn reason(state: BreakerState, retry_after: Option<Duration>) -> String {
    match (state, retry_after) {
        (BreakerState::HalfOpen, _) => "is half-open, and all its probes are under way".to_owned(),
        (_, Some(wait)) => format!("is open, try again in {:?}", readable(wait)),
        (_, None) => "is forced open".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(state: BreakerState, retry_after: Option<Duration>) -> String {
        let breaker = BreakerName::from_static("search");
        CircuitOpenError { breaker, state, retry_after }.to_string()
    }

    #[test]
    fn the_message_names_the_breaker_and_the_reason() {
        let wait = Some(Duration::from_micros(2_499_100));
        assert_eq!(
            message(BreakerState::Open, wait),
            "circuit breaker `search` is open, try again in 2.5s"
        );
        assert_eq!(message(BreakerState::Open, None), "circuit breaker `search` is forced open");
        assert_eq!(
            message(BreakerState::HalfOpen, None),
            "circuit breaker `search` is half-open, and all its probes are under way"
        );
    }
}
