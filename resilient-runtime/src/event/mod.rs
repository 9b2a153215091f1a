//! Every event of the library, except those of a [problem](crate::Problem), which the catalog
//! emits.
//!
//! All have the target `resilient`. A warning reports a breaker that opens, a call that is given up
//! and a call that times out. Recovery and each retry are information. A rejection is for
//! debugging, since an open breaker causes thousands of them. No event carries the text of an
//! error, which may contain an API key.
//!
//! No event is emitted under a lock, since a subscriber may call the library.

use std::time::Duration;

use crate::ErrorKind;
use crate::error::readable;
use crate::place::Place;

pub(crate) const TARGET: &str = "resilient";

/// The call that an event is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) function: &'a str,
    /// Of an annotated function or a guarded call.
    pub(crate) place: Option<Place>,
    pub(crate) breaker: Option<&'a str>,
    /// The last attempt that ended. The first is 1.
    pub(crate) attempt: u32,
}

pub(crate) fn retrying(subject: Subject<'_>, kind: ErrorKind, delay: Duration) {
    let Subject { function, breaker, attempt, .. } = subject;
    let (kind, delay) = (kind.as_str(), readable(delay));
    tracing::info!(target: TARGET, function, breaker, attempt, kind, ?delay, "retrying");
}

/// A call is retried after a call inside it has failed, which was retried too. `outer` is the call
/// that is retried now. Its error may be another one: an error does not say where it comes from.
pub(crate) fn multiplied(outer: Subject<'_>, inner: &str, inner_place: Option<Place>) {
    let Subject { function, place, breaker, .. } = outer;
    tracing::warn!(
        target: TARGET,
        function,
        place = place.map(tracing::field::display),
        breaker,
        inner,
        inner_place = inner_place.map(tracing::field::display),
        "retries may multiply: the function retries after the function `inner`, which it calls, has \
         already retried and failed: if it retries the same error, let one of them retry, or give \
         both the same breaker"
    );
}

pub(crate) fn gave_up(subject: Subject<'_>, kind: ErrorKind, reason: &str) {
    let Subject { function, breaker, attempt, .. } = subject;
    let kind = kind.as_str();
    tracing::warn!(target: TARGET, function, breaker, attempt, kind, reason, "gave up");
}

/// An error of kind `unknown` reached a policy with a retry or a breaker, for the first time.
pub(crate) fn unknown_error(subject: Subject<'_>) {
    let Subject { function, place, breaker, attempt } = subject;
    let kind = ErrorKind::Unknown.as_str();
    tracing::warn!(
        target: TARGET,
        function,
        place = place.map(tracing::field::display),
        breaker,
        attempt,
        kind,
        "an error of kind `unknown` is neither retried nor a failure for a breaker: derive \
         `Classify` for it, give the function the key `classify`, or guard the call where the error \
         still is a `QdrantError`"
    );
}

/// A time limit ended a call that is never retried: its own, or that of its request. For other calls, [`gave_up`] reports it.
pub(crate) fn timed_out(subject: Subject<'_>, kind: ErrorKind, limit: Duration) {
    let Subject { function, breaker, attempt, .. } = subject;
    let (kind, limit) = (kind.as_str(), readable(limit));
    tracing::warn!(target: TARGET, function, breaker, attempt, kind, ?limit, "timed out");
}

/// `function` is `None` if the breaker was used without a policy.
pub(crate) fn rejected(function: Option<&str>, breaker: &str, retry_after: Option<Duration>) {
    let kind = ErrorKind::CircuitOpen.as_str();
    tracing::debug!(
        target: TARGET,
        function,
        breaker,
        kind,
        // Formatted here, and so only if a subscriber listens.
        retry_after = retry_after.map(|wait| tracing::field::debug(readable(wait))),
        "rejected"
    );
}

/// A call was rejected because the request that it belongs to has no time left.
pub(crate) fn too_late(function: Option<&str>, breaker: Option<&str>) {
    let kind = ErrorKind::DeadlineExceeded.as_str();
    tracing::debug!(target: TARGET, function, breaker, kind, "rejected");
}

pub(crate) fn opened(breaker: &str, from: &str, to: &str) {
    tracing::warn!(target: TARGET, breaker, from, to, "circuit breaker changed state");
}

pub(crate) fn recovering(breaker: &str, from: &str, to: &str) {
    tracing::info!(target: TARGET, breaker, from, to, "circuit breaker changed state");
}

/// A breaker that was not closed was evicted. Calls that it would have rejected are now sent.
pub(crate) fn evicted(breaker: &str, state: &str) {
    tracing::warn!(
        target: TARGET,
        breaker,
        state,
        "evicted a circuit breaker that was not closed: raise `max_keys`"
    );
}

/// A breaker has taken over a state of an earlier process. `time_left` is `None` if the state has no
/// end of its own.
pub(crate) fn restored(breaker: &str, state: &str, time_left: Option<Duration>) {
    tracing::info!(
        target: TARGET,
        breaker,
        state,
        time_left = time_left.map(|left| tracing::field::debug(readable(left))),
        "restored the state of a circuit breaker"
    );
}

/// Settings have changed a number. `None` stands for no value.
#[cfg(feature = "settings")]
pub(crate) fn setting_changed(
    setting: &str,
    from: Option<&str>,
    to: Option<&str>,
    origin: Option<&str>,
) {
    tracing::info!(target: TARGET, setting, from, to, origin, "setting changed");
}

/// A watched file of settings has changed and cannot be applied. Its last good settings stay.
#[cfg(feature = "settings")]
pub(crate) fn settings_refused(file: &str, mistakes: &str) {
    tracing::warn!(target: TARGET, file, mistakes, "settings refused: the last good ones stay");
}
