//! Counters that many threads write without getting into each other's way.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::stats::BreakerTotals;

/// Enough that threads on a machine of usual size seldom share one. A breaker takes 128 bytes for
/// each.
const STRIPES: usize = 16;

/// What one thread, or a few, have counted. Two cache lines: processors fetch them in pairs.
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
    stripes: [Stripe; STRIPES],
    transitions: AtomicU64,
}

impl Totals {
    pub(super) const fn new() -> Self {
        Self { stripes: [const { Stripe::new() }; STRIPES], transitions: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn count_success(&self) {
        increment(&self.own().successes);
    }

    pub(super) fn count_failure(&self) {
        increment(&self.own().failures);
    }

    pub(super) fn count_ignored(&self) {
        increment(&self.own().ignored);
    }

    pub(super) fn count_slow_call(&self) {
        increment(&self.own().slow_calls);
    }

    pub(super) fn count_rejected(&self) {
        increment(&self.own().rejected);
    }

    pub(super) fn count_transition(&self) {
        increment(&self.transitions);
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

    #[inline]
    fn own(&self) -> &Stripe {
        &self.stripes[thread_number() % STRIPES]
    }
}

#[inline]
fn increment(counter: &AtomicU64) {
    // Relaxed: each counter stands alone; nothing is decided by comparing two of them.
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A number of this thread: the first thread that asks has 0, the next 1, and so on.
#[inline]
fn thread_number() -> usize {
    const UNSET: usize = usize::MAX;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(UNSET) };
    }

    NUMBER.with(|number| {
        if number.get() == UNSET {
            // Relaxed: only that the numbers differ matters.
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_threads_are_summed() {
        let totals = Totals::new();
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| (0..100).for_each(|_| totals.count_success()));
            }
        });
        totals.count_rejected();
        let read = totals.read();
        assert_eq!((read.successes, read.rejected, read.failures), (3200, 1, 0));
    }
}
