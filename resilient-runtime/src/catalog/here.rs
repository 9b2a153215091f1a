//! What a name of source leads to in the code that runs now: the program's object, or the own one of
//! the test around it. Without the feature `test-util`, each function returns what it is given.

use std::ptr;
#[cfg(feature = "metrics")]
use std::sync::{Mutex, PoisonError};

use super::breaker_entry::Keyed;
#[cfg(feature = "metrics")]
use super::exported::Exported;
#[cfg(feature = "test-util")]
use super::isolation::Isolation;
use super::keyed_breaker::Source;
use super::registered::RegisteredPolicy;
#[cfg(feature = "test-util")]
use crate::breaker::Held;
use crate::{CircuitBreaker, RetryBudget, SharedBreaker, SharedBudget};

/// Returns the breaker in place of this one of the program.
pub(super) fn breaker(program: &'static CircuitBreaker) -> SharedBreaker {
    #[cfg(feature = "test-util")]
    if let Some(isolation) = Isolation::current() {
        return isolation.breaker(program).into();
    }
    program.into()
}

/// [`breaker`], for a call.
#[inline]
pub(super) fn breaker_of_call(program: &'static CircuitBreaker) -> Source {
    #[cfg(feature = "test-util")]
    if let Some(isolation) = Isolation::current() {
        return Source::Template(Held::Shared(isolation.breaker(program)));
    }
    Source::Single(program)
}

/// Calls `with` with the breakers of a template in place of these of the program.
#[inline]
pub(super) fn keyed<R>(program: &'static Keyed, with: impl FnOnce(&Keyed) -> R) -> R {
    #[cfg(feature = "test-util")]
    if let Some(isolation) = Isolation::current() {
        return with(&isolation.keyed(program));
    }
    with(program)
}

/// Returns the budget in place of this one of the program.
pub(super) fn budget(program: &'static RetryBudget) -> SharedBudget {
    #[cfg(feature = "test-util")]
    if let Some(isolation) = Isolation::current() {
        return isolation.budget(program).into();
    }
    program.into()
}

/// Returns all registered policies: those that the test has registered, and then the others, each in
/// that order.
pub(super) fn registered() -> Vec<RegisteredPolicy> {
    let policies = RegisteredPolicy::all();
    #[cfg(feature = "test-util")]
    let policies = {
        let mut policies = policies;
        policies.sort_by_key(|policy| !policy.is_own());
        policies
    };
    policies
}

/// Calls `with` with what metrics have been told, under a lock.
#[cfg(feature = "metrics")]
pub(crate) fn exported<R>(with: impl FnOnce(&mut Exported) -> R) -> R {
    static OF_PROGRAM: Mutex<Exported> = Mutex::new(Exported::NOTHING);
    // A recorder may panic. What it was not told by then is lost, and everything else holds.
    let call = |exported: &Mutex<Exported>| {
        with(&mut exported.lock().unwrap_or_else(PoisonError::into_inner))
    };
    #[cfg(feature = "test-util")]
    if let Some(isolation) = Isolation::current() {
        return call(&isolation.exported);
    }
    call(&OF_PROGRAM)
}

/// Whether two breakers are one. In a test, no two breakers have one name: the first stands for the
/// others, which belong to other tests, or to the program.
pub(super) fn is_same(one: &CircuitBreaker, other: &CircuitBreaker) -> bool {
    #[cfg(feature = "test-util")]
    if Isolation::current().is_some() {
        return one.name() == other.name();
    }
    ptr::eq(one, other)
}

/// [`is_same`], of budgets.
pub(super) fn is_same_budget(one: &RetryBudget, other: &RetryBudget) -> bool {
    #[cfg(feature = "test-util")]
    if Isolation::current().is_some() {
        return one.name() == other.name();
    }
    ptr::eq(one, other)
}
