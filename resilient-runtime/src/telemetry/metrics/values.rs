//! Which breakers of templates are shown by their values.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::{BreakerStatus, SharedBreaker};

/// How many breakers of each template are shown, by the template.
static SHOWN: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// Shows up to `most` breakers of this template by themselves too, each with its full name as the
/// label `breaker`, such as `search/docs`. By default, only the template has series:
/// `search/{collection}`. 0 ends it. A sum over all breakers counts those that are shown twice.
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

/// Returns the breakers of this template that are shown by themselves, and the others.
pub(super) fn split<'b>(
    template: &str,
    breakers: &'b [SharedBreaker],
) -> (Vec<&'b SharedBreaker>, Vec<&'b SharedBreaker>) {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let most = shown.get(template).copied().unwrap_or_default();
    drop(shown);
    let mut all: Vec<_> = breakers.iter().collect();
    if most == 0 {
        return (Vec::new(), all);
    }
    if most < all.len() {
        all.sort_by_cached_key(|breaker| {
            (breaker.status() == BreakerStatus::Closed, breaker.name().to_string())
        });
        let hidden = all.split_off(most);
        return (all, hidden);
    }
    (all, Vec::new())
}
