//! Which breakers of templates are shown by their values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::catalog::BreakerGroup;

/// How many breakers of each template are shown, by the template.
static SHOWN: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// Shows up to `most` breakers of this template by themselves too, each with its full name as the
/// label `breaker`, such as `search/docs`. By default, only the template has series:
/// `search/{collection}`. 0 ends it.
///
/// If there are more breakers, those that are not closed come first, and then the order of names
/// decides. When a breaker is evicted or no longer among the first, its states become 0, and it is not
/// updated any more: an exporter with an idle timeout then removes its series, as
/// `PrometheusBuilder::idle_timeout` does.
///
/// A name that is no template of the program has no effect.
///
/// ```
/// use resilient_runtime::{metrics, policies};
///
/// policies! {
///     breaker "search/{collection}" { failure_threshold: 5 }
/// }
///
/// metrics::label_values("search/{collection}", 20);
/// ```
pub fn label_values(template: &str, most: usize) {
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    shown.insert(template.to_owned(), most);
}

/// Returns the breakers of this group that are shown by themselves, in their order.
pub(super) fn shown(group: &BreakerGroup) -> impl Iterator<Item = usize> {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let most = shown.get(&group.name).copied().filter(|_| group.is_template).unwrap_or_default();
    drop(shown);
    let mut order: Vec<_> =
        if most == 0 { Vec::new() } else { (0..group.breakers.len()).collect() };
    order.sort_by_cached_key(|index| {
        let breaker = &group.breakers[*index];
        (breaker.status() == crate::BreakerStatus::Closed, breaker.name().to_string())
    });
    order.into_iter().take(most)
}

/// The names that are shown by themselves. Returns those that were shown before and are not now.
pub(super) fn replace(now: BTreeSet<String>) -> BTreeSet<String> {
    static LAST: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let gone = last.difference(&now).cloned().collect();
    *last = now;
    gone
}
