//! The policy of a call.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::durations::Durations;
use super::numbers::{LiveNumbers, Numbers, RowChoice};
use super::outcome::CallCounts;
use super::rules::{Rules, Scope};
use super::shared::{SharedBreaker, SharedBudget};
use crate::event::Place;
use crate::{ConfigError, RetryPolicy, RetryTable};

/// The policy of a call: all that `#[resilient]` does, for code that cannot carry an attribute.
///
/// Only the settings that are given apply: an empty policy calls the operation once.
///
/// ```
/// use std::sync::Arc;
/// use resilient_runtime::{CircuitBreaker, Policy, RetryTable};
/// # use resilient_runtime::{Classify, ErrorKind, Rejection};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
///
/// let breaker = Arc::new(CircuitBreaker::default());
/// let policy = Policy::builder("search")
///     .retry_by_kind(RetryTable::default())
///     .breaker(breaker.clone())
///     .build()
///     .expect("the settings go together");
///
/// let mut failing = [Err(SearchError), Ok("seven hits")].into_iter();
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let hits = policy.run(|| std::future::ready(failing.next().unwrap())).await?;
/// assert_eq!(hits, "seven hits");
/// assert_eq!(breaker.stats().totals.successes, 1);
/// # Ok::<(), SearchError>(()) }).unwrap();
/// ```
///
/// A clone is cheap, and shares the breaker and the budget of the original:
///
/// ```
/// # use std::sync::Arc;
/// # use resilient_runtime::{CircuitBreaker, Policy};
/// # use resilient_runtime::{Classify, ErrorKind, Rejection};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
/// let breaker = Arc::new(CircuitBreaker::default());
/// let policy = Policy::builder("search").breaker(breaker.clone()).build().unwrap();
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clone = policy.clone();
/// let task = tokio::spawn(async move {
///     clone.run(|| async { Ok::<_, SearchError>("seven hits") }).await
/// });
/// assert_eq!(task.await.unwrap().unwrap(), "seven hits");
/// assert_eq!(breaker.stats().totals.successes, 1);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Policy(Arc<Rules>);

impl Policy {
    /// Starts a policy that does nothing. Events carry its `name`. The attribute sets the
    /// function's path.
    pub fn builder(name: impl Into<Cow<'static, str>>) -> PolicyBuilder {
        PolicyBuilder::named(name.into())
    }

    /// Returns the name that events carry.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Returns how many errors of kind [`Unknown`](crate::ErrorKind::Unknown) have reached this policy and
    /// its clones. Such an error is not retried, and is not a failure for a breaker unless the
    /// breaker's lists of kinds name it. The first one is reported by an event. Without a retry and
    /// a breaker, nothing is counted.
    ///
    /// ```
    /// use resilient_runtime::{Policy, RetryPolicy};
    /// # use resilient_runtime::{Classify, ErrorKind, Rejection};
    /// # #[derive(Debug)] struct TextError;
    /// # impl Classify for TextError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
    /// # impl From<Rejection> for TextError { fn from(_: Rejection) -> Self { Self } }
    ///
    /// let policy = Policy::builder("search").retry(RetryPolicy::DEFAULT).build().unwrap();
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let failed = policy.run(|| async { Err::<u32, _>(TextError) }).await;
    /// assert!(failed.is_err(), "after one attempt");
    /// assert_eq!(policy.unknown_errors(), 1);
    /// # });
    /// ```
    #[must_use]
    pub fn unknown_errors(&self) -> u64 {
        self.0.unknown_errors()
    }

    /// Returns how the calls of this policy and its clones have ended.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        self.0.counters().read()
    }

    /// Returns how long the calls of this policy and its clones have taken, if it
    /// [measures](PolicyBuilder::durations) that.
    ///
    /// ```
    /// use resilient_runtime::{CallOutcome, Policy};
    /// # use resilient_runtime::{Classify, ErrorKind, Rejection};
    /// # #[derive(Debug)] struct SearchError;
    /// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
    /// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
    ///
    /// let policy = Policy::builder("search").durations(true).build()?;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// policy.run(|| async { Ok::<_, SearchError>("seven hits") }).await.unwrap();
    /// # });
    /// assert_eq!(policy.durations().of(CallOutcome::Success).count(), 1);
    /// # Ok::<(), resilient_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub fn durations(&self) -> Durations {
        self.0.durations().read()
    }

    /// The same policy under another name. Its errors are counted anew.
    pub(crate) fn renamed(&self, name: Cow<'static, str>) -> Self {
        Self(Arc::new(self.0.renamed(name)))
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.0
    }

    pub(crate) const fn shared_rules(&self) -> &Arc<Rules> {
        &self.0
    }
}

/// Builds a [`Policy`]; [`build`](Self::build) checks it.
#[derive(Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct PolicyBuilder {
    name: Cow<'static, str>,
    place: Option<Place>,
    numbers: Numbers,
    breaker: Option<SharedBreaker>,
    budget: Option<SharedBudget>,
    // Apart from their defaults: setting one is a mistake if it has no effect.
    scope: Option<Scope>,
    idempotent: Option<bool>,
}

impl PolicyBuilder {
    fn named(name: Cow<'static, str>) -> Self {
        Self {
            name,
            place: None,
            numbers: Numbers::default(),
            breaker: None,
            budget: None,
            scope: None,
            idempotent: None,
        }
    }

