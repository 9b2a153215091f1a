//! Counters that many threads write without contention.
//!
//! Threads contend only if several of them count often. So counters start small: the first thread
//! that counts has some of its own, and all others share one set. Once those others have counted
//! often, each thread gets a stripe. Most breakers of a large keyed set never get that far.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::stripe::{self, COUNT};

/// How often the other threads count one thing before stripes are allocated.
const FEW: u64 = 100;

/// The value of `first` before any thread has counted.
const NO_THREAD: usize = usize::MAX;

/// The counts of one thread, or of a few. It takes two cache lines, since processors fetch them in
/// pairs.
#[repr(align(128))]
struct Stripe<const N: usize>([AtomicU64; N]);

/// Counters of `N` things.
pub(crate) struct Striped<const N: usize> {
    /// The number of the thread that counted first, if that thread has its own number.
    first: AtomicUsize,
    by_first: [AtomicU64; N],
    by_others: [AtomicU64; N],
    /// One for each thread number: 3 KiB.
    stripes: OnceLock<Box<[Stripe<N>; COUNT]>>,
}

impl<const N: usize> Striped<N> {
    pub(crate) const fn new() -> Self {
        Self {
            first: AtomicUsize::new(NO_THREAD),
            by_first: [const { AtomicU64::new(0) }; N],
            by_others: [const { AtomicU64::new(0) }; N],
            stripes: OnceLock::new(),
        }
    }

    /// Counts one of these things.
    #[inline]
    pub(crate) fn count(&self, thing: usize) {
        if !self.count_own(thing) {
            self.count_among_others(thing);
        }
    }

    /// Counts one of these things if this thread has counters of its own. Otherwise the caller has to
    /// call [`count_among_others`](Self::count_among_others). A function that does so in its last
    /// expression needs no stack.
    // Relaxed, here and below: each counter stands alone, and no decision compares two of them.
    #[inline]
    pub(crate) fn count_own(&self, thing: usize) -> bool {
        let own = stripe::own().and_then(|number| match self.stripes.get() {
            Some(stripes) => Some(&stripes[number].0),
            None => (self.first.load(Ordering::Relaxed) == number).then_some(&self.by_first),
        });
        let Some(own) = own else { return false };
        // No other thread writes there. An atomic addition would wait until all that the call has
        // written has left the core.
        let counter = &own[thing];
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        true
    }

    /// Counts one of these things, if this thread has no counters of its own.
    // Not inlined, to stay off the path of threads that have some.
    #[inline(never)]
    pub(crate) fn count_among_others(&self, thing: usize) {
        let number = stripe::get();
        if let Some(stripes) = self.stripes.get() {
            stripes[number].0[thing].fetch_add(1, Ordering::Relaxed);
            return;
        }
        // From the next time on.
        let _ = stripe::own().map(|number| {
            self.first.compare_exchange(NO_THREAD, number, Ordering::Relaxed, Ordering::Relaxed)
        });
        if self.by_others[thing].fetch_add(1, Ordering::Relaxed) >= FEW {
            self.stripes.get_or_init(|| {
                Box::new([const { Stripe([const { AtomicU64::new(0) }; N]) }; COUNT])
            });
        }
    }

    /// Returns how often each thing was counted. One is read after the other while threads count.
    pub(crate) fn read(&self) -> [u64; N] {
        let stripes = self.stripes.get().map_or(&[][..], |stripes| &stripes[..]);
        let all = || stripes.iter().map(|it| &it.0).chain([&self.by_first, &self.by_others]);
        std::array::from_fn(|thing| all().map(|it| it[thing].load(Ordering::Relaxed)).sum())
    }
}

impl<const N: usize> fmt::Debug for Striped<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stripe::OWN;
    use super::*;

    #[test]
    fn counts_of_all_threads_are_summed() {
        let counts = Striped::<2>::new();
        // More than have counters of their own, and twice, so that others take those over.
        for _ in 0..2 {
            std::thread::scope(|scope| {
                for _ in 0..2 * OWN {
                    scope.spawn(|| (0..100).for_each(|_| counts.count(0)));
                }
            });
        }
        counts.count(1);
        assert_eq!(counts.read(), [6400, 1]);
    }

    #[test]
    fn one_thread_alone_needs_no_stripes() {
        let counts = Striped::<2>::new();
        if stripe::own().is_none() {
            // Tests beside this one have taken all numbers.
            return;
        }
        (0..10 * FEW).for_each(|_| counts.count(1));
        assert!(counts.stripes.get().is_none());
        assert_eq!(counts.read(), [0, 10 * FEW]);
    }

    #[test]
    fn threads_that_count_often_get_stripes() {
        let counts = Striped::<2>::new();
        counts.count(0);
        let other = || (0..=FEW).for_each(|_| counts.count(0));
        std::thread::scope(|scope| scope.spawn(other).join().unwrap());
        assert!(counts.stripes.get().is_some());
        (0..2).for_each(|_| counts.count(0));
        assert_eq!(counts.read()[0], FEW + 4);
    }
}
