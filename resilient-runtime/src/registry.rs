//! The breakers that annotated functions share by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{BreakerConfig, CircuitBreaker, catalogue, event};

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

/// The breaker of this name, made at its first use.
pub(crate) fn resolve(name: &'static str) -> &'static CircuitBreaker {
    lock()
        .entry(name)
        .or_insert_with(|| Box::leak(Box::new(CircuitBreaker::named(name, configured(name)))))
}

/// What its functions say of the breaker of this name. The first in the order of the source wins,
/// and every other one is reported, once: a breaker is made only once.
fn configured(name: &str) -> BreakerConfig {
    let mut configured = catalogue::users_of(name)
        .into_iter()
        .filter_map(|(site, breaker)| Some((site, breaker.config?)));
    let Some((first, config)) = configured.next() else {
        return BreakerConfig::DEFAULT;
    };
    for (site, _) in configured.filter(|(_, other)| *other != config) {
        event::breaker_conflict(name, &first.to_string(), &site.to_string());
    }
    config
}

fn lock() -> MutexGuard<'static, BTreeMap<&'static str, &'static CircuitBreaker>> {
    // The map is never half changed: what a panic of another thread leaves is whole.
    BREAKERS.lock().unwrap_or_else(PoisonError::into_inner)
}
