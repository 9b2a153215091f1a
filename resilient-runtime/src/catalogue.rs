//! Every annotated function of the program, known before any has run.

use std::fmt;
use std::sync::OnceLock;

use linkme::distributed_slice;

use crate::policy::{Policy, Retry, Scope};
use crate::{BreakerConfig, RetryPolicy, RetryTable, registry};

/// Gathered by the linker, so that a breaker's configuration does not depend on which of its
/// functions runs first.
#[distributed_slice]
pub static SITES: [CallSite];

/// An annotated function: where it is, and what its attribute says.
#[derive(Debug)]
pub struct CallSite {
    function: &'static str,
    file: &'static str,
    line: u32,
    retry: Option<RetrySpec>,
    breaker: Option<BreakerSpec>,
    policy: OnceLock<Policy>,
}

/// What the key `retry` says.
#[derive(Clone, Copy, Debug)]
pub enum RetrySpec {
    /// One row for every transient error.
    Row(RetryPolicy),
    /// `"auto"`: the row of each error's own kind.
    ByKind,
}

/// What the key `breaker` says.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSpec {
    /// The name, shared by every function that gives it.
    pub name: &'static str,
    /// Where the attribute sets anything but the scope.
    pub config: Option<BreakerConfig>,
    /// What the breaker counts.
    pub scope: Scope,
}

impl CallSite {
    /// A function at a place in source, without a policy yet.
    #[must_use]
    pub const fn new(function: &'static str, file: &'static str, line: u32) -> Self {
        Self { function, file, line, retry: None, breaker: None, policy: OnceLock::new() }
    }

    /// The same function, retried.
    #[must_use]
    pub const fn retry(mut self, retry: RetrySpec) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The same function behind a breaker.
    #[must_use]
    pub const fn breaker(mut self, breaker: BreakerSpec) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// The policy, looked up at the function's first call and kept.
    #[inline]
    pub(crate) fn policy(&'static self) -> &'static Policy {
        self.policy.get_or_init(|| self.resolve())
    }

    #[cold]
    fn resolve(&self) -> Policy {
        let mut policy = Policy::builder(self.function);
        if let Some(retry) = self.retry {
            policy = policy.with_retry(match retry {
                RetrySpec::Row(row) => Retry::Row(row),
                RetrySpec::ByKind => Retry::ByKind(Box::new(RetryTable::DEFAULT)),
            });
        }
        if let Some(breaker) = self.breaker {
            policy = policy.breaker(registry::resolve(breaker.name)).scope(breaker.scope);
        }
        policy.build()
    }
}

/// Where the function is: `src/search.rs:17 (app::search)`.
impl fmt::Display for CallSite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{} ({})", self.file, self.line, self.function)
    }
}

/// Every function that names this breaker, in the order of their places in source: an order that
/// is the same in every run and every build.
pub(crate) fn users_of(breaker: &str) -> Vec<(&'static CallSite, BreakerSpec)> {
    let mut users: Vec<_> = SITES
        .iter()
        .filter_map(|site| Some((site, site.breaker.filter(|spec| spec.name == breaker)?)))
        .collect();
    users.sort_by_key(|(site, _)| (site.file, site.line, site.function));
    users
}

/// The name of every breaker that a function names.
pub(crate) fn breaker_names() -> impl Iterator<Item = &'static str> {
    SITES.iter().filter_map(|site| site.breaker).map(|breaker| breaker.name)
}
