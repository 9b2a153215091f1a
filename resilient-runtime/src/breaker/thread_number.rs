//! A number for each thread, by which threads keep out of each other's way.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// So many threads at once have a number of their own: those below it. On a machine of usual size
/// that is every thread that serves calls.
pub(super) const OWN: usize = 16;

/// All others share so many numbers, from [`OWN`] on.
pub(super) const SHARED: usize = 8;

/// The numbers that no thread has, as bits.
static FREE: AtomicU32 = AtomicU32::new((1 << OWN) - 1);

thread_local! {
    /// It has no destructor, and so is there until the thread is gone.
    static NUMBER: Cell<usize> = const { Cell::new(UNSET) };
    static LEASE: Lease = const { Lease };
}

const UNSET: usize = usize::MAX;

/// The number of this thread, where it has one of its own: as long as the thread lives, no other
/// has it.
#[inline]
pub(super) fn own() -> Option<usize> {
    let number = NUMBER.get();
    (number < OWN).then_some(number)
}

/// The number of this thread, its own or one that it shares.
#[cold]
pub(super) fn any() -> usize {
    if NUMBER.get() == UNSET {
        // Not where the thread is ending: nobody would give the number back.
        let own = LEASE.try_with(|_| take()).ok().flatten();
        NUMBER.set(own.unwrap_or_else(share));
    }
    NUMBER.get()
}

/// Gives the number back when the thread ends. What the thread still counts then, in other
/// destructors, goes under a shared number.
struct Lease;

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(number) = own() {
            NUMBER.set(share());
            // Release: the next to have the number goes on from what was written under it.
            FREE.fetch_or(1 << number, Ordering::Release);
        }
    }
}

fn take() -> Option<usize> {
    // It clears the lowest bit. Acquire: see `Lease::drop`.
    let rest = |free: u32| free.checked_sub(1).map(|below| free & below);
    let free = FREE.fetch_update(Ordering::Acquire, Ordering::Relaxed, rest);
    free.ok().map(|free| free.trailing_zeros() as usize)
}

fn share() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: only that they are spread evenly matters.
    OWN + NEXT.fetch_add(1, Ordering::Relaxed) % SHARED
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// The numbers of so many threads that live at the same time.
    fn at_once(threads: usize) -> Vec<usize> {
        let together = Barrier::new(threads);
        let number = || {
            let number = any();
            together.wait();
            number
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(number)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn threads_that_live_at_once_share_no_own_number_and_the_others_share_the_rest() {
        let numbers = at_once(3 * OWN);
        let own: Vec<_> = numbers.iter().filter(|number| **number < OWN).collect();
        assert_eq!(own.len(), own.iter().collect::<BTreeSet<_>>().len());
        assert!(own.len() < numbers.len() && numbers.iter().all(|number| *number < OWN + SHARED));
    }

    #[test]
    fn a_number_is_given_back_when_its_thread_ends() {
        // Tests beside this one may take some, but not as many as there are.
        let own = (0..20 * OWN).filter(|_| at_once(1)[0] < OWN).count();
        assert!(own > OWN, "{own} threads, one after the other, had a number of their own");
    }

    #[test]
    fn a_thread_keeps_its_number() {
        assert_eq!(any(), any());
        assert_eq!(own(), Some(any()).filter(|number| *number < OWN));
    }
}
