//! Counters that many threads write without getting into each other's way.

use std::sync::atomic::{AtomicU64, Ordering};

use super::stats::BreakerTotals;
use super::thread_number::{self, OWN, SHARED};

/// What one thread, or a few, have counted. Two cache lines, since processors fetch them in pairs:
/// a breaker takes 3 KiB for them all.
#[repr(align(128))]
struct Stripe {
    successes: AtomicU64,
    failures: AtomicU64,
    ignored: AtomicU64,
    slow_calls: AtomicU64,
    rejected: AtomicU64,
}

impl Stripe {
    const fn new() -> Self {
        Self {
            successes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            slow_calls: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        }
    }
}

/// Striped counts, and the changes of state, which are too rare to be striped.
pub(super) struct Totals {
    /// By the number of the thread.
    stripes: [Stripe; OWN + SHARED],
    transitions: AtomicU64,
}

impl Totals {
    pub(super) const fn new() -> Self {
        Self { stripes: [const { Stripe::new() }; OWN + SHARED], transitions: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn count_success(&self) {
        self.count(|stripe| &stripe.successes);
    }

    pub(super) fn count_failure(&self) {
        self.count(|stripe| &stripe.failures);
    }

    pub(super) fn count_ignored(&self) {
        self.count(|stripe| &stripe.ignored);
    }

    pub(super) fn count_slow_call(&self) {
        self.count(|stripe| &stripe.slow_calls);
    }

    pub(super) fn count_rejected(&self) {
        self.count(|stripe| &stripe.rejected);
    }

    pub(super) fn count_transition(&self) {
        self.transitions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> BreakerTotals {
        let sum = |counter: fn(&Stripe) -> &AtomicU64| {
            self.stripes.iter().map(|stripe| counter(stripe).load(Ordering::Relaxed)).sum()
        };
        BreakerTotals {
            successes: sum(|stripe| &stripe.successes),
            failures: sum(|stripe| &stripe.failures),
            ignored: sum(|stripe| &stripe.ignored),
            slow_calls: sum(|stripe| &stripe.slow_calls),
            rejected: sum(|stripe| &stripe.rejected),
            transitions: self.transitions.load(Ordering::Relaxed),
        }
    }

    // Relaxed: each counter stands alone, and nothing is decided by comparing two of them.
    #[inline]
    fn count(&self, counter: fn(&Stripe) -> &AtomicU64) {
        let Some(number) = thread_number::own() else { return self.count_among_others(counter) };
        // Nobody else writes there: an addition that is safe against others would wait until all
        // that the call has written has left the core.
        let counter = counter(&self.stripes[number]);
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    // Apart, and so out of the way of the threads that have a number of their own.
    #[inline(never)]
    fn count_among_others(&self, counter: fn(&Stripe) -> &AtomicU64) {
        counter(&self.stripes[thread_number::get()]).fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_threads_are_summed() {
        let totals = Totals::new();
        // More than have a counter of their own, and twice, so that others take those over.
        for _ in 0..2 {
            std::thread::scope(|scope| {
                for _ in 0..2 * OWN {
                    scope.spawn(|| (0..100).for_each(|_| totals.count_success()));
                }
            });
        }
        totals.count_rejected();
        let read = totals.read();
        assert_eq!((read.successes, read.rejected, read.failures), (6400, 1, 0));
    }
}
