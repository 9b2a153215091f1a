//! Counters that many threads write without contention.
//!
//! Threads contend only if several of them count often. So a breaker starts small: the first thread
//! that counts has counters of its own, and all others share one set. Once those others have
//! counted often, each thread gets a stripe. Most breakers of a large keyed set never get that far.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::stats::BreakerTotals;
use super::stripe::{self, OWN, SHARED};

/// How often the other threads count one thing before stripes are allocated.
const FEW: u64 = 100;

/// The value of `first` before any thread has counted.
const NO_THREAD: usize = usize::MAX;

/// What is counted.
struct Counters {
    successes: AtomicU64,
    failures: AtomicU64,
    ignored: AtomicU64,
    slow_calls: AtomicU64,
    rejected: AtomicU64,
}

/// The counts of one thread, or of a few. It takes two cache lines, since processors fetch them in
/// pairs.
#[repr(align(128))]
struct Stripe(Counters);

/// One for each thread number: 3 KiB.
type Stripes = [Stripe; OWN + SHARED];

impl Counters {
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

/// The counts of a breaker. Its changes of state are too rare to be striped.
pub(super) struct Totals {
    /// The number of the thread that counted first, if that thread has its own number.
    first: AtomicUsize,
    by_first: Counters,
    by_others: Counters,
    stripes: OnceLock<Box<Stripes>>,
    transitions: AtomicU64,
}

impl Totals {
    pub(super) const fn new() -> Self {
        Self {
            first: AtomicUsize::new(NO_THREAD),
            by_first: Counters::new(),
            by_others: Counters::new(),
            stripes: OnceLock::new(),
            transitions: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn count_success(&self) {
        self.count(|counters| &counters.successes);
    }

    pub(super) fn count_failure(&self) {
        self.count(|counters| &counters.failures);
    }

    pub(super) fn count_ignored(&self) {
        self.count(|counters| &counters.ignored);
    }

    pub(super) fn count_slow_call(&self) {
        self.count(|counters| &counters.slow_calls);
    }

    #[inline]
    pub(super) fn count_rejected(&self) {
        self.count(|counters| &counters.rejected);
    }

    pub(super) fn count_transition(&self) {
        self.transitions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> BreakerTotals {
        let stripes = self.stripes.get().map_or(&[][..], |stripes| &stripes[..]);
        let all =
            || stripes.iter().map(|stripe| &stripe.0).chain([&self.by_first, &self.by_others]);
        let sum = |counter: fn(&Counters) -> &AtomicU64| {
            all().map(|counters| counter(counters).load(Ordering::Relaxed)).sum()
        };
        BreakerTotals {
            successes: sum(|counters| &counters.successes),
            failures: sum(|counters| &counters.failures),
            ignored: sum(|counters| &counters.ignored),
            slow_calls: sum(|counters| &counters.slow_calls),
            rejected: sum(|counters| &counters.rejected),
            transitions: self.transitions.load(Ordering::Relaxed),
        }
    }

    // Relaxed, here and below: each counter stands alone, and no decision compares two of them.
    #[inline]
    fn count(&self, counter: fn(&Counters) -> &AtomicU64) {
        let own = stripe::own().and_then(|number| match self.stripes.get() {
            Some(stripes) => Some(&stripes[number].0),
            None => (self.first.load(Ordering::Relaxed) == number).then_some(&self.by_first),
        });
        let Some(own) = own else { return self.count_among_others(counter) };
        // No other thread writes there. An atomic addition would wait until all that the call has
        // written has left the core.
        let counter = counter(own);
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    // Not inlined, to stay off the path of threads that have counters of their own.
    #[inline(never)]
    fn count_among_others(&self, counter: fn(&Counters) -> &AtomicU64) {
        let number = stripe::get();
        if let Some(stripes) = self.stripes.get() {
            counter(&stripes[number].0).fetch_add(1, Ordering::Relaxed);
            return;
        }
        // From the next time on.
        let _ = stripe::own().map(|number| {
            self.first.compare_exchange(NO_THREAD, number, Ordering::Relaxed, Ordering::Relaxed)
        });
        if counter(&self.by_others).fetch_add(1, Ordering::Relaxed) >= FEW {
            self.stripes
                .get_or_init(|| Box::new([const { Stripe(Counters::new()) }; OWN + SHARED]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_threads_are_summed() {
        let totals = Totals::new();
        // More than have counters of their own, and twice, so that others take those over.
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

    #[test]
    fn one_thread_alone_needs_no_stripes() {
        let totals = Totals::new();
        if stripe::own().is_none() {
            // Tests beside this one have taken all numbers.
            return;
        }
        (0..10 * FEW).for_each(|_| totals.count_success());
        assert!(totals.stripes.get().is_none());
        assert_eq!(totals.read().successes, 10 * FEW);
    }

    #[test]
    fn threads_that_count_often_get_stripes() {
        let totals = Totals::new();
        totals.count_success();
        let other = || (0..=FEW).for_each(|_| totals.count_success());
        std::thread::scope(|scope| scope.spawn(other).join().unwrap());
        assert!(totals.stripes.get().is_some());
        (0..2).for_each(|_| totals.count_success());
        assert_eq!(totals.read().successes, FEW + 4);
    }
}
