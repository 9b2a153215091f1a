//! Every event of the library: the one place where they are made.
//!
//! All have the target `resilient`. A breaker that opens and a call that is given up are warnings,
//! since somebody should know; recovery and each retry are information; a rejection is for
//! debugging, since an open breaker makes thousands of them. No event carries the text of an
//! error: it may hold an API key.

use std::time::Duration;

use tracing::field::debug;

use crate::breaker::{BreakerName, BreakerState};
use crate::{CircuitOpenError, ErrorKind};

const TARGET: &str = "resilient";

/// Whose call an event speaks of.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) function: &'a str,
    pub(crate) breaker: Option<&'a str>,
    /// The attempt that has just ended; the first is 1.
    pub(crate) attempt: u32,
}

/// Why a call that may be retried is not retried any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GiveUp {
    NotTransient,
    AttemptsExhausted,
    HintTooLong,
    BreakerNotClosed,
}

impl GiveUp {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NotTransient => "the error is not transient",
            Self::AttemptsExhausted => "attempts exhausted",
            Self::HintTooLong => "the server asks to wait longer than `max_delay`",
            Self::BreakerNotClosed => "the circuit breaker is not closed",
        }
    }
}

pub(crate) fn retrying(subject: Subject<'_>, kind: ErrorKind, delay: Duration) {
    let Subject { function, breaker, attempt } = subject;
    let kind = kind.as_str();
    let delay = readable(delay);
    tracing::info!(target: TARGET, function, breaker, attempt, kind, ?delay, "retrying");
}

pub(crate) fn gave_up(subject: Subject<'_>, kind: ErrorKind, reason: GiveUp) {
    let Subject { function, breaker, attempt } = subject;
    let (kind, reason) = (kind.as_str(), reason.as_str());
    tracing::warn!(target: TARGET, function, breaker, attempt, kind, reason, "gave up");
}

/// To the millisecond, rounded up: more is noise in a log.
fn readable(duration: Duration) -> Duration {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// `function` is none where the breaker was asked by hand.
pub(crate) fn rejected(function: Option<&str>, error: &CircuitOpenError) {
    let breaker = error.breaker.as_str();
    let kind = ErrorKind::CircuitOpen.as_str();
    let retry_after = error.retry_after.map(|wait| debug(readable(wait)));
    tracing::debug!(target: TARGET, function, breaker, kind, retry_after, "rejected");
}

pub(crate) fn state_changed(breaker: &BreakerName, from: BreakerState, to: BreakerState) {
    const MESSAGE: &str = "circuit breaker changed state";
    let (breaker, from) = (breaker.as_str(), from.as_str());
    if to == BreakerState::Open {
        tracing::warn!(target: TARGET, breaker, from, to = to.as_str(), "{MESSAGE}");
    } else {
        tracing::info!(target: TARGET, breaker, from, to = to.as_str(), "{MESSAGE}");
    }
}

/// Two functions configure one breaker differently. `kept` and `dropped` are places in source.
pub(crate) fn breaker_conflict(breaker: &str, kept: &str, dropped: &str) {
    tracing::error!(
        target: TARGET,
        breaker,
        kept,
        dropped,
        "circuit breaker is configured in two ways: give its settings in one place only"
    );
}
