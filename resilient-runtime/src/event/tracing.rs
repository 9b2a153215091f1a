//! The events of `tracing`, with the target `resilient`.
//!
//! A warning reports a breaker that opens, a call that is given up and a call that times out. Recovery
//! and each retry are information. A rejection is for debugging, since an open breaker causes
//! thousands of them.

use ::tracing::{debug, field, info, warn};

use super::event_type::{Event, EventCall};
use crate::ErrorKind;
use crate::error::{BreakerState, readable};

pub(crate) const TARGET: &str = "resilient";

/// Emits an event, except that of a [`Problem`](crate::Problem), whose fields only the catalog knows.
pub(super) fn emit(event: &Event<'_>) {
    match *event {
        Event::Retrying { call, kind, delay } => {
            let EventCall { function, breaker, attempt, .. } = call;
            let (kind, delay) = (kind.as_str(), readable(delay));
            info!(target: TARGET, function, breaker, attempt, kind, ?delay, "retrying");
        }
        Event::GaveUp { call, kind, reason } => {
            let EventCall { function, breaker, attempt, .. } = call;
            let (kind, reason) = (kind.as_str(), reason.text());
            warn!(target: TARGET, function, breaker, attempt, kind, reason, "gave up");
        }
        Event::TimedOut { call, kind, limit } => {
            let EventCall { function, breaker, attempt, .. } = call;
            let (kind, limit) = (kind.as_str(), readable(limit));
            warn!(target: TARGET, function, breaker, attempt, kind, ?limit, "timed out");
        }
        Event::Rejected { function, breaker, kind, retry_after } => {
            let kind = kind.as_str();
            debug!(
                target: TARGET,
                function,
                breaker,
                kind,
                // Formatted here, and so only if a subscriber listens.
                retry_after = retry_after.map(|wait| field::debug(readable(wait))),
                "rejected"
            );
        }
        // Whether it is held is of interest to operators, and says nothing of calls.
        Event::Transition { from, to, .. } if from.state() == to.state() => {}
        Event::Transition { breaker, from, to, cause } => {
            let opened = to.state() == BreakerState::Open;
            let (from, to) = (from.state().as_str(), to.state().as_str());
            if opened {
                warn!(target: TARGET, breaker, from, to, %cause, "circuit breaker changed state");
            } else {
                info!(target: TARGET, breaker, from, to, %cause, "circuit breaker changed state");
            }
        }
        Event::Evicted { breaker, status } => {
            let state = status.state().as_str();
            warn!(
                target: TARGET,
                breaker,
                state,
                "evicted a circuit breaker that was not closed: raise `max_keys`"
            );
        }
        Event::Restored { breaker, status, time_left } => {
            let state = status.as_str();
            info!(
                target: TARGET,
                breaker,
                state,
                time_left = time_left.map(|left| field::debug(readable(left))),
                "restored the state of a circuit breaker"
            );
        }
        Event::BudgetExhausted { budget, call } => {
            let EventCall { function, breaker, .. } = call;
            warn!(target: TARGET, budget, function, breaker, "retry budget exhausted");
        }
        Event::UnknownError { call } => {
            let EventCall { function, place, breaker, attempt } = call;
            let kind = ErrorKind::Unknown.as_str();
            warn!(
                target: TARGET,
                function,
                place = place.map(field::display),
                breaker,
                attempt,
                kind,
                "an error of kind `unknown` is neither retried nor a failure for a breaker: derive \
                 `Classify` for it, give the function the key `classify`, or guard the call where the \
                 error still is a `QdrantError`"
            );
        }
        Event::RetriesMultiply { call, inner, inner_place } => {
            let EventCall { function, place, breaker, .. } = call;
            warn!(
                target: TARGET,
                function,
                place = place.map(field::display),
                breaker,
                inner,
                inner_place = inner_place.map(field::display),
                "retries may multiply: the function retries after the function `inner`, which it \
                 calls, has already retried and failed: if it retries the same error, let one of them \
                 retry, or give both the same breaker"
            );
        }
        Event::SettingChanged { setting, from, to, origin } => {
            info!(target: TARGET, setting, from, to, origin, "setting changed");
        }
        Event::SettingsRefused { file, mistakes } => {
            warn!(target: TARGET, file, mistakes, "settings refused: the last good ones stay");
        }
        Event::Problem { .. } => {}
    }
}
