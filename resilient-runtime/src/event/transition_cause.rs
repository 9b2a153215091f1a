//! Why a breaker has changed its state.

use std::fmt;
use std::sync::Arc;

use crate::ErrorKind;

/// Why a circuit breaker has changed its state, in [`Event::Transition`](crate::Event::Transition).
///
/// ```
/// use resilient_runtime::{CircuitBreaker, Event, EventKind, TransitionCause, observe, only};
///
/// let observation = observe(only(EventKind::Transition, |event: &Event<'_>| {
///     if let Event::Transition { breaker, cause, .. } = event {
///         println!("{breaker}: {cause}"); // unnamed: by hand
/// #       assert!(matches!(cause, TransitionCause::Manual { .. }));
///     }
/// }));
/// CircuitBreaker::default().force_open();
/// # drop(observation);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransitionCause {
    /// As many failures as the threshold allows: in a row, or in the breaker's window.
    #[non_exhaustive]
    Failures {
        /// How many.
        failures: u64,
        /// The last of them.
        last: CountedFailure,
    },
    /// Too large a share of the calls in the window has failed.
    #[non_exhaustive]
    FailureRate {
        /// How many calls in the window have failed.
        failures: u64,
        /// How many calls are in the window.
        calls: u64,
        /// The last failure.
        last: CountedFailure,
    },
    /// Too large a share of the calls in the window was slow.
    #[non_exhaustive]
    SlowCallRate {
        /// How many calls in the window were slow.
        slow_calls: u64,
        /// How many calls are in the window.
        calls: u64,
        /// The last call.
        last: CountedFailure,
    },
    /// A probe has failed, or was slow.
    #[non_exhaustive]
    ProbeFailed {
        /// How.
        last: CountedFailure,
    },
    /// A probe has not ended within the `probe_timeout`.
    ProbeTimedOut,
    /// As many probes have succeeded as the `success_threshold` asks for.
    #[non_exhaustive]
    ProbesSucceeded {
        /// How many.
        probes: u32,
    },
    /// The time for which the breaker stays open is over, and a call probes.
    OpenDurationOver,
    /// A call of `force_open`, `force_closed`, `disable` or `reset`.
    #[non_exhaustive]
    Manual {
        /// Who did it, as far as the service says.
        by: Option<Arc<str>>,
    },
    /// [`restore`](crate::restore) has read it from a snapshot.
    Restored,
}

/// A result that counts as a failure for a circuit breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountedFailure {
    /// What the result was.
    pub source: FailureSource,
    /// The path of the function, or the name of the policy. `None` if the breaker was used without
    /// a policy.
    pub function: Option<Arc<str>>,
}

/// What counts as a failure for a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureSource {
    /// An error of this kind.
    Error(ErrorKind),
    /// A panic.
    Panic,
    /// A success that was slow.
    SlowCall,
    /// [`Permit::failure`](crate::Permit::failure).
    Reported,
}

/// ``5 failures, the last with `network_error` in app::search``
impl fmt::Display for TransitionCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures { failures: 1, last } => write!(formatter, "1 failure, {last}"),
            Self::Failures { failures, last } => {
                write!(formatter, "{failures} failures, the last {last}")
            }
            Self::FailureRate { failures, calls, last } => {
                write!(formatter, "{failures} of {calls} calls failed, the last {last}")
            }
            Self::SlowCallRate { slow_calls, calls, last } => {
                write!(formatter, "{slow_calls} of {calls} calls were slow, the last {last}")
            }
            Self::ProbeFailed { last } => write!(formatter, "a probe failed, {last}"),
            Self::ProbeTimedOut => formatter.write_str("a probe timed out"),
            Self::ProbesSucceeded { probes: 1 } => formatter.write_str("1 probe succeeded"),
            Self::ProbesSucceeded { probes } => write!(formatter, "{probes} probes succeeded"),
            Self::OpenDurationOver => formatter.write_str("the open duration is over"),
            Self::Manual { by: None } => formatter.write_str("by hand"),
            Self::Manual { by: Some(by) } => write!(formatter, "by hand, by {by}"),
            Self::Restored => formatter.write_str("restored from a snapshot"),
        }
    }
}

/// ``with `network_error` in app::search``
impl fmt::Display for CountedFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.source)?;
        match &self.function {
            Some(function) => write!(formatter, " in {function}"),
            None => Ok(()),
        }
    }
}

/// ``with `network_error` ``
impl fmt::Display for FailureSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(kind) => write!(formatter, "with `{kind}`"),
            Self::Panic => formatter.write_str("with a panic"),
            Self::SlowCall => formatter.write_str("with a slow call"),
            Self::Reported => formatter.write_str("as reported"),
        }
    }
}
