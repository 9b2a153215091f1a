//! A policy around any operation.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::attempt::{Attempt, NothingSent};
use super::failed_attempt::FailedAttempt;
use super::policy::Policy;
use super::run::Run;
use super::tracked::track;
use crate::{Classify, Rejection};

impl Policy {
    /// Runs `op` under this policy. It is called once for each attempt. State that it changes must
    /// be shared, as in a `Cell` or an atomic: an `async` closure that changes what it captures is
    /// not `FnMut`.
    ///
    /// # Errors
    ///
    /// The error of the last attempt, or a [`Rejection`] if there was no attempt or a limit ended
    /// it. The rejection is converted to the error of `op`, and `?` after the call converts that as
    /// usual.
    ///
    /// # Panics
    ///
    /// Panics if `op` does, which counts as a failure for the breaker. Also panics outside a tokio
    /// runtime with its timer enabled, if a retry is due, if the policy has an attempt timeout or a
    /// deadline, or inside [`within`](crate::within()).
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the call, or its wait for the next attempt. For the breaker, this
    /// is neither failure nor success.
    pub async fn run<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        let mut run = Run::new(self.rules(), self.rules().breaker());
        run.begin()?;
        run.repeat(op, Some(E::from)).await
    }

    /// [`run`](Self::run) for an operation that knows its [`Attempt`]: its number, the time that is
    /// left, and [`nothing_sent`](Attempt::nothing_sent). A call allocates once.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use resilient_runtime::{CircuitBreaker, Policy};
    /// # use resilient_runtime::{Classify, ErrorKind, Rejection};
    /// # #[derive(Debug)] struct UpsertError;
    /// # impl Classify for UpsertError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
    /// # impl From<Rejection> for UpsertError { fn from(_: Rejection) -> Self { Self } }
    /// # async fn send(_: &[f32]) -> Result<(), UpsertError> { Ok(()) }
    ///
    /// let breaker = Arc::new(CircuitBreaker::default());
    /// let policy = Policy::builder("upsert").breaker(breaker.clone()).build().unwrap();
    /// let vectors: Vec<f32> = Vec::new();
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let upsert = policy.run_with(|attempt| {
    ///     let vectors = &vectors;
    ///     async move {
    ///         if vectors.is_empty() {
    ///             attempt.nothing_sent();
    ///             return Ok(());
    ///         }
    ///         send(vectors).await
    ///     }
    /// });
    /// upsert.await?;
    /// assert_eq!(breaker.stats().totals.successes, 0);
    /// # Ok::<(), UpsertError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run) does.
    ///
    /// # Cancellation
    ///
    /// As for [`run`](Self::run).
    pub async fn run_with<T, E, F>(&self, op: impl FnMut(Attempt<'static>) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        let mut run = Run::new(self.rules(), self.rules().breaker());
        run.begin()?;
        run.repeat_known(op).await
    }

    /// [`run`](Self::run) for a policy that cannot reject a call, with fewer bounds on the error.
    pub(crate) async fn run_unguarded<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify,
    {
        Run::new(self.rules(), None).repeat(op, None).await
    }
}

impl Run<'_> {
    /// Starts the clock, and acquires the permit.
    pub(super) fn begin(&mut self) -> Result<(), Rejection> {
        self.start_clock();
        self.admit()
    }

    /// [`repeat`](Self::repeat) of an operation that knows its attempt.
    pub(super) async fn repeat_known<T, E, F>(
        &mut self,
        mut op: impl FnMut(Attempt<'static>) -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        let nothing_sent = Arc::new(NothingSent::new());
        loop {
            let current = self.current();
            let attempt = current.known_to_operation(&nothing_sent);
            let result = match self.limit(&current, E::from) {
                None => track(self.frame(), self.call_state(), async { op(attempt).await }).await,
                limit => self.timed(async { op(attempt).await }, limit).await,
            };
            let delay = match self.settle_known(result, &nothing_sent, FailedAttempt::of) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(delay) => delay,
            };
            if let ControlFlow::Break(result) = self.resume(delay).await {
                return result;
            }
        }
    }

    /// Runs attempts until one ends the call.
    pub(super) async fn repeat<T, E, F>(
        &mut self,
        mut op: impl FnMut() -> F,
        reject: Option<fn(Rejection) -> E>,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify,
    {
        loop {
            let limit = match reject {
                Some(reject) if self.is_limited() => self.limit(&self.current(), reject),
                _ => None,
            };
            // In async blocks, so that a panic of `op` itself is seen too. Each arm has its own, so
            // that each is inlined: a result that goes through memory costs more than all else.
            let result = match limit {
                // Separate: a future that may have a timer is large, and is moved whether it has
                // one or not.
                None => track(self.frame(), self.call_state(), async { op().await }).await,
                limit => self.timed(async { op().await }, limit).await,
            };
            // The result is gone before the delay, so it need not be `Send`.
            let delay = match self.settle(result, FailedAttempt::of) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(delay) => delay,
            };
            if let ControlFlow::Break(result) = self.resume(delay).await {
                return result;
            }
        }
    }
}
