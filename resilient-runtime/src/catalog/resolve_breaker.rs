//! A path to a breaker: `breaker = SEARCH`.

use std::sync::LazyLock;

use crate::CircuitBreaker;

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub enum ResolvedBreaker {
    /// The name of a breaker that functions share.
    Name(&'static str),
    /// A static breaker.
    Static(&'static CircuitBreaker),
}

/// A type that `breaker` accepts behind a path.
#[diagnostic::on_unimplemented(
    message = "`breaker` takes the name of a circuit breaker, or a `static` one, not `{Self}`",
    label = "not a `&'static str`, a `CircuitBreaker` or a `LazyLock<CircuitBreaker>`",
    note = "write `breaker = \"search\"`, or name a `const SEARCH: &str`, a `static SEARCH: CircuitBreaker` or a `static SEARCH: LazyLock<CircuitBreaker>`"
)]
pub trait ResolveBreaker {
    /// Returns the name or the static breaker.
    fn resolve(&'static self) -> ResolvedBreaker;
}

impl ResolveBreaker for &'static str {
    fn resolve(&'static self) -> ResolvedBreaker {
        ResolvedBreaker::Name(self)
    }
}

impl ResolveBreaker for CircuitBreaker {
    fn resolve(&'static self) -> ResolvedBreaker {
        ResolvedBreaker::Static(self)
    }
}

impl ResolveBreaker for LazyLock<CircuitBreaker> {
    fn resolve(&'static self) -> ResolvedBreaker {
        ResolvedBreaker::Static(self)
    }
}

/// A type that `breaker` accepts behind a path beside settings.
#[diagnostic::on_unimplemented(
    message = "settings stand beside the name of a circuit breaker, not beside `{Self}`",
    label = "not a `&'static str`",
    note = "a `static` circuit breaker has its own settings: write `breaker = …` alone, and give them to `CircuitBreaker::named`"
)]
pub trait ResolveBreakerName {
    /// Returns the name.
    fn resolve(&'static self) -> ResolvedBreaker;
}

impl ResolveBreakerName for &'static str {
    fn resolve(&'static self) -> ResolvedBreaker {
        ResolvedBreaker::Name(self)
    }
}
