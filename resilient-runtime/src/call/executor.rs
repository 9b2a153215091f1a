//! Retries without a breaker and without the attribute.

use std::borrow::Cow;

use super::policy::Policy;
use crate::{Classify, ErrorKind, RetryPolicy, RetryTable};

const NAME: &str = "RetryExecutor";

/// Retries an operation, as `retry = "…"` does, without the attribute.
///
/// The operation is called once for each attempt. State that it changes must be shared, as in a
/// `Cell` or an atomic: an `async` closure that changes what it captures is not `FnMut`.
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
///
/// An executor is cheap to clone. To share its rows among several names, clone it and call
/// [`with_name`](Self::with_name):
///
/// ```
/// use resilient_runtime::{ErrorKind, RetryExecutor};
///
/// let search = RetryExecutor::for_kind(ErrorKind::SearchTimeout).with_name("search");
/// let count = search.clone().with_name("count");
/// # let _ = count;
/// ```
#[derive(Clone, Debug)]
pub struct RetryExecutor {
    policy: Policy,
}

impl RetryExecutor {
    /// Retries every transient error by `policy`.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy: Policy::builder(NAME).retry(policy).build_unchecked() }
    }

    /// Retries every transient error by the row of `kind` in the default
    /// [`RetryTable`](crate::RetryTable).
    #[must_use]
    pub fn for_kind(kind: ErrorKind) -> Self {
        Self::new(RetryPolicy::for_kind(kind))
    }

    /// Retries each transient error by the row of its own kind, as `retry = "auto"` does.
    #[must_use]
    pub fn by_kind(table: RetryTable) -> Self {
        Self { policy: Policy::builder(NAME).retry_by_kind(table).build_unchecked() }
    }

    /// Returns the same executor with another name, which its events carry. By default all are
    /// named `RetryExecutor`.
    #[must_use]
    pub fn with_name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { policy: self.policy.renamed(name.into()) }
    }

    /// Calls `op` until it succeeds, fails with an error that is not transient, or the attempts
    /// are used up.
    ///
    /// # Errors
    ///
    /// The error of the last attempt. Inside [`within`](crate::within()), no retry starts that would
    /// be too late.
    ///
    /// # Panics
    ///
    /// Panics if `op` does, or if a retry is due outside a tokio runtime with its timer enabled.
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
