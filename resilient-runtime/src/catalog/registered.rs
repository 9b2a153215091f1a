//! Policies without the attribute that the program has registered.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::function_numbers::FunctionNumbers;
#[cfg(feature = "test-util")]
use super::isolation::Isolation;
#[cfg(feature = "admin")]
use crate::CallCounts;
use crate::call::Rules;
use crate::event::Place;
use crate::{Policy, SharedBreaker};

/// A policy without the attribute, from [`Catalog::policies`](crate::Catalog::policies). As long as
/// this is held, the policy stays registered.
#[derive(Clone, Debug)]
pub struct RegisteredPolicy {
    rules: Arc<Rules>,
    place: Place,
    #[cfg(feature = "test-util")]
    isolation: Weak<Isolation>,
}

struct Entry {
    rules: Weak<Rules>,
    place: Place,
    /// The test that has registered it. Empty outside of all of them.
    #[cfg(feature = "test-util")]
    isolation: Weak<Isolation>,
}

/// In the order in which they were registered. The lock also lets settings reach each policy once.
static REGISTERED: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

impl Policy {
    /// Registers the policy: [`catalog`](crate::catalog()) lists it, [`breakers`](crate::breakers())
    /// its breaker, and settings can change its numbers, by its name. It stays registered as long as
    /// the policy or a clone of it exists. To register it again changes nothing.
    ///
    /// Register a policy before settings name it: a name that nothing has is a mistake in them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilient_runtime::{CircuitBreaker, Policy, RetryPolicy, catalog};
    /// # use std::sync::Arc;
    ///
    /// let policy = Policy::builder("outbox")
    ///     .retry(RetryPolicy::DEFAULT)
    ///     .breaker(Arc::new(CircuitBreaker::default().with_name("outbox")))
    ///     .deadline(Duration::from_secs(10))
    ///     .build()?
    ///     .register();
    ///
    /// let catalog = catalog();
    /// let registered = catalog.policies().iter().find(|it| it.name() == "outbox").unwrap();
    /// assert_eq!(registered.deadline(), Some(Duration::from_secs(10)));
    /// assert!(resilient_runtime::breaker("outbox").is_some());
    /// # drop(policy);
    /// # Ok::<(), resilient_runtime::ConfigError>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn register(self) -> Self {
        let place = Location::caller();
        let place = Place { file: place.file(), line: place.line() };
        let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
        registered.retain(|entry| entry.rules.strong_count() > 0);
        let is_it = |entry: &Entry| entry.rules.as_ptr() == Arc::as_ptr(self.shared_rules());
        if !registered.iter().any(is_it) {
            let rules = self.rules();
            rules
                .numbers()
                .set(&FunctionNumbers::of(rules.name()).replace(rules.numbers().source()));
            registered.push(Entry {
                rules: Arc::downgrade(self.shared_rules()),
                place,
                #[cfg(feature = "test-util")]
                isolation: Isolation::current().as_ref().map(Arc::downgrade).unwrap_or_default(),
            });
        }
        drop(registered);
        self
    }
}

impl RegisteredPolicy {
    /// Returns all of them, in the order in which they were registered.
    pub(crate) fn all() -> Vec<Self> {
        let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = registered.iter().filter_map(|entry| {
            Some(Self {
                rules: entry.rules.upgrade()?,
                place: entry.place,
                #[cfg(feature = "test-util")]
                isolation: Weak::clone(&entry.isolation),
            })
        });
        alive.collect()
    }

    /// Whether the test that runs now has registered it.
    #[cfg(feature = "test-util")]
    pub(super) fn is_own(&self) -> bool {
        Isolation::current().is_some_and(|own| self.isolation.as_ptr() == Arc::as_ptr(&own))
    }

    /// Replaces the numbers of all of them by what settings give to functions now.
    pub(crate) fn renew() {
        let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
        for rules in registered.iter().filter_map(|entry| entry.rules.upgrade()) {
            let numbers = rules.numbers();
            numbers.set(&FunctionNumbers::of(rules.name()).replace(numbers.source()));
        }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Returns its breaker.
    pub(crate) fn shared_breaker(&self) -> Option<&SharedBreaker> {
        self.rules.shared_breaker()
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.rules.name()
    }

    /// Returns the path of the file in which it was registered.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.place.file
    }

    /// Returns the line in that file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.place.line
    }

    /// Returns the name of its breaker. `None` without a breaker.
    #[must_use]
    pub fn breaker(&self) -> Option<&str> {
        self.rules.breaker().map(|breaker| breaker.name().as_str())
    }

    /// Returns the most attempts that it allows in its source. 1 if nothing is retried.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.rules.numbers().source().max_attempts()
    }

    /// Returns how long an attempt may take. `None` without an attempt timeout.
    #[must_use]
    pub fn attempt_timeout(&self) -> Option<Duration> {
        self.rules.numbers().source().attempt_timeout
    }

    /// Returns how long a call may take, delays included. `None` without a deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.rules.numbers().source().deadline
    }
}

/// `src/outbox.rs:17 outbox: 3 attempts, breaker "outbox", deadline 10s`
impl fmt::Display for RegisteredPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy: Vec<_> = self.policy_parts().collect();
        write!(formatter, "{} {}: {}", self.place, self.name(), policy.join(", "))
    }
}

impl RegisteredPolicy {
    /// Returns how the calls of the policy have ended so far, and how many errors of kind `unknown` it
    /// has returned.
    #[cfg(feature = "admin")]
    pub(crate) fn counted(&self) -> (CallCounts, u64) {
        (self.rules.counters().read(), self.rules.unknown_errors())
    }

    /// Returns what the policy consists of, in words: `3 attempts`, `deadline 10s`.
    pub(crate) fn policy_parts(&self) -> impl Iterator<Item = String> {
        let attempts = self.max_attempts();
        let parts = [
            (attempts > 1).then(|| format!("{attempts} attempts")),
            self.breaker().map(|breaker| format!("breaker \"{breaker}\"")),
            self.attempt_timeout().map(|timeout| format!("attempt timeout {timeout:?}")),
            self.deadline().map(|deadline| format!("deadline {deadline:?}")),
        ];
        parts.into_iter().flatten()
    }
}
