//! The rules of a call: all that its policy says.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::durations::Recorder;
use super::numbers::LiveNumbers;
use super::outcome::CallCounters;
use super::shared::{SharedBreaker, SharedBudget};
use crate::breaker::Caller;
use crate::event::Place;
use crate::{CircuitBreaker, RetryBudget};

/// Whether a breaker counts calls or attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// The breaker is outside the retries: it admits a call once, and counts its last result.
    #[default]
    Call,
    /// The breaker is inside the retries: it admits each attempt, and counts the result of each.
    Attempt,
}

/// What a [`Policy`](super::policy::Policy) consists of. An annotated function has its own in a
/// static, so that its calls need not look for it.
#[derive(Debug)]
pub struct Rules {
    name: Cow<'static, str>,
    /// Of an annotated function or a guarded call.
    place: Option<Place>,
    numbers: LiveNumbers,
    breaker: Option<SharedBreaker>,
    scope: Scope,
    budget: Option<SharedBudget>,
    counters: CallCounters,
    durations: Recorder,
    /// How many errors of kind `unknown` have reached it.
    unknown_errors: AtomicU64,
}

impl Rules {
    pub(super) fn new(
        (name, place): (Cow<'static, str>, Option<Place>),
        numbers: LiveNumbers,
        breaker: Option<SharedBreaker>,
        scope: Scope,
        budget: Option<SharedBudget>,
    ) -> Self {
        Self {
            name,
            place,
            numbers,
            breaker,
            scope,
            budget,
            counters: CallCounters::new(),
            durations: Recorder::new(),
            unknown_errors: AtomicU64::new(0),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The function or policy, as breakers and events name it.
    #[inline]
    pub(super) const fn caller(&self) -> Caller<'_> {
        Caller::named(&self.name)
    }

    #[inline]
    pub(crate) const fn counters(&self) -> &CallCounters {
        &self.counters
    }

    pub(crate) const fn durations(&self) -> &Recorder {
        &self.durations
    }

    pub(crate) const fn place(&self) -> Option<Place> {
        self.place
    }

    #[inline]
    pub(crate) const fn numbers(&self) -> &LiveNumbers {
        &self.numbers
    }

    pub(crate) fn breaker(&self) -> Option<&CircuitBreaker> {
        self.breaker.as_deref()
    }

    pub(crate) const fn shared_breaker(&self) -> Option<&SharedBreaker> {
        self.breaker.as_ref()
    }

    pub(crate) const fn shared_budget(&self) -> Option<&SharedBudget> {
        self.budget.as_ref()
    }

    pub(crate) const fn scope(&self) -> Scope {
        self.scope
    }

    #[inline]
    pub(crate) const fn has_budget(&self) -> bool {
        self.budget.is_some()
    }

    pub(crate) fn budget(&self) -> Option<&RetryBudget> {
        self.budget.as_deref()
    }

    pub(crate) fn unknown_errors(&self) -> u64 {
        // Relaxed, here and below: the number orders no other memory.
        self.unknown_errors.load(Ordering::Relaxed)
    }

    /// Counts an error of kind `unknown`. Returns whether it is the first.
    pub(crate) fn count_unknown_error(&self) -> bool {
        self.unknown_errors.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// The same rules under another name, with the numbers of source.
    pub(super) fn renamed(&self, name: Cow<'static, str>) -> Self {
        let source = self.numbers.source().clone();
        let numbers = LiveNumbers::new(source, self.numbers.is_idempotent());
        Self::new(
            (name, self.place),
            numbers,
            self.breaker.clone(),
            self.scope,
            self.budget.clone(),
        )
    }
}
