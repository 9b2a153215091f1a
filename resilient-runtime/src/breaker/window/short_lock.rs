//! A lock for work that takes a few nanoseconds.
//!
//! It is a spin lock: a store releases it, while a `std` mutex needs a second atomic exchange, which
//! takes as long as the work itself. A thread that finds the lock taken spins as long as that is
//! likely to be shorter than a sleep. Then it sleeps, because the thread that holds the lock does.

use std::hint::spin_loop;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::thread;
use std::time::Duration;

#[cfg(all(test, loom))]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
use spin::mutex::{SpinMutex as Mutex, SpinMutexGuard as MutexGuard};

/// How long a thread waits before it retries: 2 to the power of this, in spins of a few
/// nanoseconds. It waits longer each time, so that another thread can take the lock several times
/// in a row: handing the lock over takes longer than using it. Measured on two cores: with these
/// waits, both together complete about as many calls as one alone.
const WAITS: Range<u32> = 6..12;

/// How long it sleeps at a time after that. A thread that is put to sleep under the lock is rare,
/// and stays away for longer than this.
const SLEEP: Duration = Duration::from_micros(50);

pub(super) struct ShortLock<T>(Mutex<T>);

// Nothing panics under the lock, so what it guards is whole.
impl<T> UnwindSafe for ShortLock<T> {}
impl<T> RefUnwindSafe for ShortLock<T> {}

impl<T> ShortLock<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Takes the lock. The work under it must neither block nor panic.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.try_lock().unwrap_or_else(|| self.lock_contended())
    }

    #[cold]
    fn lock_contended(&self) -> MutexGuard<'_, T> {
        for wait in WAITS {
            (0..1_u32 << wait).for_each(|_| spin_loop());
            if let Some(guard) = self.try_lock() {
                return guard;
            }
        }
        loop {
            thread::sleep(SLEEP);
            if let Some(guard) = self.try_lock() {
                return guard;
            }
        }
    }

    #[cfg(not(all(test, loom)))]
    #[inline]
    fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }

    /// Blocks instead of failing: a model has no time in which to wait.
    #[cfg(all(test, loom))]
    fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.lock().ok()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_holds_the_lock() {
        let lock = ShortLock::new(0);
        let work = || {
            for round in 0..10_000 {
                let mut held = lock.lock();
                *held += 1;
                if round % 1_000 == 0 {
                    // Long enough for the others to stop spinning and sleep.
                    thread::sleep(2 * SLEEP);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(work);
            }
        });
        assert_eq!(*lock.lock(), 40_000);
    }
}