    /// Retries every transient error by one row, as `retry = "rate_limit_error"` does. A call that
    /// is part of an outer one does not retry what the outer call's policy retries.
    pub fn retry(self, row: RetryPolicy) -> Self {
        self.with_retry(RowChoice::Row(row))
    }

    /// Retries a transient error by the row of its own kind, as `retry = "auto"` does. If the kind
    /// changes from one attempt to the next, the row of the latest error limits all attempts so
    /// far.
    pub fn retry_by_kind(self, table: RetryTable) -> Self {
        self.with_retry(RowChoice::ByKind(Arc::new(table)))
    }

    pub(crate) fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    pub(crate) fn numbers(self, numbers: Numbers) -> Self {
        Self { numbers, ..self }
    }

    fn with_retry(mut self, retry: RowChoice) -> Self {
        self.numbers.retry = Some(retry);
        self
    }

    /// Fails fast by this breaker, unless the call is part of an outer one through the same breaker:
    /// an `Arc<CircuitBreaker>` or a `&'static CircuitBreaker`, such
    /// as [`breaker`](crate::breaker()) returns.
    pub fn breaker(mut self, breaker: impl Into<SharedBreaker>) -> Self {
        self.breaker = Some(breaker.into());
        self
    }

    /// Whether the breaker counts calls, which is the default, or attempts. It needs both a breaker
    /// and a retry.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Ends an attempt that takes longer, with [`Rejection::AttemptTimeout`]. That is a
    /// `timeout_error`, if the error that is made of it says so too: it may be retried, and is a
    /// failure for a breaker that [trips on](crate::BreakerConfig::trips_on) it, as it does by
    /// default. Without it, an attempt
    /// takes as long as it takes. It must be shorter than the [`deadline`](Self::deadline).
    ///
    /// Keep the own timeout of `qdrant-client`, 5 seconds by default, below this one and below the
    /// [`deadline`](Self::deadline). The client replaces a dead connection only when its own
    /// timeout ends a call.
    ///
    /// [`Rejection::AttemptTimeout`]: crate::Rejection::AttemptTimeout
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.numbers.attempt_timeout = Some(timeout);
        self
    }

    /// Ends a call that takes longer, delays included, with [`Rejection::DeadlineExceeded`], which
    /// is a `deadline_exceeded`. If the delay before a retry would not be over by then, the call
    /// ends immediately with the error of its last attempt.
    ///
    /// For the breaker, a call that its deadline ended is a failure only if the policy has no
    /// [attempt timeout](Self::attempt_timeout), unless the breaker's lists of kinds
    /// [name it](crate::BreakerConfigBuilder::trip_on). A short deadline says nothing about the
    /// server, but without an attempt timeout, it is the only sign of a server that hangs.
    ///
    /// [`Rejection::DeadlineExceeded`]: crate::Rejection::DeadlineExceeded
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.numbers.deadline = Some(deadline);
        self
    }

    /// Whether the operation may be executed twice, which is the default. If not, an error is
    /// retried only if [`maybe_executed`](crate::Classify::maybe_executed) rules out that the
    /// request was executed. It needs a retry.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = Some(idempotent);
        self
    }

    /// Retries while this budget lasts: an `Arc<RetryBudget>` or a `&'static RetryBudget`. It needs
    /// a retry.
    pub fn budget(mut self, budget: impl Into<SharedBudget>) -> Self {
        self.budget = Some(budget.into());
        self
    }

    /// Measures how long calls take, by outcome: see [`Policy::durations`]. A call then reads the
    /// clock twice. Not by default.
    pub fn durations(mut self, durations: bool) -> Self {
        self.numbers.durations = durations;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// An attempt timeout or a deadline of zero, an attempt timeout that is not shorter than the
    /// deadline, and a setting that has no effect: a scope without a breaker, or a scope,
    /// `idempotent` or a budget without a retry or with a single attempt.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilient_runtime::{ConfigError, Policy};
    ///
    /// let refused = Policy::builder("search").deadline(Duration::ZERO).build();
    /// assert_eq!(refused.unwrap_err(), ConfigError::Deadline);
    /// ```
    pub fn build(self) -> Result<Policy, ConfigError> {
        self.numbers.check()?;
        if self.scope.is_some() && self.breaker.is_none() {
            return Err(ConfigError::ScopeWithoutBreaker);
        }
        if self.numbers.retry.is_none() {
            if self.scope.is_some() {
                return Err(ConfigError::ScopeWithoutRetry);
            }
            if self.idempotent.is_some() {
                return Err(ConfigError::IdempotentWithoutRetry);
            }
            if self.budget.is_some() {
                return Err(ConfigError::BudgetWithoutRetry);
            }
        }
        let is_about_retries =
            self.scope.is_some() || self.idempotent.is_some() || self.budget.is_some();
        if is_about_retries && self.numbers.max_attempts() == 1 {
            return Err(ConfigError::SingleAttempt);
        }
        Ok(self.build_unchecked())
    }

    /// Returns the policy, from settings that cannot contradict each other.
    pub(crate) fn build_unchecked(self) -> Policy {
        Policy(Arc::new(self.into_rules()))
    }

    /// Returns the rules of the policy, from settings that the attribute has checked.
    pub(crate) fn into_rules(self) -> Rules {
        let Self { name, place, numbers, breaker, budget, scope, idempotent } = self;
        let numbers = LiveNumbers::new(numbers, idempotent.unwrap_or(true));
        Rules::new((name, place), numbers, breaker, scope.unwrap_or_default(), budget)
    }
}
