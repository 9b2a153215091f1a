//! Waiting for a breaker to change, or to admit calls.

use tokio::time::{Instant, timeout_at};

use super::admission::Readiness;
use super::circuit_breaker::CircuitBreaker;
use super::state::{State, is_later};
use crate::error::{BreakerState, BreakerStatus};

/// The public state that a task has seen, and the period in which it has.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    period: u32,
    state: BreakerState,
}

impl CircuitBreaker {
    /// Waits for the next change of [`state`](Self::state), and returns the state after it.
    ///
    /// It waits for changes after this call, even before the future is polled, and never resolves
    /// for a change that [`state`](Self::state) has already shown. To miss nothing, call it before
    /// you read the state:
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
    /// If several changes follow each other quickly, it returns the last state. Events report each
    /// change. A task that monitors a breaker owns it, as a `&'static` reference or a
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

    /// Waits until a call would be admitted: the breaker is closed, or a probe may be made.
    ///
    /// It reserves nothing. If many tasks wait, all are woken, and the first to call are admitted.
    /// The others are rejected and may wait again.
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
        Seen { period: word.period(), state: self.status_now(word).state() }
    }

    /// Returns the public state if it has changed since it was `seen`.
    pub(super) fn changed_since(&self, seen: Seen) -> Option<BreakerState> {
        // Read before the state, which is then the one after the change, or a later one.
        let last_change = self.waiters.last_change();
        let now = self.seen();
        // The state can differ before the change is recorded, or because time has passed.
        (now.state != seen.state || is_later(last_change, seen.period)).then_some(now.state)
    }

    /// When the breaker will look half-open, if it looks open now.
    fn end_of_open_state(&self) -> Option<Instant> {
        let word = self.load();
        match word.state() {
            State::Open { until } if self.status_now(word) == BreakerStatus::Open => {
                self.clock.instant(until)
            }
            _ => None,
        }
    }
}

/// Waits for `future`, but at most until `time`.
async fn wait(future: impl Future<Output = ()>, time: Option<Instant>) {
    match time {
        Some(time) => drop(timeout_at(time, future).await),
        None => future.await,
    }
}
