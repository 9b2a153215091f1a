//! Waiting for a breaker to change, or to let calls pass.

use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::CircuitBreaker;
use super::settle::Readiness;
use super::stats::BreakerState;

/// Those who wait. Only one who moves the breaker looks here, which no call does while it is
/// closed and nothing fails.
pub(super) struct Waiters {
    change: Notify,
    passage: Notify,
}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { change: Notify::const_new(), passage: Notify::const_new() }
    }

    pub(super) fn state_has_changed(&self) {
        self.change.notify_waiters();
    }

    /// Also where the time has changed at which one may.
    pub(super) fn call_may_pass(&self) {
        self.passage.notify_waiters();
    }
}

impl CircuitBreaker {
    /// Waits for the next change of [`state`](Self::state), and returns what it is then.
    ///
    /// It counts from this call, not from the first poll: a change in between is not missed. So to
    /// miss none, call it before you look at the state:
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
    /// A task that watches a breaker owns it, as a `&'static` one or a
    /// [`SharedBreaker`](crate::SharedBreaker), and calls this within itself. Where several changes follow each other quickly, one who waits sees the
    /// last; events tell of each. A breaker whose open time is over is still [`Open`](BreakerState::Open) until a
    /// call asks to pass.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the waiting, and has no other effect.
    pub fn changed(&self) -> impl Future<Output = BreakerState> + Send + use<'_> {
        let change = self.waiters.change.notified();
        async move {
            change.await;
            self.state()
        }
    }

    /// Waits until a call would pass: the breaker is closed, or a probe may be made.
    ///
    /// It reserves nothing. Where many wait, all are told, and the first of them to call are let
    /// through: whoever is rejected waits again.
    ///
    /// # Panics
    ///
    /// If the breaker is open and there is no tokio runtime with its timer enabled.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the waiting, and has no other effect.
    pub async fn wait_until_ready(&self) {
        loop {
            // Before the look, so that what happens after it is not missed.
            let passage = self.waiters.passage.notified();
            let time = match self.readiness() {
                Readiness::Ready => return,
                // A moment for which tokio's clock has no time is further off than anybody waits.
                Readiness::At(moment) => self.clock.instant(moment),
                Readiness::Unknown => None,
            };
            match time {
                // Either way it looks again.
                Some(time) => drop(timeout_at(time, passage).await),
                None => passage.await,
            }
        }
    }
}
