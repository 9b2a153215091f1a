//! Retry without a breaker, by hand.

use crate::{Classify, ErrorKind, Policy, RetryPolicy};

/// Retries an operation by one [`RetryPolicy`]: what `retry = "…"` does, without the attribute.
///
/// ```
/// use resilient_runtime::{ErrorKind, RetryExecutor};
/// # use resilient_runtime::Classify;
/// # #[derive(Debug)] struct UpsertError;
/// # impl Classify for UpsertError { fn kind(&self) -> ErrorKind { ErrorKind::RateLimitError } }
/// # async fn upsert() -> Result<(), UpsertError> { Ok(()) }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let executor = RetryExecutor::for_kind(ErrorKind::RateLimitError);
/// executor.execute(upsert).await?;
/// # Ok::<(), UpsertError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct RetryExecutor {
    policy: Policy,
}

impl RetryExecutor {
    /// Retries by `policy`.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy: Policy::builder("RetryExecutor").retry(policy).build() }
    }

    /// Retries every transient error by the row of `kind` in the default
    /// [`RetryTable`](crate::RetryTable).
    #[must_use]
    pub fn for_kind(kind: ErrorKind) -> Self {
        Self::new(RetryPolicy::for_kind(kind))
    }

    /// Calls `op` until it succeeds, fails with an error that is not transient, or the attempts
    /// are used up.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    ///
    /// # Panics
    ///
    /// Where `op` does; and where a retry is due outside a tokio runtime with its timer enabled.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the call, or its wait for the next attempt.
    pub async fn execute<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify,
    {
        self.policy.run_unguarded(op).await
    }
}

impl Default for RetryExecutor {
    /// By [`RetryPolicy::DEFAULT`].
    fn default() -> Self {
        Self::new(RetryPolicy::DEFAULT)
    }
}
