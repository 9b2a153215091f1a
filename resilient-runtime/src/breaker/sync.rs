//! Atomics and a mutex that loom replaces in tests.
//!
//! Atomics that decide nothing (totals, the time of the last failure) stay with the standard
//! library: each additional atomic multiplies the work of loom.

#[cfg(all(test, loom))]
pub(super) use loom::sync::Mutex;
#[cfg(not(all(test, loom)))]
pub(super) use std::sync::{Mutex, atomic::AtomicU64};

#[cfg(all(test, loom))]
pub(super) use self::seen::AtomicU64;

/// A constructor that is `const`, except under loom, whose atomics are created at run time.
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
    /// Loom tries another order if it finds that two threads have accessed the same atomic, and it
    /// remembers only the last access. If a thread loads a word before it exchanges it, its own
    /// load hides that of another thread, and loom tries no other order. So each access also
    /// exchanges a second atomic, which loom remembers. That exchange is relaxed, and makes nothing
    /// else visible.
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
