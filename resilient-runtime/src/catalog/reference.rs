//! A breaker named by a constant: `breaker = SEARCH`.

use crate::CircuitBreaker;

/// What stands behind the path.
#[derive(Clone, Copy, Debug)]
pub enum ResolvedBreaker {
    /// The name of a breaker that functions share.
    Name(&'static str),
    /// A breaker itself.
    Breaker(&'static CircuitBreaker),
}

impl ResolvedBreaker {
    /// The name, which a breaker itself has too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Name(name) => name,
            Self::Breaker(breaker) => breaker.name().as_str(),
        }
    }
}

/// What a path may name.
#[diagnostic::on_unimplemented(
    message = "`breaker` takes the name of a circuit breaker, or a `static` one, not `{Self}`",
    label = "neither a `&'static str` nor a `CircuitBreaker`",
    note = "write `breaker = \"search\"`, or name a `const SEARCH: &str` or a `static SEARCH: CircuitBreaker`"
)]
pub trait ResolveBreaker {
    /// What it names.
    fn resolve(&'static self) -> ResolvedBreaker;
}

impl ResolveBreaker for &'static str {
    fn resolve(&'static self) -> ResolvedBreaker {
        ResolvedBreaker::Name(self)
    }
}

impl ResolveBreaker for CircuitBreaker {
    fn resolve(&'static self) -> ResolvedBreaker {
        ResolvedBreaker::Breaker(self)
    }
}

/// What a path may name that stands beside settings.
#[diagnostic::on_unimplemented(
    message = "settings stand beside the name of a circuit breaker, not beside `{Self}`",
    label = "not a `&'static str`",
    note = "a `static` circuit breaker has its own settings: write `breaker = …` alone, and give them to `CircuitBreaker::named`"
)]
pub trait ResolveBreakerName {
    /// The name.
    fn resolve(&'static self) -> ResolvedBreaker;
}

impl ResolveBreakerName for &'static str {
    fn resolve(&'static self) -> ResolvedBreaker {
        ResolvedBreaker::Name(self)
    }
}
