//! What one call goes through.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use crate::{CircuitBreaker, ErrorKind, RetryPolicy, RetryTable};

/// Whether a breaker counts calls or attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// The breaker stands outside the retries: it is asked once for a call, and counts one result
    /// for it, the last.
    #[default]
    Call,
    /// The breaker stands inside the retries: it is asked before each attempt, and counts each
    /// one's result.
    Attempt,
}

/// What a call goes through: all that `#[resilient]` does, for code that cannot carry an
/// attribute.
///
/// Only what is named applies: a policy of which nothing is said calls the operation once.
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
///     .build();
///
/// let mut failing = [Err(SearchError), Ok("seven hits")].into_iter();
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let hits = policy.run(|| std::future::ready(failing.next().unwrap())).await?;
/// assert_eq!(hits, "seven hits");
/// assert_eq!(breaker.stats().totals.successes, 1);
/// # Ok::<(), SearchError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Policy {
    name: Cow<'static, str>,
    retry: Option<Retry>,
    breaker: Option<SharedBreaker>,
    scope: Scope,
    /// What `retry` allows at most; 1 without it.
    max_attempts: u32,
}

impl Policy {
    /// Starts a policy that does nothing. Events call it by `name`; the attribute puts the
    /// function's path there.
    pub fn builder(name: impl Into<Cow<'static, str>>) -> PolicyBuilder {
        PolicyBuilder(Self {
            name: name.into(),
            retry: None,
            breaker: None,
            scope: Scope::Call,
            max_attempts: 1,
        })
    }

    /// What events call it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn renamed(mut self, name: Cow<'static, str>) -> Self {
        self.name = name;
        self
    }

    pub(crate) const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    pub(crate) fn breaker(&self) -> Option<&CircuitBreaker> {
        self.breaker.as_deref()
    }

    pub(crate) const fn scope(&self) -> Scope {
        self.scope
    }

    /// The row by which an error of this kind is retried; none where nothing is retried.
    pub(crate) fn row(&self, kind: ErrorKind) -> Option<RetryPolicy> {
        self.retry.as_ref().map(|retry| match retry {
            Retry::Row(row) => *row,
            Retry::ByKind(table) => table.row(kind),
        })
    }
}

/// Which row of which table an error is retried by.
#[derive(Clone, Debug)]
pub(crate) enum Retry {
    /// One row for every transient error.
    Row(RetryPolicy),
    /// The row of each error's own kind.
    ByKind(Box<RetryTable>),
}

impl Retry {
    fn max_attempts(&self) -> u32 {
        match self {
            Self::Row(row) => row.max_attempts(),
            Self::ByKind(table) => table.max_attempts(),
        }
    }
}

/// Builds a [`Policy`].
#[derive(Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct PolicyBuilder(Policy);

impl PolicyBuilder {
    /// Retries every transient error by one row, as `retry = "rate_limit_error"` does.
    pub fn retry(self, row: RetryPolicy) -> Self {
        self.with_retry(Retry::Row(row))
    }

    /// Retries a transient error by the row of its own kind, as `retry = "auto"` does. Where the
    /// kind changes from one attempt to the next, the attempts so far are held against the row of
    /// the newest.
    pub fn retry_by_kind(self, table: RetryTable) -> Self {
        self.with_retry(Retry::ByKind(Box::new(table)))
    }

    pub(crate) fn with_retry(mut self, retry: Retry) -> Self {
        self.0.max_attempts = retry.max_attempts();
        self.0.retry = Some(retry);
        self
    }

    /// Fails fast by this breaker: an `Arc<CircuitBreaker>` or a `&'static CircuitBreaker`, such
    /// as [`breaker`](crate::breaker()) returns.
    pub fn breaker(mut self, breaker: impl Into<SharedBreaker>) -> Self {
        self.0.breaker = Some(breaker.into());
        self
    }

    /// Whether the breaker counts calls, which is the default, or attempts.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.0.scope = scope;
        self
    }

    /// The policy.
    #[must_use]
    pub fn build(self) -> Policy {
        self.0
    }
}

/// A breaker that a [`Policy`] shares with others.
#[derive(Clone, Debug)]
pub struct SharedBreaker(Shared);

#[derive(Clone, Debug)]
enum Shared {
    Static(&'static CircuitBreaker),
    Counted(Arc<CircuitBreaker>),
}

impl From<&'static CircuitBreaker> for SharedBreaker {
    fn from(breaker: &'static CircuitBreaker) -> Self {
        Self(Shared::Static(breaker))
    }
}

impl From<Arc<CircuitBreaker>> for SharedBreaker {
    fn from(breaker: Arc<CircuitBreaker>) -> Self {
        Self(Shared::Counted(breaker))
    }
}

impl Deref for SharedBreaker {
    type Target = CircuitBreaker;

    fn deref(&self) -> &CircuitBreaker {
        match &self.0 {
            Shared::Static(breaker) => breaker,
            Shared::Counted(breaker) => breaker,
        }
    }
}
