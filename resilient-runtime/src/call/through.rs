//! A policy through a breaker that a call selects.

use super::attempt::Attempt;
use super::policy::Policy;
use super::run::Run;
use super::shared::SharedBreaker;
use crate::{Classify, Rejection};

/// A policy through a breaker of the caller's choice, from [`Policy::through`].
#[derive(Clone, Debug)]
#[must_use = "it does nothing before `run`"]
pub struct PolicyThrough<'p> {
    policy: &'p Policy,
    breaker: SharedBreaker,
}

impl Policy {
    /// Returns the policy with another breaker, for one call. Its own breaker, if it has one, is not
    /// asked. This is what a breaker by a value needs, as `breaker = "search/{collection}"` does:
    ///
    /// ```
    /// use resilient_runtime::{Policy, RetryTable, breaker_of, policies};
    /// # use resilient_runtime::{Classify, ErrorKind, Rejection};
    /// # #[derive(Debug)] struct SearchError;
    /// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
    /// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
    /// # async fn search(_: &str) -> Result<u32, SearchError> { Ok(7) }
    ///
    /// policies! {
    ///     breaker "shard/{shard}" { failure_threshold: 3 }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let policy = Policy::builder("search").retry_by_kind(RetryTable::declared()).build()?;
    /// let shard = breaker_of("shard/{shard}", 7).ok_or("no such template")?;
    /// let hits = policy.through(shard).run(|| search("shard 7")).await;
    /// assert_eq!(hits.unwrap(), 7);
    /// assert_eq!(resilient_runtime::breaker("shard/7").unwrap().stats().totals.successes, 1);
    /// # Ok(()) }
    /// ```
    pub fn through(&self, breaker: impl Into<SharedBreaker>) -> PolicyThrough<'_> {
        PolicyThrough { policy: self, breaker: breaker.into() }
    }
}

impl PolicyThrough<'_> {
    /// [`Policy::run`] through this breaker.
    ///
    /// # Errors
    ///
    /// Those of [`Policy::run`].
    ///
    /// # Panics
    ///
    /// As [`Policy::run`] does.
    ///
    /// # Cancellation
    ///
    /// As for [`Policy::run`].
    pub async fn run<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        let mut run = Run::new(self.policy.rules(), Some(&self.breaker));
        run.begin()?;
        run.repeat(op, Some(E::from)).await
    }

    /// [`Policy::run_with`] through this breaker.
    ///
    /// # Errors
    ///
    /// Those of [`Policy::run`].
    ///
    /// # Panics
    ///
    /// As [`Policy::run`] does.
    ///
    /// # Cancellation
    ///
    /// As for [`Policy::run`].
    pub async fn run_with<T, E, F>(&self, op: impl FnMut(Attempt<'static>) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        let mut run = Run::new(self.policy.rules(), Some(&self.breaker));
        run.begin()?;
        run.repeat_known(op).await
    }
}
