//! The event itself.

use std::fmt;
use std::time::Duration;

use super::give_up_reason::GiveUpReason;
use super::kind::EventKind;
use super::place::Place;
use super::transition_cause::TransitionCause;
use crate::ErrorKind;
use crate::error::{BreakerStatus, readable};

/// What the library has done to a call, or has decided by itself. [`observe`](crate::observe)
/// delivers it.
///
/// It borrows all that it holds. An observer that keeps it copies what it needs. `Display` writes a
/// line for humans, and never the text of an error, which may contain an API key.
///
/// Later versions of the library add events, and fields to events.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call is retried after a delay.
    #[non_exhaustive]
    Retrying {
        /// The call. Its attempt has failed.
        call: EventCall<'a>,
        /// The kind of the error.
        kind: ErrorKind,
        /// The time until the next attempt.
        delay: Duration,
    },
    /// A call that may be retried ends with an error.
    #[non_exhaustive]
    GaveUp {
        /// The call.
        call: EventCall<'a>,
        /// The kind of the error.
        kind: ErrorKind,
        /// Why no attempt follows.
        reason: GiveUpReason,
    },
    /// A time limit ended a call that is not retried: its own, or that of its request. For other
    /// calls, [`GaveUp`](Self::GaveUp) reports it.
    #[non_exhaustive]
    TimedOut {
        /// The call.
        call: EventCall<'a>,
        /// [`TimeoutError`](ErrorKind::TimeoutError) for the attempt timeout,
        /// [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) for the deadline.
        kind: ErrorKind,
        /// The limit.
        limit: Duration,
    },
    /// A call was rejected: by a circuit breaker, or because its request has no time left.
    #[non_exhaustive]
    Rejected {
        /// The path of the function, or the name of the policy. `None` if the breaker was used
        /// without a policy.
        function: Option<&'a str>,
        /// The breaker. `None` if the request has no time left, and the call has no breaker.
        breaker: Option<&'a str>,
        /// [`CircuitOpen`](ErrorKind::CircuitOpen) or
        /// [`DeadlineExceeded`](ErrorKind::DeadlineExceeded).
        kind: ErrorKind,
        /// How long the breaker stays open, if that is known.
        retry_after: Option<Duration>,
    },
    /// A circuit breaker has changed its state, or is held in another way. The events of one breaker
    /// come in the order in which it has changed.
    #[non_exhaustive]
    Transition {
        /// The breaker.
        breaker: &'a str,
        /// What it was before.
        from: BreakerStatus,
        /// What it is since.
        to: BreakerStatus,
        /// Why.
        cause: &'a TransitionCause,
    },
    /// A breaker of a template was evicted while it was not closed. Calls that it would have rejected
    /// are sent.
    #[non_exhaustive]
    Evicted {
        /// The breaker.
        breaker: &'a str,
        /// What it was.
        status: BreakerStatus,
    },
    /// A breaker has taken over a state of an earlier process.
    #[non_exhaustive]
    Restored {
        /// The breaker.
        breaker: &'a str,
        /// What it is now.
        status: BreakerStatus,
        /// How long it stays open. `None` if the state has no end of its own.
        time_left: Option<Duration>,
    },
    /// A retry budget has run out. The event comes again only after half of the budget was refilled.
    #[non_exhaustive]
    BudgetExhausted {
        /// The budget.
        budget: &'a str,
        /// The call that was not retried for want of tokens.
        call: EventCall<'a>,
    },
    /// An error of kind `unknown` has reached a policy with a retry or a breaker, for the first time.
    /// Neither does anything about it.
    #[non_exhaustive]
    UnknownError {
        /// The call.
        call: EventCall<'a>,
    },
    /// A call is retried after a call inside it has failed, which was retried too. The event comes
    /// once for each pair of functions.
    #[non_exhaustive]
    RetriesMultiply {
        /// The call that is retried now.
        call: EventCall<'a>,
        /// The function inside it.
        inner: &'a str,
        /// Where it is.
        inner_place: Option<Place>,
    },
    /// Settings have changed a number.
    #[non_exhaustive]
    SettingChanged {
        /// The path of the setting: `breaker.search.open_duration`.
        setting: &'a str,
        /// The value before, as TOML writes it. `None` stands for no value.
        from: Option<&'a str>,
        /// The value now.
        to: Option<&'a str>,
        /// Where the value now was set. `None` if it is as source says again.
        origin: Option<&'a str>,
    },
    /// A watched file of settings has changed and cannot be applied. Its last good settings stay.
    #[non_exhaustive]
    SettingsRefused {
        /// The file.
        file: &'a str,
        /// What is wrong with it.
        mistakes: &'a str,
    },
    /// The program names one thing in two ways: see [`Problem`](crate::Problem).
    #[non_exhaustive]
    Problem {
        /// The problem and how to mend it.
        message: &'a str,
    },
}

