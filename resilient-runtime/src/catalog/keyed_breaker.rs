//! The breaker of a call whose arguments chose it.

use std::ops::Deref;

use crate::breaker::{CircuitBreaker, Held};

/// The breaker of a call.
#[derive(Debug)]
pub struct KeyedBreaker(Source);

#[derive(Debug)]
enum Source {
    Template(Held),
    Single(&'static CircuitBreaker),
}

impl From<Held> for KeyedBreaker {
    #[inline]
    fn from(breaker: Held) -> Self {
        Self(Source::Template(breaker))
    }
}

impl From<&'static CircuitBreaker> for KeyedBreaker {
    fn from(breaker: &'static CircuitBreaker) -> Self {
        Self(Source::Single(breaker))
    }
}

impl Deref for KeyedBreaker {
    type Target = CircuitBreaker;

    #[inline]
    fn deref(&self) -> &CircuitBreaker {
        match &self.0 {
            Source::Template(held) => held,
            Source::Single(breaker) => breaker,
        }
    }
}
