//! What metrics have been told so far.

use std::collections::BTreeMap;
use std::mem;

use crate::CallCounts;
use crate::breaker::BreakerCounts;
use crate::call::Durations;

/// What metrics have been told so far.
#[derive(Debug)]
pub(crate) struct Exported {
    /// The durations of calls, by function.
    pub(crate) durations: BTreeMap<String, Durations>,
    /// The counts of functions and policies, by name.
    pub(crate) calls: BTreeMap<String, Told<CallCounts>>,
    /// The breakers, by name.
    pub(crate) breakers: BTreeMap<String, ToldBreaker>,
    /// The number of this time. What was not told this time has ended.
    pub(crate) round: u64,
}

/// What metrics have been told of one name.
#[derive(Debug)]
pub(crate) struct Told<C> {
    counts: C,
    may_end: bool,
}

/// What metrics have been told of a breaker.
#[derive(Debug)]
pub(crate) struct ToldBreaker {
    pub(crate) told: Told<BreakerCounts>,
    /// Whether one of its states is not 0.
    pub(crate) is_shown: bool,
    /// The number of the last time at which it existed.
    pub(crate) round: u64,
}

impl Exported {
    pub(super) const NOTHING: Self = Self {
        durations: BTreeMap::new(),
        calls: BTreeMap::new(),
        breakers: BTreeMap::new(),
        round: 0,
    };
}

impl Default for Exported {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl Default for Told<CallCounts> {
    fn default() -> Self {
        Self { counts: CallCounts::ZERO, may_end: false }
    }
}

impl Default for ToldBreaker {
    fn default() -> Self {
        let told = Told { counts: BreakerCounts::default(), may_end: false };
        Self { told, is_shown: false, round: 0 }
    }
}

impl<C> Told<C> {
    /// Returns what was counted the last time, if some of what is counted may end, or might once. Its
    /// total may then be lower than before, and metrics are told the difference. Otherwise `None`:
    /// metrics are told the total.
    pub(crate) fn replace(&mut self, now: C, may_end: bool) -> Option<C> {
        self.may_end |= may_end;
        let before = mem::replace(&mut self.counts, now);
        self.may_end.then_some(before)
    }
}
