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

/// The tasks that wait, and what they wait for. Only a thread that moves the breaker reads this. No
/// call does so while the breaker is closed and nothing fails.
///
/// This is not tokio's `Notify`, which drops the remaining tasks if one waker panics.
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

    /// Records that a period has begun, and whether the public state has changed with it.
    pub(super) fn record_period(&self, period: u32, is_change: bool) {
        // Without a change, the recorded period only follows at a distance: periods wrap, and a
        // very old one would look like a future one.
        let period = if is_change { period } else { long_before(period) };
        let (recorded, next) = (&self.last_change, u64::from(period));
        let mut found = recorded.load(Ordering::Relaxed);
        while is_later(period, as_period(found)) {
            // Release: a task that sees the change sees the state word that made it.
            match recorded.compare_exchange(found, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => found = other,
            }
        }
    }

    /// The period that the last change of the public state began.
    pub(super) fn last_change(&self) -> u32 {
        // Acquire: see `record_period`.
        as_period(self.last_change.load(Ordering::Acquire))
    }

    /// Wakes every task, so that each checks its condition.
    ///
    /// A waker that panics affects its own task only: neither the others nor the call that has
    /// moved the breaker.
    pub(super) fn wake_all(&self) {
        for waker in self.with(|tasks| mem::take(&mut tasks.waiting)).into_values() {
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                // The payload may panic when it is dropped.
                mem::forget(panic);
            }
        }
    }

    /// Waits until `condition` holds. It is checked whenever tasks are woken.
    pub(super) async fn until(&self, condition: impl Fn() -> bool) {
        let mut registration = Registration { waiters: self, id: None };
        poll_fn(|context| {
            if condition() {
                return Poll::Ready(());
            }
            registration.set_waker(context.waker().clone());
            // Again: the wake-up for a change in between may have come too early.
            if condition() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn with<T>(&self, work: impl FnOnce(&mut Tasks) -> T) -> T {
        // No user code runs in here, so what a poisoned lock guards is whole.
        work(&mut self.tasks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only periods are recorded")]
const fn as_period(recorded: u64) -> u32 {
    recorded as u32
}

/// The registration of one waiting task.
struct Registration<'w> {
    waiters: &'w Waiters,
    id: Option<u64>,
}

impl Registration<'_> {
    /// Registers this waker for the task, and replaces the previous one.
    fn set_waker(&mut self, waker: Waker) {
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

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let removed = self.waiters.with(|tasks| tasks.waiting.remove(&id));
        // Outside the lock, as above.
        drop(removed);
    }
}
