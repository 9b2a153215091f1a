//! What metrics have been told so far.

use std::collections::BTreeMap;

use crate::CallCounts;
use crate::breaker::BreakerCounts;
use crate::call::Durations;

/// What metrics have been told so far, where it cannot be told as a total.
#[derive(Debug)]
pub(crate) struct Exported {
    /// The durations of calls, by function.
    pub(crate) durations: BTreeMap<String, Durations>,
    /// The counts of functions and policies that may end, by name.
    pub(crate) calls: BTreeMap<String, CallCounts>,
    /// The breakers that may end or be evicted, by name.
    pub(crate) breakers: BTreeMap<String, ExportedBreaker>,
}

/// What metrics have been told of a breaker.
#[derive(Debug)]
pub(crate) struct ExportedBreaker {
    pub(crate) counts: BreakerCounts,
    /// Whether one of its states is not 0.
    pub(crate) is_shown: bool,
}

impl Exported {
    pub(super) const NOTHING: Self =
        Self { durations: BTreeMap::new(), calls: BTreeMap::new(), breakers: BTreeMap::new() };
}

impl Default for Exported {
    fn default() -> Self {
        Self::NOTHING
    }
}
