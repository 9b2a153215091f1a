//! A breaker around one call, without retries.

use super::enclosing::{self, Frame, Retries};
use super::tracked::{flag_panic, track};
use crate::{CircuitBreaker, Classify, Rejection};

impl CircuitBreaker {
    /// Calls `op` if the breaker admits it, and counts how it ends.
    ///
    /// # Errors
    ///
    /// The error of `op`, or [`CircuitOpenError`] as a [`Rejection`] if the breaker rejects the
    /// call. The rejection is converted to the error of `op`. `?` after the call converts that as
    /// usual, and [`CircuitOpenError::find`] finds it again.
    ///
    /// [`CircuitOpenError`]: crate::CircuitOpenError
    /// [`CircuitOpenError::find`]: crate::CircuitOpenError::find
    ///
    /// # Panics
    ///
    /// Panics only if `op` does, and that counts as a failure.
    ///
    /// # Cancellation
    ///
    /// Dropping the future releases the permit, and counts as neither failure nor success.
    pub async fn call<T, E, F>(&self, op: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        if enclosing::is_any() && enclosing::contains(self) {
            return op().await;
        }
        // `acquire` and `Permit::settle`, written out: a value that goes through them goes through
        // memory.
        let permit = match self.try_admit_fast() {
            Some(permit) => permit,
            None => self.admit(None).map_err(Rejection::from)?,
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
}
