//! Waiting for a breaker to change, or to let calls pass.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};

use tokio::time::{Instant, timeout_at};

use super::CircuitBreaker;
use super::settle::Readiness;
use super::state::{Mode, State, is_later, long_before};
use super::stats::BreakerState;
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
    fn last_change(&self) -> u32 {
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
    async fn until(&self, condition: impl Fn() -> bool) {
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

/// The public state that a task has seen, and the period in which it has.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    period: u32,
    state: BreakerState,
}

impl CircuitBreaker {
    /// Waits for the next change of [`state`](Self::state), and returns the state after it.
    ///
    /// It waits for changes after this call, whether the future has been polled by then or not,
    /// and never resolves for a change that [`state`](Self::state) showed before. So call it before
    /// you look at the state to miss nothing:
    ///
    /// ```
    /// use resilient_runtime::{BreakerState, CircuitBreaker};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let breaker = CircuitBreaker::default();
    /// let changed = breaker.changed();
    /// assert_eq!(breaker.state(), BreakerState::Closed);
    /// breaker.force_open();
    /// assert_eq!(changed.await, BreakerState::Open);
    /// # })
    /// ```
    ///
    /// If several changes follow each other quickly, it returns the last state; events tell of each
    /// change. A task that watches a breaker owns it, as a `&'static` one or a
    /// [`SharedBreaker`](crate::SharedBreaker), and calls this in a loop.
    ///
    /// # Panics
    ///
    /// If it has to wait for the end of an open state and there is no tokio runtime with its timer
    /// enabled.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the waiting and has no other effect.
    pub fn changed(&self) -> impl Future<Output = BreakerState> + Send + use<'_> {
        let seen = self.seen();
        async move {
            loop {
                if let Some(state) = self.changed_since(seen) {
                    return state;
                }
                let changed = self.waiters.until(|| self.changed_since(seen).is_some());
                wait(changed, self.end_of_open_state()).await;
            }
        }
    }

    /// Waits until a call would pass: the breaker is closed, or a probe may be made.
    ///
    /// It reserves nothing. If many tasks wait, all are woken, and the first to call are admitted;
    /// the others are rejected and wait again.
    ///
    /// # Panics
    ///
    /// If the breaker is open and there is no tokio runtime with its timer enabled.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the waiting and has no other effect.
    pub async fn wait_until_ready(&self) {
        loop {
            let readiness = self.readiness();
            let time = match readiness {
                Readiness::Ready => return,
                // A moment that tokio's clock cannot express is too far off to wait for.
                Readiness::At(moment) => self.clock.instant(moment),
                Readiness::Unknown => None,
            };
            wait(self.waiters.until(|| self.readiness() != readiness), time).await;
        }
    }

    pub(super) fn seen(&self) -> Seen {
        let word = self.load();
        Seen { period: word.period(), state: self.mode_now(word).into() }
    }

    /// The public state, if it has changed since it was `seen`.
    pub(super) fn changed_since(&self, seen: Seen) -> Option<BreakerState> {
        // Before the state is read, which is then the one after the change, or a later one.
        let noted = self.waiters.last_change();
        let now = self.seen();
        // The state can differ before the change is noted, and without any if time has passed.
        (now.state != seen.state || is_later(noted, seen.period)).then_some(now.state)
    }

    /// When the breaker will look half-open, if it looks open now.
    fn end_of_open_state(&self) -> Option<Instant> {
        let word = self.load();
        match word.state() {
            State::Open { until } if self.mode_now(word) == Mode::Open => self.clock.instant(until),
            _ => None,
        }
    }
}

/// Waits for `future`, until `time` at the longest.
async fn wait(future: impl Future<Output = ()>, time: Option<Instant>) {
    match time {
        Some(time) => drop(timeout_at(time, future).await),
        None => future.await,
    }
}
