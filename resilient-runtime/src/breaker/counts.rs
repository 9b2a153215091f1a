//! What one or several breakers have counted.

use super::circuit_breaker::CircuitBreaker;
use super::transition_counts::TransitionCounts;
use crate::BreakerTotals;

/// What one or several breakers have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BreakerCounts {
    pub(crate) totals: BreakerTotals,
    pub(crate) transitions: TransitionCounts,
}

impl BreakerCounts {
    /// Adds what a breaker has counted so far.
    pub(crate) fn add(&mut self, breaker: &CircuitBreaker) {
        let more = breaker.totals.read();
        let BreakerTotals { successes, failures, ignored, slow_calls, rejected, transitions } =
            &mut self.totals;
        *successes += more.successes;
        *failures += more.failures;
        *ignored += more.ignored;
        *slow_calls += more.slow_calls;
        *rejected += more.rejected;
        *transitions += more.transitions;
        if let Some(counts) = breaker.transition_log.counts() {
            self.transitions.add(&counts);
        }
    }
}
