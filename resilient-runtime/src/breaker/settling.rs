//! Settling: what the end of a call does to the breaker.
//!
//! `Word::fail` and `Word::succeed` in `state.rs` decide by counts whether a result opens or closes the
//! breaker. For a window, `config::window_opens` decides, and `Word::trip` applies it.

use std::time::Duration;

use tokio::time::Instant;

use super::admitted::Admitted;
use super::circuit_breaker::CircuitBreaker;
use super::config::{Behavior, BreakerConfig};
use super::live_config::Configured;
use super::state::Ticket;
use super::window::CallResult;
use crate::ErrorKind;

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
    pub(super) fn succeeded(&self, admitted: Admitted) {
        // This holds for nearly every call.
        let is_done = self.load().is_at_rest() && !self.config.has_window() && !admitted.has_slot();
        // Both branches end in a call, so that nothing has to be kept on the stack.
        if is_done {
            self.totals.count_success();
        } else {
            self.succeeded_with_more_to_do(admitted);
        }
    }

    // Not cold: every success of a breaker with a window comes here.
    #[inline(never)]
    fn succeeded_with_more_to_do(&self, admitted: Admitted) {
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
        if configured.config.rates().is_some() && !ticket.is_probe() {
            let result = CallResult { failed: false, slow };
            self.record(configured, ticket, result, None, Instant::now);
        } else if slow {
            self.fail(configured, admitted, slow, None);
        } else {
            self.succeed(&configured.config, admitted);
        }
    }

    // Not inlined, to stay off the path of a breaker with a window.
    #[inline(never)]
    fn succeed(&self, config: &BreakerConfig, admitted: Admitted) {
        let _released = Release { breaker: self, admitted };
        self.advance(|word| word.succeed(config, admitted.ticket()));
    }

    /// `hint` is how long the server asks to wait, if it does.
    #[cold]
    pub(super) fn failed(&self, admitted: Admitted, hint: Option<Duration>) {
        self.totals.count_failure();
        let configured = self.config.current();
        let slow = self.is_slow(&configured.config, admitted);
        self.fail(&configured, admitted, slow, hint);
    }

    fn fail(
        &self,
        configured: &Configured,
        admitted: Admitted,
        slow: bool,
        hint: Option<Duration>,
    ) {
        let ticket = admitted.ticket();
        let now = Instant::now();
        let elapsed = self.clock.elapsed_at(now);
        self.clock.record_failure(elapsed);
        let _released = Release { breaker: self, admitted };
        if configured.config.rates().is_some() && !ticket.is_probe() {
            self.record(configured, ticket, CallResult { failed: true, slow }, hint, || now);
        } else {
            self.advance_or_open(elapsed, hint, |word, until| {
                word.fail(&configured.config, ticket, until)
            });
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
        hint: Option<Duration>,
        now: impl Fn() -> Instant,
    ) {
        let Some(results) = configured.results(&now) else { return };
        let period_lasts = || self.load().counts_in_window(ticket);
        let window = results.record(result, ticket.period(), period_lasts, &now);
        if window.is_some_and(|window| window.opens(&configured.config)) {
            self.advance_or_open(self.clock.elapsed(), hint, |word, until| {
                word.trip(ticket, until)
            });
        }
    }

    /// Releases the slot of a probe, whatever the breaker's state is now.
    pub(super) fn release(&self, admitted: Admitted) {
        if let Some(slot) = admitted.slot() {
            self.probes.release(slot, admitted.ticket().period());
            self.waiters.wake_all();
        }
    }
}
