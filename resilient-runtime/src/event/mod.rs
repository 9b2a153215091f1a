//! Every event of the library: the one place where they are made.
//!
//! All have the target `resilient`. A breaker that opens, a call that is given up and one that times
//! out are warnings, since somebody should know; recovery and each retry are information; a rejection is for
//! debugging, since an open breaker makes thousands of them. No event carries the text of an
//! error: it may hold an API key.
//!
//! None is made under a lock: a subscriber may ask the library what it likes.

use std::time::Duration;

use crate::ErrorKind;
use crate::error::readable;

pub(crate) const TARGET: &str = "resilient";

/// Whose call an event speaks of.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) function: &'a str,
    pub(crate) breaker: Option<&'a str>,
    /// The attempt that has ended last; the first is 1.
    pub(crate) attempt: u32,
}

pub(crate) fn retrying(subject: Subject<'_>, kind: ErrorKind, delay: Duration) {
    let Subject { function, breaker, attempt } = subject;
    let (kind, delay) = (kind.as_str(), readable(delay));
    tracing::info!(target: TARGET, function, breaker, attempt, kind, ?delay, "retrying");
}

pub(crate) fn gave_up(subject: Subject<'_>, kind: ErrorKind, reason: &str) {
    let Subject { function, breaker, attempt } = subject;
    let kind = kind.as_str();
    tracing::warn!(target: TARGET, function, breaker, attempt, kind, reason, "gave up");
}

/// A limit of the policy ended a call that is never retried. With retries, [`gave_up`] tells it.
pub(crate) fn timed_out(subject: Subject<'_>, kind: ErrorKind, limit: Duration) {
    let Subject { function, breaker, attempt } = subject;
    let (kind, limit) = (kind.as_str(), readable(limit));
    tracing::warn!(target: TARGET, function, breaker, attempt, kind, ?limit, "timed out");
}

/// `function` is none where the breaker was asked by hand.
pub(crate) fn rejected(function: Option<&str>, breaker: &str, retry_after: Option<Duration>) {
    let kind = ErrorKind::CircuitOpen.as_str();
    tracing::debug!(
        target: TARGET,
        function,
        breaker,
        kind,
        // Here, and so only where somebody listens.
        retry_after = retry_after.map(|wait| tracing::field::debug(readable(wait))),
        "rejected"
    );
}

pub(crate) fn opened(breaker: &str, from: &str, to: &str) {
    tracing::warn!(target: TARGET, breaker, from, to, "circuit breaker changed state");
}

pub(crate) fn recovering(breaker: &str, from: &str, to: &str) {
    tracing::info!(target: TARGET, breaker, from, to, "circuit breaker changed state");
}

/// A breaker of many left that was not closed: calls that it would have rejected are sent.
pub(crate) fn forgotten(breaker: &str, state: &str) {
    tracing::warn!(
        target: TARGET,
        breaker,
        state,
        "evicted a circuit breaker that was not closed: raise `max_keys`"
    );
}
