//! The breakers that annotated functions share by name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalogue::{self, CallSite, RetrySpec};
use crate::policy::Retry;
use crate::{BreakerConfig, CircuitBreaker, Policy, RetryTable, event};

/// Breakers by name. They live as long as the program: their names stand in its source, so there
/// are only so many.
static BREAKERS: Mutex<BTreeMap<&'static str, &'static CircuitBreaker>> =
    Mutex::new(BTreeMap::new());

/// The breaker that annotated functions name so, to watch it or to move it by hand.
///
/// `None` where no `#[resilient(breaker = "…")]` in the program names it. It is there before any
/// of the functions has run.
///
/// ```
/// use resilient_runtime::{BreakerState, Rejection, resilient};
/// # use resilient_runtime::{Classify, ErrorKind};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
///
/// #[resilient(breaker = "search")]
/// async fn search() -> Result<u32, SearchError> {
///     Ok(7)
/// }
///
/// let breaker = resilient_runtime::breaker("search").unwrap();
/// assert_eq!(breaker.state(), BreakerState::Closed);
/// assert!(resilient_runtime::breaker("serach").is_none());
/// ```
#[must_use]
pub fn breaker(name: &str) -> Option<&'static CircuitBreaker> {
    catalogue::breaker_names().find(|known| *known == name).map(resolve)
}

/// Every breaker that an annotated function of the program names, by name.
#[must_use]
pub fn breakers() -> Vec<&'static CircuitBreaker> {
    let mut names: Vec<_> = catalogue::breaker_names().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(resolve).collect()
}

impl CallSite {
    /// The policy of the function.
    #[inline]
    pub(crate) fn policy(&'static self) -> &'static Policy {
        match self.policy.get() {
            Some(policy) => policy,
            None => self.resolve(),
        }
    }

    #[cold]
    fn resolve(&'static self) -> &'static Policy {
        let mut policy = Policy::builder(self.function);
        if let Some(retry) = self.retry {
            policy = policy.with_retry(match retry {
                RetrySpec::Row(row) => Retry::Row(row),
                RetrySpec::ByKind => Retry::ByKind(Box::new(RetryTable::DEFAULT)),
            });
        }
        if let Some(breaker) = self.breaker {
            policy = policy.breaker(resolve(breaker.name)).scope(breaker.scope);
        }
        // Made before it is kept: what is looked up may make an event, and its subscriber may get
        // here again.
        let policy = policy.build();
        self.policy.get_or_init(|| policy)
    }
}

/// The breaker of this name, made at its first use.
fn resolve(name: &'static str) -> &'static CircuitBreaker {
    let known = lock().get(name).copied();
    known.unwrap_or_else(|| make(name))
}

/// Makes the breaker of this name as its functions say. The first in the order of the source that
/// has settings wins, and every other one is reported, by who comes first.
fn make(name: &'static str) -> &'static CircuitBreaker {
    let mut settings = catalogue::users_of(name)
        .into_iter()
        .filter_map(|(site, breaker)| Some((site, breaker.config?)));
    let kept = settings.next();
    let config = kept.map_or(BreakerConfig::DEFAULT, |(_, config)| config);
    let breaker = match lock().entry(name) {
        Entry::Occupied(made) => return made.get(),
        Entry::Vacant(place) => {
            *place.insert(Box::leak(Box::new(CircuitBreaker::named(name, config))))
        }
    };
    // The lock is open again: a subscriber may ask for breakers.
    if let Some((kept, _)) = kept {
        for (dropped, _) in settings.filter(|(_, other)| *other != config) {
            event::breaker_conflict(name, &kept.to_string(), &dropped.to_string());
        }
    }
    breaker
}

fn lock() -> MutexGuard<'static, BTreeMap<&'static str, &'static CircuitBreaker>> {
    // The map is never half changed: what a panic of another thread leaves is whole.
    BREAKERS.lock().unwrap_or_else(PoisonError::into_inner)
}
