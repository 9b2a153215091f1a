//! The totals of a breaker.

use std::sync::atomic::{AtomicU64, Ordering};

use super::stats::BreakerTotals;
use crate::count::Striped;

const SUCCESS: usize = 0;
const FAILURE: usize = 1;
const IGNORED: usize = 2;
const SLOW_CALL: usize = 3;
const REJECTED: usize = 4;

/// The counts of a breaker. Its changes of state are too rare to be striped.
pub(super) struct Totals {
    calls: Striped<5>,
    transitions: AtomicU64,
}

impl Totals {
    pub(super) const fn new() -> Self {
        Self { calls: Striped::new(), transitions: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn count_success(&self) {
        self.calls.count(SUCCESS);
    }

    pub(super) fn count_failure(&self) {
        self.calls.count(FAILURE);
    }

    pub(super) fn count_ignored(&self) {
        self.calls.count(IGNORED);
    }

    pub(super) fn count_slow_call(&self) {
        self.calls.count(SLOW_CALL);
    }

    #[inline]
    pub(super) fn count_rejected(&self) {
        self.calls.count(REJECTED);
    }

    pub(super) fn count_transition(&self) {
        // Relaxed, here and below: the number orders no other memory.
        self.transitions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> BreakerTotals {
        let [successes, failures, ignored, slow_calls, rejected] = self.calls.read();
        let transitions = self.transitions.load(Ordering::Relaxed);
        BreakerTotals { successes, failures, ignored, slow_calls, rejected, transitions }
    }
}
