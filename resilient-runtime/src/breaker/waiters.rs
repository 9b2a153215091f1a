//! The tasks that wait for a breaker.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};

use super::state::{is_later, long_before};
use super::sync::{AtomicU64, Mutex, const_unless_loom};

/// The tasks that wait, and what they wait for. Only a thread that moves the breaker looks here,
/// which no call does while the breaker is closed and nothing fails.
///
/// Not tokio's `Notify`: if one waker panics, it forgets the tasks whose turn comes after it.
pub(super) struct Waiters {
    tasks: Mutex<Tasks>,
    /// The period that the last change of the public state began.
    last_change: AtomicU64,
}

struct Tasks {
    waiting: BTreeMap<u64, Waker>,
    next_id: u64,
}

impl Waiters {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            Self {
                tasks: Mutex::new(Tasks { waiting: BTreeMap::new(), next_id: 0 }),
                last_change: AtomicU64::new(0),
            }
        }
    }

    /// Notes that a period has begun, and whether the public state has changed with it.
    pub(super) fn note_period(&self, period: u32, is_change: bool) {
        // Without a change, the note only follows from afar: periods wrap, and a very old one would
        // look like one that is to come.
        let period = if is_change { period } else { long_before(period) };
        let (noted, next) = (&self.last_change, u64::from(period));
        let mut found = noted.load(Ordering::Relaxed);
        while is_later(period, as_period(found)) {
            // Release: a task that sees the change sees the state word that made it.
            match noted.compare_exchange(found, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => found = other,
            }
        }
    }

    /// The period that the last change of the public state began.
    pub(super) fn last_change(&self) -> u32 {
        // Acquire: see `note_period`.
        as_period(self.last_change.load(Ordering::Acquire))
    }

    /// Wakes every task, so that each looks whether its time has come.
    ///
    /// A waker that panics affects its own task only: neither the others nor the call that has
    /// moved the breaker.
    pub(super) fn wake_all(&self) {
        for waker in self.with(|tasks| mem::take(&mut tasks.waiting)).into_values() {
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                // What it panicked with may panic when it is dropped.
                mem::forget(panic);
            }
        }
    }

    /// Waits until `condition` holds. It is looked at whenever tasks are woken.
    pub(super) async fn until(&self, condition: impl Fn() -> bool) {
        let mut place = Place { waiters: self, id: None };
        poll_fn(|context| {
            if condition() {
                return Poll::Ready(());
            }
            place.keep(context.waker().clone());
            // Again: the wake-up for what happened in between may have come too early.
            if condition() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn with<T>(&self, work: impl FnOnce(&mut Tasks) -> T) -> T {
        // No user code runs in here, so what a poisoned lock guards is whole.
        work(&mut self.tasks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only periods are noted")]
const fn as_period(noted: u64) -> u32 {
    noted as u32
}

/// The place of one task among those that wait.
struct Place<'w> {
    waiters: &'w Waiters,
    id: Option<u64>,
}

impl Place<'_> {
    /// Wakes the task by this waker from now on.
    fn keep(&mut self, waker: Waker) {
        let id = &mut self.id;
        let replaced = self.waiters.with(|tasks| {
            let id = *id.get_or_insert_with(|| {
                tasks.next_id += 1;
                tasks.next_id
            });
            tasks.waiting.insert(id, waker)
        });
        // Outside the lock: a waker runs its owner's code when it is dropped.
        drop(replaced);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let removed = self.waiters.with(|tasks| tasks.waiting.remove(&id));
        // Outside the lock, as above.
        drop(removed);
    }
}
