//! What a test has of its own, in place of what the program has.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use super::breaker_entry::Keyed;
#[cfg(feature = "metrics")]
use super::exported::Exported;
use super::site::{CallSite, Resolved};
use crate::event::Audience;
use crate::{CircuitBreaker, KeyedBreakers, Policy, RetryBudget};

thread_local! {
    /// That of the future which this thread is polling.
    static CURRENT: RefCell<Option<Arc<Isolation>>> = const { RefCell::new(None) };
}

/// For each object of the program that a name leads to, another one that only one test uses. Each is
/// made at its first use, from the program's own, with the numbers that hold then.
///
/// To isolate another sort of object, add a field and a method here, and a function in `here.rs`.
#[derive(Debug, Default)]
pub(crate) struct Isolation {
    /// The observers that receive what happens here.
    audience: Audience,
    breakers: Twins<CircuitBreaker>,
    keyed: Twins<Keyed>,
    budgets: Twins<RetryBudget>,
    #[cfg(feature = "metrics")]
    pub(super) exported: Mutex<Exported>,
    /// By the address of the site. These are leaked: the code that the macros generate holds them for
    /// as long as it likes, so that it need not count references.
    sites: Mutex<BTreeMap<usize, &'static Resolved>>,
}

/// Objects by the addresses of those of the program, which are never freed.
#[derive(Debug)]
struct Twins<T>(Mutex<BTreeMap<usize, Arc<T>>>);

impl<T> Default for Twins<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Twins<T> {
    fn get(&self, program: &'static T, make: impl FnOnce() -> T) -> Arc<T> {
        // The map is never half changed, so it is valid after a panic.
        let mut twins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(twins.entry(address(program)).or_insert_with(|| Arc::new(make())))
    }
}

fn address<T>(of: &'static T) -> usize {
    ptr::from_ref(of).addr()
}

/// Lasts while a future is polled or dropped, even by a panic.
#[must_use]
pub(crate) struct Entered {
    around: Option<Arc<Isolation>>,
    audience_around: Audience,
}

impl Isolation {
    /// Returns that of the code that runs now. `None` outside of all of them.
    #[inline]
    pub(crate) fn current() -> Option<Arc<Self>> {
        // A thread that has destroyed its variables polls nothing any more.
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Makes this the current one of the thread.
    pub(crate) fn enter(self: &Arc<Self>) -> Entered {
        let own = Some(Arc::clone(self));
        Entered {
            around: CURRENT.try_with(|current| current.replace(own)).ok().flatten(),
            audience_around: self.audience.enter(),
        }
    }

    /// Returns the test's own breaker in place of this one.
    pub(super) fn breaker(&self, program: &'static CircuitBreaker) -> Arc<CircuitBreaker> {
        self.breakers.get(program, || {
            CircuitBreaker::new(program.config()).with_name(program.name().as_str())
        })
    }

    /// Returns the test's own breakers of a template.
    pub(super) fn keyed(&self, program: &'static Keyed) -> Arc<Keyed> {
        self.keyed.get(program, || {
            let config = program.breakers.config();
            let breakers = KeyedBreakers::new(config.config, config.max_keys);
            breakers.set_config(config);
            let (template, namesakes) = (program.template.clone(), program.namesakes.clone());
            Keyed { template, breakers, namesakes }
        })
    }

    /// Returns the test's own budget in place of this one.
    pub(super) fn budget(&self, program: &'static RetryBudget) -> Arc<RetryBudget> {
        self.budgets.get(program, || RetryBudget::named(program.name(), program.config()))
    }

    /// Returns the policy and the breaker of a function, if the test has called it.
    pub(super) fn called(&self, site: &'static CallSite) -> Option<&'static Resolved> {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.get(&address(site)).copied()
    }

    /// Returns the test's own policy and breaker of a function.
    pub(super) fn resolved(&self, site: &'static CallSite) -> &'static Resolved {
        self.called(site).unwrap_or_else(|| self.resolve(site))
    }

    #[cold]
    fn resolve(&self, site: &'static CallSite) -> &'static Resolved {
        // Looked up before the lock, since that may emit an event, and a subscriber may call the
        // function again. What the program looks up is reported once, and not by each test.
        let Resolved { rules, breaker } = site.of_program();
        let numbers = rules.numbers();
        let mut policy = Policy::builder(site.function())
            .at(site.place)
            .idempotent(numbers.is_idempotent())
            .numbers(numbers.source().clone())
            .scope(rules.scope());
        if let Some(budget) = rules.shared_budget() {
            policy = policy.budget(self.budget(budget));
        }
        let own = policy.into_rules();
        own.numbers().set(&numbers.current());
        let breaker = breaker.map(|program| self.breaker(program));

        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.entry(address(site)).or_insert_with(|| {
            let breaker = breaker.map(|breaker| &**Box::leak(Box::new(breaker)));
            Box::leak(Box::new(Resolved { rules: own, breaker }))
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.audience_around.enter();
        let around = self.around.take();
        let own = CURRENT.try_with(|current| current.replace(around));
        // After the borrow: it may be the last reference.
        drop(own);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{BreakerConfig, BudgetConfig};

    #[test]
    fn what_is_isolated_is_freed_with_it() {
        static BREAKER: CircuitBreaker = CircuitBreaker::named("freed", BreakerConfig::DEFAULT);
        static BUDGET: RetryBudget = RetryBudget::named("freed", BudgetConfig::DEFAULT);
        let isolation = Arc::new(Isolation::default());
        let breaker = Arc::downgrade(&isolation.breaker(&BREAKER));
        let budget = Arc::downgrade(&isolation.budget(&BUDGET));
        assert!(Arc::ptr_eq(&breaker.upgrade().unwrap(), &isolation.breaker(&BREAKER)));
        let entered = isolation.enter();
        drop(isolation);
        assert!(breaker.upgrade().is_some() && budget.upgrade().is_some());
        drop(entered);
        assert!(breaker.upgrade().is_none() && budget.upgrade().is_none());
    }
}