/// The call that an [`Event`] is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EventCall<'a> {
    /// The path of the function, or the name of the policy.
    pub function: &'a str,
    /// Where it is in source, if it is an annotated function or a guarded call.
    pub place: Option<Place>,
    /// The name of its circuit breaker.
    pub breaker: Option<&'a str>,
    /// The last attempt that has ended. The first is 1.
    pub attempt: u32,
}

impl<'a> Event<'a> {
    /// Returns which event it is.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Retrying { .. } => EventKind::Retrying,
            Self::GaveUp { .. } => EventKind::GaveUp,
            Self::TimedOut { .. } => EventKind::TimedOut,
            Self::Rejected { .. } => EventKind::Rejected,
            Self::Transition { .. } => EventKind::Transition,
            Self::Evicted { .. } => EventKind::Evicted,
            Self::Restored { .. } => EventKind::Restored,
            Self::BudgetExhausted { .. } => EventKind::BudgetExhausted,
            Self::UnknownError { .. } => EventKind::UnknownError,
            Self::RetriesMultiply { .. } => EventKind::RetriesMultiply,
            Self::SettingChanged { .. } => EventKind::SettingChanged,
            Self::SettingsRefused { .. } => EventKind::SettingsRefused,
            Self::Problem { .. } => EventKind::Problem,
        }
    }

    /// Returns the function that the event is about, by its path, or the name of the policy.
    #[must_use]
    pub fn function(&self) -> Option<&'a str> {
        match self {
            Self::Rejected { function, .. } => *function,
            _ => self.call().map(|call| call.function),
        }
    }

    /// Returns the circuit breaker that the event is about, or that of its call.
    #[must_use]
    pub fn breaker(&self) -> Option<&'a str> {
        match self {
            Self::Rejected { breaker, .. } => *breaker,
            Self::Transition { breaker, .. }
            | Self::Evicted { breaker, .. }
            | Self::Restored { breaker, .. } => Some(*breaker),
            _ => self.call().and_then(|call| call.breaker),
        }
    }

    const fn call(&self) -> Option<&EventCall<'a>> {
        match self {
            Self::Retrying { call, .. }
            | Self::GaveUp { call, .. }
            | Self::TimedOut { call, .. }
            | Self::BudgetExhausted { call, .. }
            | Self::UnknownError { call }
            | Self::RetriesMultiply { call, .. } => Some(call),
            _ => None,
        }
    }
}

/// `gave up app::search after attempt 3 with timeout_error: attempts exhausted`
impl fmt::Display for Event<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Retrying { call, kind, delay } => {
                let delay = readable(delay);
                write!(formatter, "retrying {call} with {kind}, in {delay:?}")
            }
            Self::GaveUp { call, kind, reason } => {
                write!(formatter, "gave up {call} with {kind}: {reason}")
            }
            Self::TimedOut { call, kind, limit } => {
                write!(formatter, "timed out {call} with {kind}, after {:?}", readable(limit))
            }
            Self::Rejected { function, breaker, kind, retry_after } => {
                let function = function.unwrap_or("a call");
                write!(formatter, "rejected {function} with {kind}")?;
                if let Some(breaker) = breaker {
                    write!(formatter, " by the circuit breaker {breaker}")?;
                }
                match retry_after {
                    Some(wait) => write!(formatter, ", for {:?} more", readable(wait)),
                    None => Ok(()),
                }
            }
            Self::Transition { breaker, from, to, cause } => {
                write!(formatter, "circuit breaker {breaker}: {from} -> {to}: {cause}")
            }
            Self::Evicted { breaker, status } => write!(
                formatter,
                "evicted the circuit breaker {breaker}, which was {status}: raise `max_keys`"
            ),
            Self::Restored { breaker, status, time_left } => {
                write!(formatter, "restored the circuit breaker {breaker}: {status}")?;
                match time_left {
                    Some(left) => write!(formatter, " for {:?}", readable(left)),
                    None => Ok(()),
                }
            }
            Self::BudgetExhausted { budget, call } => {
                write!(formatter, "the retry budget {budget} is exhausted: no retry of {call}")
            }
            Self::UnknownError { call } => {
                write!(
                    formatter,
                    "an error of kind `unknown` from {call}: neither retried nor counted"
                )
            }
            Self::RetriesMultiply { call, inner, .. } => {
                write!(formatter, "retries may multiply: {call} retries after {inner} has retried")
            }
            Self::SettingChanged { setting, from, to, origin } => {
                let (from, to) = (from.unwrap_or("none"), to.unwrap_or("none"));
                write!(formatter, "setting changed: {setting}: {from} -> {to}")?;
                match origin {
                    Some(origin) => write!(formatter, " ({origin})"),
                    None => Ok(()),
                }
            }
            Self::SettingsRefused { file, mistakes } => {
                write!(formatter, "settings refused: {file}: {mistakes}")
            }
            Self::Problem { message } => formatter.write_str(message),
        }
    }
}

/// `app::search after attempt 3`
impl fmt::Display for EventCall<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} after attempt {}", self.function, self.attempt)
    }
}
