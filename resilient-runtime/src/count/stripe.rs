//! Per-thread stripe numbers, which keep threads off contended counters.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// How many threads at once have a number of their own: the numbers below this. In a program with
/// no more threads that serve calls, no thread shares.
pub(crate) const OWN: usize = 16;

/// How many numbers all other threads share, from [`OWN`] on.
pub(crate) const SHARED: usize = 8;

/// How many numbers there are.
pub(crate) const COUNT: usize = OWN + SHARED;

/// The numbers that no thread has, as bits.
static FREE: AtomicU32 = AtomicU32::new((1 << OWN) - 1);

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(UNSET) };
    static LEASE: Lease = const { Lease(Cell::new(None)) };
}

const UNSET: usize = usize::MAX;

/// Returns the number of this thread if it has one of its own. While it lives, no other thread has
/// that number.
#[inline]
pub(crate) fn own() -> Option<usize> {
    let number = NUMBER.get();
    (number < OWN).then_some(number)
}

/// Returns the number of this thread, whether its own or shared.
#[inline]
pub(crate) fn get() -> usize {
    match NUMBER.get() {
        UNSET => set(),
        number => number,
    }
}

#[cold]
fn set() -> usize {
    // Not if the thread is ending: the number would never be returned.
    let own = LEASE.try_with(|lease| {
        lease.0.set(take());
        lease.0.get()
    });
    let number = own.ok().flatten().unwrap_or_else(share);
    NUMBER.set(number);
    number
}

/// A thread's own number, returned when the thread ends. What the thread still counts after that,
/// in other destructors, goes under a shared number.
struct Lease(Cell<Option<usize>>);

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(number) = self.0.get() {
            NUMBER.set(share());
            // Release: the next thread with this number continues from what was written under it.
            FREE.fetch_or(1 << number, Ordering::Release);
        }
    }
}

fn take() -> Option<usize> {
    // This clears the lowest bit. Acquire: see `Lease::drop`.
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
    use std::sync::{Barrier, mpsc};
    use std::thread;

    use super::*;

    /// The numbers of so many threads that live at the same time.
    fn at_once(threads: usize) -> Vec<usize> {
        let together = Barrier::new(threads);
        let number = || {
            let number = get();
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
        assert_eq!(get(), get());
    }

    /// Tells of the thread's number where it is destroyed.
    struct Late(mpsc::Sender<usize>);

    impl Drop for Late {
        fn drop(&mut self) {
            self.0.send(get()).unwrap();
        }
    }

    thread_local! {
        static BEFORE: Cell<Option<Late>> = const { Cell::new(None) };
        static AFTER: Cell<Option<Late>> = const { Cell::new(None) };
    }

    #[test]
    fn a_thread_that_has_given_its_number_back_shares_one() {
        let (sender, receiver) = mpsc::channel();
        let ending = || {
            // One of them is destroyed after the lease, in whichever order that is.
            BEFORE.set(Some(Late(sender.clone())));
            let number = get();
            AFTER.set(Some(Late(sender.clone())));
            number
        };
        let mut own = 0;
        for _ in 0..20 * OWN {
            let number = thread::scope(|scope| scope.spawn(ending).join().unwrap());
            let late = [receiver.recv().unwrap(), receiver.recv().unwrap()];
            if number < OWN {
                own += 1;
                assert!(late.iter().any(|number| *number >= OWN), "{number}, then {late:?}");
            }
        }
        assert!(own > OWN, "{own} of the threads had a number of their own");
    }
}
