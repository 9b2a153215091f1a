//! The atomics and the lock whose every interleaving the tests under loom run through.
//!
//! What decides nothing (totals, the time of the last failure) stays with the standard library:
//! each atomic more makes loom's work longer by a factor.

#[cfg(all(test, loom))]
pub(super) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
pub(super) use std::sync::{Mutex, MutexGuard, atomic::AtomicU64};

#[cfg(all(test, loom))]
pub(super) use self::seen::AtomicU64;

/// Waits so many times for some nanoseconds.
#[cfg(not(all(test, loom)))]
pub(super) fn spin(times: u32) {
    (0..times).for_each(|_| std::hint::spin_loop());
}

/// Lets other threads go on: in a model, time is no help.
#[cfg(all(test, loom))]
pub(super) fn spin(_: u32) {
    loom::thread::yield_now();
}

/// A constructor that is `const`, but not under loom, whose atomics are made while it runs.
macro_rules! const_unless_loom {
    ($(#[$attribute:meta])* $visibility:vis const fn $($rest:tt)*) => {
        $(#[$attribute])*
        #[cfg(not(all(test, loom)))]
        $visibility const fn $($rest)*

        $(#[$attribute])*
        #[cfg(all(test, loom))]
        $visibility fn $($rest)*
    };
}

pub(super) use const_unless_loom;

#[cfg(all(test, loom))]
mod seen {
    use std::sync::atomic::Ordering;

    use loom::sync::atomic;

    /// An atomic of loom that sees each access to it.
    ///
    /// Loom tries another order where it finds that two threads have come to the same atomic, and
    /// for that it remembers the last access only. So where one thread loads a word before it
    /// exchanges it, its own load hides that of another thread, and no other order is tried. An
    /// exchange of something else beside each access is remembered; it is relaxed, and so makes
    /// nothing visible that would not be.
    pub(in crate::breaker) struct AtomicU64 {
        word: atomic::AtomicU64,
        accesses: atomic::AtomicU64,
    }

    impl AtomicU64 {
        pub(in crate::breaker) fn new(value: u64) -> Self {
            Self { word: atomic::AtomicU64::new(value), accesses: atomic::AtomicU64::new(0) }
        }

        pub(in crate::breaker) fn load(&self, order: Ordering) -> u64 {
            self.see();
            self.word.load(order)
        }

        pub(in crate::breaker) fn compare_exchange(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            self.see();
            self.word.compare_exchange(current, new, success, failure)
        }

        pub(in crate::breaker) fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
            self.see();
            self.word.fetch_max(value, order)
        }

        pub(in crate::breaker) fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
            self.see();
            self.word.fetch_or(value, order)
        }

        fn see(&self) {
            self.accesses.fetch_add(0, Ordering::Relaxed);
        }
    }
}
