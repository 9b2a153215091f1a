//! Settings in environment variables.

use std::env;

use super::entries::{Entry, Settings, Target};
use super::origin::Origin;
use super::value::Given;

/// Between the parts of a variable's name.
const SEPARATOR: &str = "__";

impl Settings {
    /// Reads settings from the environment variables that begin with `prefix` and two underscores,
    /// in upper case:
    ///
    /// ```sh
    /// RESILIENT__BREAKER__SEARCH__OPEN_DURATION=60s
    /// RESILIENT__BREAKER__COUNT_COLLECTION__KEY__BIG__FAILURE_THRESHOLD=50
    /// RESILIENT__RETRY__RATE_LIMIT_ERROR__MAX_ATTEMPTS=8
    /// RESILIENT__FUNCTION__APP_SEARCH_SEARCH__DEADLINE=3s
    /// RESILIENT__BREAKER__SEARCH__TRIP_ON=timeout_error,search_timeout
    /// ```
    ///
    /// In a name, one underscore stands for any characters between letters and digits:
    /// `APP_SEARCH_SEARCH` is the function `app::search::search`, and `COUNT_COLLECTION` the
    /// template `count/{collection}`. [`apply`](Self::apply) refuses a name that stands for
    /// several.
    #[must_use]
    pub fn from_env(prefix: &str) -> Self {
        let start = format!("{prefix}{SEPARATOR}").to_uppercase();
        let variables = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        let mut entries: Vec<_> = variables
            .filter_map(|(name, value)| {
                // Both are compared in upper case, so the lengths are those of the upper case.
                let path = name.to_uppercase().strip_prefix(&start)?.to_owned();
                Some(entry(&path, name, value))
            })
            .collect();
        entries.sort_by_cached_key(|entry| entry.origin.to_string());
        Self { entries }
    }
}

fn entry(path: &str, variable: String, value: String) -> Entry {
    let parts: Vec<&str> = path.split(SEPARATOR).collect();
    let (section, name, of, key) = match parts.as_slice() {
        [section, name, "KEY", of, key] => (*section, *name, Some(*of), *key),
        [section, name, key] => (*section, *name, None, *key),
        // No section has an empty name, so the check of names reports it.
        _ => (path, "", None, ""),
    };
    let target = Target {
        section: section.to_lowercase(),
        name: name.to_owned(),
        value: of.map(str::to_owned),
        is_variable: true,
    };
    let (key, origin) = (key.to_lowercase(), Origin::Variable(variable));
    Entry { target, key, given: Given::Variable(value), origin }
}
