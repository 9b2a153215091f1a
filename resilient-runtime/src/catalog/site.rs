//! The static that `#[resilient]` emits for each function.

use std::sync::OnceLock;
use std::time::Duration;

use super::resolve_breaker::ResolvedBreaker;
use super::settings::BreakerSettings;
use crate::CircuitBreaker;
use crate::call::{Rules, Scope};
use crate::event::Place;
use crate::retry::{RetryChanges, RowRef};

/// An annotated function or a guarded call: its place in source and its policy.
#[derive(Debug)]
pub struct CallSite {
    function: Function,
    pub(crate) place: Place,
    pub(crate) retry: Option<RetrySpec>,
    pub(crate) breaker: Option<BreakerSpec>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) idempotent: bool,
    pub(crate) budget: Option<&'static str>,
    pub(crate) durations: bool,
    /// Set by the function's first call.
    pub(crate) resolved: OnceLock<Resolved>,
}

/// How a site knows the path of its function.
#[derive(Clone, Copy, Debug)]
enum Function {
    /// The attribute has seen its name.
    Annotated(&'static str),
    /// Only the compiler knows it.
    AroundCall(fn() -> &'static str),
}

/// The policy and the breaker of an annotated function.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The rules without the breaker.
    pub(crate) rules: Rules,
    /// `None` if there is no breaker, or the arguments of each call select one.
    pub(crate) breaker: Option<&'static CircuitBreaker>,
}

/// The value of the key `retry`.
#[derive(Clone, Copy, Debug)]
pub enum RetrySpec {
    /// One row for every transient error, and the numbers that replace its own.
    Row(RowRef, RetryChanges),
    /// `"auto"`: the row of each error's own kind.
    ByKind,
}

/// The value of the key `breaker`.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSpec {
    /// Which breaker.
    pub source: BreakerSource,
    /// The settings, if the attribute gives any.
    pub settings: Option<BreakerSettings>,
    /// What the breaker counts.
    pub scope: Scope,
}

/// How a function names its breaker.
#[derive(Clone, Copy, Debug)]
pub enum BreakerSource {
    /// `breaker = "search"`
    Name(&'static str),
    /// `breaker = "search/{collection}"`
    Keyed(&'static str),
    /// `breaker = SEARCH`: a constant name, or a static breaker. Only the compiler knows which of
    /// the two, so this is a function.
    Path(fn() -> ResolvedBreaker),
}

impl BreakerSource {
    /// Returns the name, or the template of the names.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Name(name) | Self::Keyed(name) => name,
            Self::Path(resolve) => match resolve() {
                ResolvedBreaker::Name(name) => name,
                ResolvedBreaker::Static(breaker) => breaker.name().as_str(),
            },
        }
    }

    pub(super) const fn is_template(self) -> bool {
        matches!(self, Self::Keyed(_))
    }

    /// Returns the breaker if it is a static one.
    pub(super) fn static_breaker(self) -> Option<&'static CircuitBreaker> {
        match self {
            Self::Path(resolve) => match resolve() {
                ResolvedBreaker::Static(breaker) => Some(breaker),
                ResolvedBreaker::Name(_) => None,
            },
            Self::Name(_) | Self::Keyed(_) => None,
        }
    }

    /// Returns the name in a constant if it looks like a template. Only a literal can be a
    /// template.
    pub(super) fn misplaced_template(self) -> Option<&'static str> {
        let name = self.name();
        let is_constant = matches!(self, Self::Path(_)) && self.static_breaker().is_none();
        (is_constant && name.contains('{')).then_some(name)
    }
}

impl CallSite {
    /// A function at a place in source, without a policy.
    #[must_use]
    pub const fn new(function: &'static str, file: &'static str, line: u32) -> Self {
        Self::at(Function::Annotated(function), file, line)
    }

    /// A call at a place in source, without a policy. `function` returns the path of the function
    /// around it.
    #[must_use]
    pub const fn of_call(function: fn() -> &'static str, file: &'static str, line: u32) -> Self {
        Self::at(Function::AroundCall(function), file, line)
    }

    const fn at(function: Function, file: &'static str, line: u32) -> Self {
        Self {
            function,
            place: Place { file, line },
            retry: None,
            breaker: None,
            attempt_timeout: None,
            deadline: None,
            idempotent: true,
            budget: None,
            durations: false,
            resolved: OnceLock::new(),
        }
    }

    /// The same function, retried. A constant that holds `auto` means the same as the literal.
    #[must_use]
    pub const fn retry(mut self, retry: RetrySpec) -> Self {
        self.retry = Some(match retry {
            RetrySpec::Row(RowRef::Named(name), _) if matches!(name.as_bytes(), b"auto") => {
                RetrySpec::ByKind
            }
            retry => retry,
        });
        self
    }

    /// The same function behind a breaker.
    #[must_use]
    pub const fn breaker(mut self, breaker: BreakerSpec) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// The same function, with a timeout for each attempt.
    #[must_use]
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// The same function, with a deadline for each call.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same function, and whether it may be executed twice.
    #[must_use]
    pub const fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// The same function, with a retry budget of this name.
    #[must_use]
    pub const fn budget(mut self, budget: &'static str) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The same function, and whether its calls are timed.
    #[must_use]
    pub const fn durations(mut self, durations: bool) -> Self {
        self.durations = durations;
        self
    }

    /// Returns the path of the function.
    pub(crate) fn function(&self) -> &'static str {
        match self.function {
            Function::Annotated(function) => function,
            Function::AroundCall(function) => function(),
        }
    }

    /// Whether this is a call with `guard!`.
    pub(crate) const fn is_call(&self) -> bool {
        matches!(self.function, Function::AroundCall(_))
    }

    /// Returns the place and the name, such as `src/search.rs:17 (app::search)`.
    pub(crate) fn location(&self) -> String {
        format!("{} ({})", self.place, self.function())
    }
}
