//! Settling: what the end of a call does to the breaker.
//!
//! `Word::fail` and `Word::succeed` in `state.rs` decide by counts whether a result opens or closes the
//! breaker. For a window, `config::window_trip` decides, and `Word::trip` applies it.

use std::time::Duration;

use tokio::time::Instant;

use super::admitted::Admitted;
use super::circuit_breaker::CircuitBreaker;
use super::config::{Behavior, BreakerConfig, Trip};
use super::failure::{Caller, Failure};
use super::live_config::Configured;
use super::state::{State, Ticket, Word};
use super::window::{CallResult, WindowStats};
use crate::ErrorKind;
use crate::event::{FailureSource, TransitionCause};

/// Releases the slot of a probe when it is dropped, even if a subscriber panics. By then the probe
/// has moved the state word, so that the next probe to take the slot sees its result.
struct Release<'b> {
    breaker: &'b CircuitBreaker,
    admitted: Admitted,
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.breaker.release(self.admitted);
    }
}

impl CircuitBreaker {
    #[inline]
    pub(super) fn succeeded(&self, admitted: Admitted, caller: Caller<'_>) {
        // This holds for nearly every call.
        let is_done = self.load().is_at_rest() && !self.config.has_window() && !admitted.has_slot();
        // Both branches end in a call, so that nothing has to be kept on the stack.
        if is_done {
            self.totals.count_success();
        } else {
            self.succeeded_with_more_to_do(admitted, caller);
        }
    }

    // Not cold: every success of a breaker with a window comes here.
    #[inline(never)]
    fn succeeded_with_more_to_do(&self, admitted: Admitted, caller: Caller<'_>) {
        self.totals.count_success();
        let changed;
        let configured = if let Some(configured) = self.config.unchanged() {
            configured
        } else {
            changed = self.config.current();
            &changed
        };
        let ticket = admitted.ticket();
        let slow = self.is_slow(&configured.config, admitted);
        let slow_call = Failure::new(FailureSource::SlowCall, caller);
        if configured.config.rates().is_some() && !ticket.is_probe() {
            let result = CallResult { failed: false, slow };
            self.record(configured, ticket, result, &slow_call, Instant::now);
        } else if slow {
            self.fail(configured, admitted, slow, &slow_call);
        } else {
            self.succeed(&configured.config, admitted);
        }
    }

    // Not inlined, to stay off the path of a breaker with a window.
    #[inline(never)]
    fn succeed(&self, config: &BreakerConfig, admitted: Admitted) {
        let _released = Release { breaker: self, admitted };
        let cause = |word| TransitionCause::ProbesSucceeded {
            probes: match word {
                State::HalfOpen { successes } => u32::from(successes) + 1,
                _ => 1,
            },
        };
        self.advance(|word| word.succeed(config, admitted.ticket()), |word| cause(word.state()));
    }

    #[cold]
    pub(super) fn failed(&self, admitted: Admitted, failure: Failure<'_>) {
        self.totals.count_failure();
        let configured = self.config.current();
        let slow = self.is_slow(&configured.config, admitted);
        self.fail(&configured, admitted, slow, &failure);
    }

    fn fail(&self, configured: &Configured, admitted: Admitted, slow: bool, failure: &Failure<'_>) {
        let ticket = admitted.ticket();
        let now = Instant::now();
        let elapsed = self.clock.elapsed_at(now);
        self.clock.record_failure(elapsed);
        let _released = Release { breaker: self, admitted };
        if configured.config.rates().is_some() && !ticket.is_probe() {
            self.record(configured, ticket, CallResult { failed: true, slow }, failure, || now);
        } else {
            self.advance_or_open(
                elapsed,
                failure.hint,
                |word, until| word.fail(&configured.config, ticket, until),
                |word| failure.opens(word),
            );
        }
    }

    /// Whether an error of this kind counts as a failure.
    #[inline]
    pub(super) fn trips_on(&self, kind: ErrorKind) -> bool {
        match self.config.unchanged() {
            Some(configured) => configured.config.trips_on(kind),
            None => self.trips_on_by_settings(kind),
        }
    }

    #[cold]
    fn trips_on_by_settings(&self, kind: ErrorKind) -> bool {
        self.config.current().config.trips_on(kind)
    }

    pub(super) fn ignored(&self, admitted: Admitted) {
        self.totals.count_ignored();
        self.release(admitted);
    }

    /// Returns whether the call was slow, and counts it if so.
    #[inline]
    fn is_slow(&self, config: &BreakerConfig, admitted: Admitted) -> bool {
        config.slow_call_duration().is_some_and(|limit| self.has_lasted(admitted, limit))
    }

    #[inline(never)]
    fn has_lasted(&self, admitted: Admitted, limit: Duration) -> bool {
        let slow = self.lasted(admitted) > limit;
        if slow {
            self.totals.count_slow_call();
        }
        slow
    }

    /// Adds a result to the window, and opens the breaker if what is in the window says so.
    fn record(
        &self,
        configured: &Configured,
        ticket: Ticket,
        result: CallResult,
        last: &Failure<'_>,
        now: impl Fn() -> Instant,
    ) {
        let Some(results) = configured.results(&now) else { return };
        let period_lasts = || self.load().counts_in_window(ticket);
        let window = results.record(result, ticket.period(), period_lasts, &now);
        let trip = window.and_then(|window| Some((window, window.trip(&configured.config)?)));
        if let Some((window, trip)) = trip {
            self.trip(ticket, window, trip, last);
        }
    }

    /// Opens the breaker because of what is in its window.
    #[cold]
    fn trip(&self, ticket: Ticket, window: WindowStats, trip: Trip, last: &Failure<'_>) {
        self.advance_or_open(
            self.clock.elapsed(),
            last.hint,
            |word, until| word.trip(ticket, until),
            |_| window.cause(trip, last.counted()),
        );
    }

    /// Releases the slot of a probe, whatever the breaker's state is now.
    pub(super) fn release(&self, admitted: Admitted) {
        if let Some(slot) = admitted.slot() {
            self.probes.release(slot, admitted.ticket().period());
            self.waiters.wake_all();
        }
    }
}

impl Failure<'_> {
    /// Returns why this opens a breaker with this state word, if it does.
    #[cold]
    fn opens(&self, word: Word) -> TransitionCause {
        let last = self.counted();
        match word.state() {
            State::Closed { failures } => {
                TransitionCause::Failures { failures: u64::from(failures) + 1, last }
            }
            _ => TransitionCause::ProbeFailed { last },
        }
    }
}
