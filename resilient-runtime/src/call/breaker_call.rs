//! A breaker around one call, without retries.

use std::time::Duration;

use super::clock::TimeLeft;
use super::enclosing::{self, Frame, Retries};
use super::timed::{Expiry, Limit, RanOut, timed};
use super::tracked::{flag_panic, track};
use crate::breaker::Caller;
use crate::event::{self, Event, EventCall};
use crate::{CircuitBreaker, Classify, ErrorKind, Permit, Rejection};

/// What events call a function that has no policy.
const NAME: &str = "CircuitBreaker";

impl CircuitBreaker {
    /// Calls `op` if the breaker admits it, and counts how it ends.
    ///
    /// # Errors
    ///
    /// The error of `op`, or [`CircuitOpenError`] as a [`Rejection`] if the breaker rejects the
    /// call. The rejection is converted to the error of `op`. `?` after the call converts that as
    /// usual, and [`CircuitOpenError::find`] finds it again. Inside [`within`](crate::within()), also
    /// [`Rejection::DeadlineExceeded`]: if no time is left, or if it runs out, which counts as a
    /// failure.
    ///
    /// [`CircuitOpenError`]: crate::CircuitOpenError
    /// [`CircuitOpenError::find`]: crate::CircuitOpenError::find
    ///
    /// # Panics
    ///
    /// Panics if `op` does, and that counts as a failure. Inside [`within`](crate::within()), also
    /// outside a tokio runtime with its timer enabled.
    ///
    /// # Cancellation
    ///
    /// Dropping the future releases the permit, and counts as neither failure nor success.
    pub async fn call<T, E, F>(&self, op: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        if enclosing::is_any() {
            if let Some(time) = TimeLeft::of_request() {
                // Boxed, so that a call outside of requests has no room for a timer.
                return Box::pin(self.call_within(time, op)).await;
            }
            if enclosing::contains(self) {
                return op().await;
            }
        }
        // `acquire` and `Permit::settle`, written out: a value that goes through them goes through
        // memory.
        let permit = match self.try_admit_fast() {
            Some(permit) => permit,
            None => self.admit(Caller::NONE).map_err(Rejection::from)?,
        };
        let mut permit = permit.tracked();
        let attempt = flag_panic(Some(permit.call_state()), op);
        let frame = Frame::new(Some(self), Retries::NONE);
        let result = track(frame, Some(permit.call_state()), attempt).await;
        match result {
            Ok(value) => {
                permit.success();
                Ok(value)
            }
            Err(error) => {
                permit.settle_by(&error);
                Err(error)
            }
        }
    }

    /// [`call`](Self::call) inside a request.
    async fn call_within<T, E, F>(&self, time: TimeLeft, op: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        let (until, left) = (time.until, time.left());
        if left.is_zero() {
            event::emit(&Event::Rejected {
                function: None,
                breaker: Some(self.name()),
                kind: ErrorKind::DeadlineExceeded,
                retry_after: None,
            });
            return Err(Rejection::DeadlineExceeded { deadline: left, attempts: 0 }.into());
        }
        let mut permit = if enclosing::contains(self) {
            None
        } else {
            Some(self.admit(Caller::NONE).map_err(Rejection::from)?.tracked())
        };
        let expiry =
            Expiry { ran_out: RanOut::Deadline, allowed: left, attempt: 1, reject: E::from };
        let mut ran_out = None;
        let mut state = permit.as_mut().map(Permit::call_state);
        // A timer panics if there is no runtime.
        let attempt = flag_panic(state.as_deref_mut(), || {
            timed(op(), Some(Limit { until, expiry }), &mut ran_out)
        });
        let result = track(Frame::new(Some(self), Retries::NONE), state, attempt).await;
        if let Some(ran_out) = ran_out {
            self.settle_ran_out(permit, ran_out, left);
        } else if let Some(permit) = permit {
            permit.settle(&result);
        }
        result
    }

    /// Ends a call that the request has ended. Nothing else limits it, so that this may be the only
    /// sign of a server that hangs.
    fn settle_ran_out(&self, mut permit: Option<Permit<'_>>, ran_out: RanOut, left: Duration) {
        let breaker = Some(self.name().as_str());
        let call = EventCall { function: NAME, place: None, breaker, attempt: 1 };
        // A panic of a subscriber is one of the call.
        flag_panic(permit.as_mut().map(Permit::call_state), || {
            event::emit(&Event::TimedOut { call, kind: ran_out.kind(), limit: left });
        });
        match permit {
            Some(permit) => permit.settle_deadline(false, Caller::NONE),
            None => enclosing::record_ran_out(self),
        }
    }
}
