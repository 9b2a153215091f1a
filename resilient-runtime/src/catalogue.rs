//! Every annotated function of the program, known before any has run.

use std::fmt;
use std::sync::OnceLock;

use linkme::distributed_slice;

use crate::policy::{Policy, Scope};
use crate::{BreakerConfig, RetryPolicy};

/// Gathered by the linker, so that a breaker's configuration does not depend on which of its
/// functions runs first.
#[distributed_slice]
pub static SITES: [CallSite];

/// An annotated function: where it is, and what its attribute says.
#[derive(Debug)]
pub struct CallSite {
    pub(crate) function: &'static str,
    file: &'static str,
    line: u32,
    pub(crate) retry: Option<RetrySpec>,
    pub(crate) breaker: Option<BreakerSpec>,
    /// Looked up at the function's first call, and kept.
    pub(crate) policy: OnceLock<Policy>,
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
