//! Permission to make one call.

use std::time::Duration;
use std::{mem, thread};

use super::admitted::Admitted;
use super::circuit_breaker::CircuitBreaker;
use super::config::Behavior;
use super::failure::{Caller, Failure};
use crate::ErrorKind;
use crate::error::Classify;
use crate::event::FailureSource;

/// Permission to make one call through a [`CircuitBreaker`], from
/// [`acquire`](CircuitBreaker::acquire).
///
/// Report how the call ended. A permit dropped without an outcome counts as neither failure nor
/// success, unless a panic drops it: that is a failure.
///
/// ```
/// use resilient_runtime::{BreakerState, CircuitBreaker};
///
/// let breaker = CircuitBreaker::default();
/// for _ in 0..5 {
///     breaker.acquire()?.failure();
/// }
/// assert_eq!(breaker.state(), BreakerState::Open);
/// # Ok::<(), resilient_runtime::CircuitOpenError>(())
/// ```
#[derive(Debug)]
#[must_use = "a permit dropped without an outcome counts as neither failure nor success"]
pub struct Permit<'b> {
    breaker: &'b CircuitBreaker,
    admitted: Admitted,
    state: CallState,
}

/// What is known of a call that is tracked.
///
/// It is a word, so that a permit has no padding. Padding is copied too, in parts that overlap, and
/// a processor stalls when it reads across the edge of what it has just written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum CallState {
    /// The call is not tracked: the thread knows whether it panics.
    Untracked,
    Running,
    /// A part of the call, without an attempt timeout, was ended by its own deadline.
    PartRanOut,
    Panicked,
}

impl<'b> Permit<'b> {
    #[inline]
    pub(super) const fn new(breaker: &'b CircuitBreaker, admitted: Admitted) -> Self {
        Self { breaker, admitted, state: CallState::Untracked }
    }

    /// Whether the call is a probe of a half-open breaker.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.admitted.ticket().is_probe()
    }

    /// The call succeeded.
    #[inline]
    pub fn success(self) {
        self.success_of(Caller::NONE);
    }

    /// [`success`](Self::success) of a call by a policy.
    #[inline]
    pub(crate) fn success_of(self, caller: Caller<'_>) {
        let (breaker, admitted) = self.surrender();
        breaker.succeeded(admitted, caller);
    }

    /// The call failed in a way that suggests that the service is down.
    pub fn failure(self) {
        self.fail(Failure::new(FailureSource::Reported, Caller::NONE));
    }

    fn fail(self, failure: Failure<'_>) {
        let (breaker, admitted) = self.surrender();
        breaker.failed(admitted, failure);
    }

    /// The call ended in a way that says nothing about the service.
    pub fn ignore(self) {
        let (breaker, admitted) = self.surrender();
        breaker.ignored(admitted);
    }

    /// Disarms `drop` before the permit is settled: settling emits events, and a subscriber that
    /// panics must not cause the call to be counted twice.
    #[inline]
    pub(super) fn surrender(self) -> (&'b CircuitBreaker, Admitted) {
        let parts = (self.breaker, self.admitted);
        mem::forget(self);
        parts
    }

    /// The call ended with `result`. It counts as a success, as a failure if the breaker [trips
    /// on](crate::BreakerConfig::trips_on) the kind of the error, and is ignored otherwise. If a
    /// failure opens the breaker, it stays open at least for the [hint](Classify::retry_after).
    #[inline]
    pub fn settle<T, E: Classify>(self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.success(),
            Err(error) => self.settle_by(error),
        }
    }

    /// The call ended with this error.
    pub(crate) fn settle_by<E: Classify>(mut self, error: &E) {
        // If the user's code panics here, that is a panic of the call.
        let state = mem::replace(&mut self.state, CallState::Panicked);
        let (kind, hint) = (error.kind(), error.retry_after());
        self.state = state;
        self.settle_error(kind, hint, Caller::NONE);
    }

    /// The call ended with an error of this kind and with this hint.
    pub(crate) fn settle_error(self, kind: ErrorKind, hint: Option<Duration>, caller: Caller<'_>) {
        if self.breaker.trips_on(kind) {
            self.fail(Failure { hint, ..Failure::new(FailureSource::Error(kind), caller) });
        } else if self.state == CallState::PartRanOut {
            self.settle_deadline(false, caller);
        } else {
            self.ignore();
        }
    }

    /// The call ended at its deadline. `has_attempt_timeout` says whether another limit
    /// would have ended an attempt that hangs.
    pub(crate) fn settle_deadline(self, has_attempt_timeout: bool, caller: Caller<'_>) {
        if self.breaker.config.current().config.trips_on_deadline(has_attempt_timeout) {
            let source = FailureSource::Error(ErrorKind::DeadlineExceeded);
            self.fail(Failure::new(source, caller));
        } else {
            self.ignore();
        }
    }

    /// The call was dropped: by a panic, or before it has ended.
    pub(crate) fn settle_dropped(self, caller: Caller<'_>) {
        if self.has_panicked() {
            self.fail(Failure::new(FailureSource::Panic, caller));
        } else {
            self.ignore();
        }
    }

    /// Whether the call has panicked, if it is dropped now.
    pub(crate) fn has_panicked(&self) -> bool {
        match self.state {
            CallState::Untracked => thread::panicking(),
            CallState::Running | CallState::PartRanOut => false,
            CallState::Panicked => true,
        }
    }

    /// The permit of a call that a `Tracked` future polls. Otherwise a call that is
    /// dropped because something else panicked would count as a failure.
    #[inline]
    pub(crate) fn tracked(mut self) -> Self {
        self.state = CallState::Running;
        self
    }

    /// Another attempt of the call begins.
    pub(crate) fn begin_attempt(&mut self) {
        self.set_lasted(Duration::ZERO);
        self.state = CallState::Running;
    }

    /// How long the call has lasted so far; 0 if the breaker does not time calls.
    pub(crate) fn lasted(&self) -> Duration {
        self.breaker.lasted(self.admitted)
    }

    /// Times the call as if it had begun `lasted` ago. With several attempts, only the one whose
    /// result counts is timed.
    pub(crate) fn set_lasted(&mut self, lasted: Duration) {
        self.admitted = self.breaker.having_lasted(self.admitted, lasted);
    }

    /// Where a `Tracked` future flags a panic.
    #[inline]
    pub(crate) fn call_state(&mut self) -> &mut CallState {
        &mut self.state
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.has_panicked() {
            let failure = Failure::new(FailureSource::Panic, Caller::NONE);
            self.breaker.failed(self.admitted, failure);
        } else {
            self.breaker.ignored(self.admitted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BreakerConfig, BreakerState};

    #[tokio::test]
    async fn a_probe_that_a_deadline_ends_beside_an_attempt_timeout_releases_its_slot() {
        let config = BreakerConfig::builder()
            .failure_threshold(1)
            .half_open_max_calls(1)
            .open_duration(Duration::from_millis(1))
            .build()
            .unwrap();
        let breaker = CircuitBreaker::new(config);
        breaker.acquire().unwrap().failure();
        breaker.wait_until_ready().await;
        for _ in 0..2 {
            let probe = breaker.acquire().unwrap();
            assert!(probe.is_probe() && breaker.acquire().is_err());
            probe.settle_deadline(true, Caller::NONE);
            assert_eq!(breaker.state(), BreakerState::HalfOpen);
        }
        breaker.acquire().unwrap().settle_deadline(false, Caller::NONE);
        assert_eq!(breaker.stats().consecutive_openings, 2);
    }
}
