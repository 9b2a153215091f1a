//! The breaker that the arguments of a call select.

use std::ops::Deref;

use crate::breaker::{CircuitBreaker, Held};

/// The breaker of a call.
#[derive(Debug)]
pub struct KeyedBreaker(pub(super) Source);

#[derive(Debug)]
pub(super) enum Source {
    /// One of a template's breakers, or a test's own one.
    Template(Held),
    /// The breaker of a name that source writes out.
    Single(&'static CircuitBreaker),
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
