//! The leave to make one call.

use std::{mem, thread};

use super::CircuitBreaker;
use super::settle::Admitted;
use crate::{Classify, ErrorKind};

/// The leave to make one call through a [`CircuitBreaker`], from
/// [`acquire`](CircuitBreaker::acquire).
///
/// Say how the call ended. A permit that is dropped unsaid is given back: neither failure nor
/// success, unless it is dropped by a panic, which is a failure.
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
#[must_use = "a permit that is dropped unsaid counts as neither failure nor success"]
pub struct Permit<'b> {
    breaker: &'b CircuitBreaker,
    admitted: Admitted,
    /// Whether the call has panicked, as far as its watcher knows. Where nobody watches, the
    /// thread is asked.
    panicked: Option<bool>,
}

impl<'b> Permit<'b> {
    pub(super) const fn new(breaker: &'b CircuitBreaker, admitted: Admitted) -> Self {
        Self { breaker, admitted, panicked: None }
    }

    /// Whether the call is a probe of a half-open breaker.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.admitted.ticket().is_probe()
    }

    /// The call succeeded.
    #[inline]
    pub fn success(self) {
        let (breaker, admitted) = self.surrender();
        breaker.succeeded(admitted);
    }

    /// The call failed in a way that says that the service is down.
    pub fn failure(self) {
        let (breaker, admitted) = self.surrender();
        breaker.failed(admitted);
    }

    /// The call ended in a way that says nothing of the service.
    pub fn ignore(self) {
        let (breaker, admitted) = self.surrender();
        breaker.ignored(admitted);
    }

    /// Takes the permit out of the reach of `drop` before it is settled: settling makes events, and
    /// a subscriber that panics must not have the call counted twice.
    #[inline]
    pub(super) fn surrender(self) -> (&'b CircuitBreaker, Admitted) {
        let parts = (self.breaker, self.admitted);
        mem::forget(self);
        parts
    }

    /// The call ended with `result`: a success, a failure where the error is of a kind that the
    /// breaker [trips on](crate::BreakerConfig::trips_on), and ignored otherwise.
    #[inline]
    pub fn settle<T, E: Classify>(mut self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.success(),
            Err(error) => {
                // Should the user's code panic here, that is a panic of the call.
                self.panicked = Some(true);
                let kind = error.kind();
                self.settle_error(kind);
            }
        }
    }

    /// The call ended with an error of this kind.
    pub(crate) fn settle_error(self, kind: ErrorKind) {
        if self.breaker.config().trips_on(kind) { self.failure() } else { self.ignore() }
    }

    /// Where [`watch`](crate::watch::watch) leaves word of a panic. Without it, a call that is
    /// dropped because something else panicked would count as a failure.
    pub(crate) fn panicked(&mut self) -> &mut bool {
        self.panicked.get_or_insert(false)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.panicked.unwrap_or_else(thread::panicking) {
            self.breaker.failed(self.admitted);
        } else {
            self.breaker.ignored(self.admitted);
        }
    }
}
