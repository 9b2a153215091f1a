//! What several policies share: a static, or a counted reference.

use std::ops::Deref;
use std::sync::Arc;

use crate::{CircuitBreaker, RetryBudget};

#[derive(Debug)]
enum Shared<T: 'static> {
    Static(&'static T),
    Counted(Arc<T>),
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Static(shared) => Self::Static(shared),
            Self::Counted(shared) => Self::Counted(Arc::clone(shared)),
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Static(shared) => shared,
            Self::Counted(shared) => shared,
        }
    }
}

/// A breaker that policies share: a `&'static CircuitBreaker` or an `Arc<CircuitBreaker>`. It
/// dereferences to the breaker.
#[derive(Clone, Debug)]
pub struct SharedBreaker(Shared<CircuitBreaker>);

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
        &self.0
    }
}

/// A retry budget that policies share: a `&'static RetryBudget` or an `Arc<RetryBudget>`. It
/// dereferences to the budget.
#[derive(Clone, Debug)]
pub struct SharedBudget(Shared<RetryBudget>);

impl From<&'static RetryBudget> for SharedBudget {
    fn from(budget: &'static RetryBudget) -> Self {
        Self(Shared::Static(budget))
    }
}

impl From<Arc<RetryBudget>> for SharedBudget {
    fn from(budget: Arc<RetryBudget>) -> Self {
        Self(Shared::Counted(budget))
    }
}

impl Deref for SharedBudget {
    type Target = RetryBudget;

    fn deref(&self) -> &RetryBudget {
        &self.0
    }
}
