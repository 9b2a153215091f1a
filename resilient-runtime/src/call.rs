//! A breaker around one call, without retries.

use crate::enclosing::{self, Frame, Retries};
use crate::watch::watch;
use crate::{CircuitBreaker, Classify, Rejection};

impl CircuitBreaker {
    /// Calls `op` if the breaker lets it pass, and counts how it ends.
    ///
    /// # Errors
    ///
    /// What `op` returns, or [`CircuitOpenError`] as a [`Rejection`] where the breaker does not
    /// let it pass. It comes as the error of `op`: `?` after the call converts that as it converts
    /// any other, and [`CircuitOpenError::find`] tells it apart.
    ///
    /// [`CircuitOpenError`]: crate::CircuitOpenError
    /// [`CircuitOpenError::find`]: crate::CircuitOpenError::find
    ///
    /// # Panics
    ///
    /// Only where `op` does, and that counts as a failure.
    ///
    /// # Cancellation
    ///
    /// Dropping the future gives the permit back, and counts as neither failure nor success.
    pub async fn call<T, E, F>(&self, op: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        if enclosing::is_any() && enclosing::contains(self) {
            return op().await;
        }
        // `acquire` and `Permit::settle`, written out: what goes through them goes through memory.
        let permit = match self.pass() {
            Some(permit) => permit,
            None => self.ask(None).map_err(Rejection::from)?,
        };
        let mut permit = permit.watched();
        // In an async block, so that a panic of `op` itself is seen too.
        let attempt = async { op().await };
        let result =
            watch(Frame::new(Some(self), Retries::NONE), Some(permit.call_state()), attempt).await;
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
