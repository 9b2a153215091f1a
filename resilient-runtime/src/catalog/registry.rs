//! The breakers and budgets that annotated functions share by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::breaker_entry::{BreakerEntry, Configured, Keyed};
use super::function_numbers::FunctionNumbers;
use super::here;
#[cfg(feature = "test-util")]
use super::isolation::Isolation;
use super::keyed_breaker::{KeyedBreaker, Source};
use super::problem::Problem;
use super::program::{BudgetEntry, Program};
use super::report::get_or_report;
use super::rows::Rows;
use super::site::{CallSite, Resolved};
#[cfg(feature = "metrics")]
use crate::breaker::BreakerCounts;
use crate::breaker::Template;
use crate::call::{Durations, Rules};
use crate::{
    BudgetConfig, CallCounts, CircuitBreaker, KeyedBreakers, Policy, RetryBudget, SharedBreaker,
    SharedBudget,
};

/// Returns the breaker of this name, to monitor it, to force its state, or to guard other code with
/// it.
///
/// A breaker that `#[resilient(breaker = "…")]` names or [`policies!`](crate::policies) declares
/// exists before any function has run. A breaker of a template such as `"search/{collection}"`
/// exists once a call has used it. A breaker of a [registered](crate::Policy::register) policy
/// exists as long as the policy. Returns `None` for any other name.
///
/// In a name that a template makes, all characters of a value except letters, digits, spaces, `-`,
/// `_`, `.` and `@` are percent-encoded: `search/a%2Fb` is the breaker of collection `a/b`.
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
pub fn breaker(name: &str) -> Option<SharedBreaker> {
    // The order of the entries decides which of several has the name.
    match Program::get().breakers().find(|entry| entry.makes(name)) {
        Some(entry) if entry.template.is_some() => {
            here::keyed(entry.keyed(), |keyed| keyed.breakers.find(name)).map(Into::into)
        }
        Some(entry) => Some(here::breaker(entry.single())),
        None => registered_breakers().find(|breaker| *breaker.name() == *name),
    }
}

/// Returns the breaker that a template of the program makes of this value, as a call of
/// `#[resilient(breaker = "search/{collection}")]` does: for code without the attribute, which gives
/// it to [`Policy::through`]. It is created at its first use.
///
/// Returns `None` if no function names the template and [`policies!`](crate::policies) does not
/// declare it, and if it has several placeholders. The name of the placeholder does not matter.
///
/// ```
/// use resilient_runtime::{breaker_of, policies};
///
/// policies! {
///     breaker "tenant/{tenant}" { failure_threshold: 3, max_keys: 10_000 }
/// }
///
/// let acme = breaker_of("tenant/{tenant}", "acme").unwrap();
/// assert_eq!(acme.name(), "tenant/acme");
/// assert!(breaker_of("customer/{customer}", "acme").is_none());
/// ```
#[must_use]
pub fn breaker_of(template: &str, value: impl fmt::Display) -> Option<SharedBreaker> {
    let entry = Program::get().template(template)?.keyed();
    let name = entry.template.name_of(&value)?;
    here::keyed(entry, |keyed| match keyed.get(&name).0 {
        Source::Template(held) => Some(held.shared().into()),
        Source::Single(breaker) => Some(here::breaker(breaker)),
    })
}

/// Returns every breaker of the program, sorted by name: those that functions name or
/// [`policies!`](crate::policies) declares, those that templates have made so far, and those of
/// [registered](crate::Policy::register) policies.
#[must_use]
pub fn breakers() -> Vec<SharedBreaker> {
    let mut breakers: Vec<SharedBreaker> = Vec::new();
    for entry in Program::get().breakers() {
        if entry.template.is_some() {
            let all = here::keyed(entry.keyed(), |keyed| keyed.breakers.all());
            breakers.extend(all.into_iter().map(Into::into));
        } else {
            breakers.push(here::breaker(entry.single()));
        }
    }
    for registered in registered_breakers() {
        if !breakers.iter().any(|known| here::is_same(known, &registered)) {
            breakers.push(registered);
        }
    }
    breakers.sort_by(|one, other| one.name().cmp(other.name()));
    breakers
}

/// The breakers of one name, or of one template.
#[cfg(feature = "metrics")]
pub(crate) struct BreakerGroup {
    pub(crate) is_template: bool,
    /// Whether some of them are there only as long as a registered policy.
    pub(crate) may_end: bool,
    /// Those that exist.
    pub(crate) breakers: Vec<SharedBreaker>,
    /// What they and those that were evicted have counted.
    pub(crate) counts: BreakerCounts,
}

/// Returns the breakers of [`breakers`], by name, those of a template together.
#[cfg(feature = "metrics")]
pub(crate) fn breaker_groups() -> BTreeMap<String, BreakerGroup> {
    let mut groups = BTreeMap::new();
    let mut add = |breaker: SharedBreaker, may_end: bool| {
        let group = groups.entry(breaker.name().to_string()).or_insert_with(|| BreakerGroup {
            is_template: false,
            may_end,
            breakers: Vec::new(),
            counts: BreakerCounts::default(),
        });
        if !group.breakers.iter().any(|known| here::is_same(known, &breaker)) {
            group.may_end |= may_end;
            group.counts.add(&breaker);
            group.breakers.push(breaker);
        }
    };
    let entries = || Program::get().breakers();
    for entry in entries().filter(|entry| entry.template.is_none()) {
        add(here::breaker(entry.single()), false);
    }
    // Those of templates are not among them: policies may share these too.
    let of_templates: BTreeMap<_, _> = entries()
        .filter(|entry| entry.template.is_some())
        .map(|entry| {
            let (all, counts) = here::keyed(entry.keyed(), |keyed| keyed.breakers.counted());
            let breakers: Vec<_> = all.into_iter().map(Into::into).collect();
            let group = BreakerGroup { is_template: true, may_end: false, breakers, counts };
            (entry.name.to_owned(), group)
        })
        .collect();
    for registered in registered_breakers() {
        let is_it = |known: &SharedBreaker| here::is_same(known, &registered);
        if !of_templates.values().any(|group| group.breakers.iter().any(is_it)) {
            add(registered, true);
        }
    }
    groups.extend(of_templates);
    groups
}

/// Returns every retry budget of the program, sorted by name: those that functions name or
/// `policies!` declares, and those of registered policies.
pub(crate) fn budgets() -> Vec<SharedBudget> {
    let mut budgets: Vec<SharedBudget> =
        Program::get().budgets().map(|entry| here::budget(entry.get())).collect();
    for policy in here::registered() {
        if let Some(registered) = policy.rules().shared_budget()
            && !budgets.iter().any(|known| here::is_same_budget(known, registered))
        {
            budgets.push(registered.clone());
        }
    }
    budgets.sort_by_key(|budget| budget.name());
    budgets
}

/// What the calls of one function, or of one registered policy, have counted so far.
pub(crate) struct Counted {
    pub(crate) calls: CallCounts,
    pub(crate) durations: Durations,
    /// How many errors of kind `unknown` they have returned.
    pub(crate) unknown_errors: u64,
    /// Whether some of them are retried.
    pub(crate) is_retried: bool,
    /// Whether some of them are timed.
    #[cfg(feature = "metrics")]
    pub(crate) is_timed: bool,
    /// Whether some of them are there only as long as a registered policy.
    #[cfg(feature = "metrics")]
    pub(crate) may_end: bool,
}

impl Counted {
    const NOTHING: Self = Self {
        calls: CallCounts::ZERO,
        durations: Durations::NONE,
        unknown_errors: 0,
        is_retried: false,
        #[cfg(feature = "metrics")]
        is_timed: false,
        #[cfg(feature = "metrics")]
        may_end: false,
    };

    fn add(&mut self, rules: &Rules) {
        self.calls.add(&rules.counters().read());
        self.durations.add(&rules.durations().read());
        self.unknown_errors = self.unknown_errors.saturating_add(rules.unknown_errors());
    }
}

/// Returns what each function and each registered policy has counted so far, by name. The calls in
/// one function count together.
pub(crate) fn counted() -> BTreeMap<String, Counted> {
    let mut all = BTreeMap::<String, Counted>::new();
    for site in &Program::get().sites {
        let counted = all.entry(site.function().to_owned()).or_insert(Counted::NOTHING);
        counted.is_retried |= site.retry.is_some();
        #[cfg(feature = "metrics")]
        {
            let by_settings = FunctionNumbers::of(site.function()).durations;
            counted.is_timed |= by_settings.unwrap_or(site.durations);
        }
        if let Some(resolved) = site.called() {
            counted.add(&resolved.rules);
        }
    }
    for policy in here::registered() {
        let rules = policy.rules();
        let counted = all.entry(policy.name().to_owned()).or_insert(Counted::NOTHING);
        counted.is_retried |= rules.numbers().source().retry.is_some();
        #[cfg(feature = "metrics")]
        {
            counted.is_timed |= rules.numbers().current().durations;
            counted.may_end = true;
        }
        counted.add(rules);
    }
    all
}

/// Why no breaker can take over the state of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoBreaker {
    /// The program has no breaker of this name, and none of its templates makes the name.
    Unknown,
    /// Several breakers have the name.
    Several,
    /// A template makes the name, and has as many breakers as it may have.
    NoRoom,
}

/// Returns the breaker of this name, and makes it if it is one of a template and there is room.
/// `registered` are the breakers of registered policies.
pub(crate) fn breaker_to_restore(
    name: &str,
    registered: &[SharedBreaker],
) -> Result<SharedBreaker, NoBreaker> {
    let of_source = match Program::get().breakers().find(|entry| entry.makes(name)) {
        Some(entry) if entry.template.is_some() => {
            let found = here::keyed(entry.keyed(), |keyed| keyed.breakers.get_if_room(name));
            Some(SharedBreaker::from(found.ok_or(NoBreaker::NoRoom)?))
        }
        Some(entry) => Some(here::breaker(entry.single())),
        None => None,
    };
    let of_policies = registered.iter().filter(|it| *it.name() == *name).cloned();
    let mut found = of_source.into_iter().chain(of_policies);
    let first = found.next().ok_or(NoBreaker::Unknown)?;
    if found.all(|other| here::is_same(&other, &first)) {
        Ok(first)
    } else {
        Err(NoBreaker::Several)
    }
}

/// The breakers of policies without the attribute.
pub(crate) fn registered_breakers() -> impl Iterator<Item = SharedBreaker> {
    let policies = here::registered().into_iter();
    policies.filter_map(|policy| policy.shared_breaker().cloned())
}

/// Returns the retry budget of this name, to see how many tokens are left, or for code without the
/// attribute.
///
/// Returns `None` if no `#[resilient(budget = "…")]` names it and [`policies!`](crate::policies)
/// does not declare it.
#[must_use]
pub fn budget(name: &str) -> Option<SharedBudget> {
    let entry = Program::get().budgets().find(|entry| entry.name == name)?;
    Some(here::budget(entry.get()))
}

impl CallSite {
    /// Returns the policy and the breaker of the function's calls: those of the program, or a test's
    /// own.
    #[inline]
    pub(crate) fn resolved(&'static self) -> &'static Resolved {
        #[cfg(feature = "test-util")]
        if let Some(isolation) = Isolation::current() {
            return isolation.resolved(self);
        }
        self.of_program()
    }

    /// [`resolved`](Self::resolved), if the function has been called.
    pub(super) fn called(&'static self) -> Option<&'static Resolved> {
        #[cfg(feature = "test-util")]
        if let Some(isolation) = Isolation::current() {
            return isolation.called(self);
        }
        self.resolved.get()
    }

    /// Returns the policy and the breaker of the function in the program, even inside a test with its
    /// own.
    #[inline]
    pub(crate) fn of_program(&'static self) -> &'static Resolved {
        match self.resolved.get() {
            Some(resolved) => resolved,
            None => self.resolve(),
        }
    }

    /// Looks them up, and reports the problems of the attribute, once.
    #[cold]
    fn resolve(&'static self) -> &'static Resolved {
        let resolve = || Resolved { rules: self.rules(), breaker: self.single_breaker() };
        get_or_report(&self.resolved, resolve, || {
            let undeclared = Problem::of_undeclared_row(self);
            undeclared.into_iter().chain(Problem::of_misplaced_template(self)).collect()
        })
    }

    fn single_breaker(&self) -> Option<&'static CircuitBreaker> {
        let source = self.breaker?.source;
        if source.is_template() {
            return None;
        }
        let shared = || Program::get().breaker(source.name(), false).single();
        Some(source.static_breaker().unwrap_or_else(shared))
    }

    fn rules(&self) -> Rules {
        let source = self.numbers(Rows::source());
        let now = FunctionNumbers::of(self.function()).replace(&self.numbers(&Rows::current()));
        let mut policy = Policy::builder(self.function())
            .at(self.place)
            .idempotent(self.idempotent)
            .numbers(source);
        if let Some(spec) = self.breaker {
            policy = policy.scope(spec.scope);
        }
        if let Some(budget) = self.budget {
            policy = policy.budget(Program::get().budget(budget).get());
        }
        let rules = policy.into_rules();
        rules.numbers().set(&now);
        rules
    }
}

impl BudgetEntry {
    /// Returns the budget. The first call reports conflicts.
    pub(crate) fn get(&'static self) -> &'static RetryBudget {
        let new = || {
            let declared = self.declarations.first().map(|first| *first.settings());
            RetryBudget::named(self.name, declared.unwrap_or(BudgetConfig::DEFAULT))
        };
        get_or_report(&self.budget, new, || Problem::budget_conflicts(self))
    }
}

impl BreakerEntry {
    /// Returns the breaker of an entry without a template. The first call reports conflicts.
    pub(crate) fn single(&'static self) -> &'static CircuitBreaker {
        let new = || match self.effective() {
            Configured { static_breaker: Some(breaker), .. } => SharedBreaker::from(breaker),
            Configured { settings, .. } => {
                Arc::new(CircuitBreaker::named(self.name, *settings.config())).into()
            }
        };
        let shared: &SharedBreaker =
            get_or_report(&self.single, new, || Problem::breaker_conflicts(self));
        shared
    }

    /// Returns the breakers of an entry with a template. The first call reports conflicts.
    pub(crate) fn keyed(&'static self) -> &'static Keyed {
        let new = || {
            let settings = self.effective().settings;
            let max_keys = settings.max_keys().unwrap_or(KeyedBreakers::DEFAULT_MAX_KEYS);
            let namesakes = Program::get().namesakes(self).into_iter();
            Keyed {
                template: Template::parse(self.name),
                breakers: KeyedBreakers::new(*settings.config(), max_keys),
                namesakes: namesakes.map(|(entry, _)| entry).collect(),
            }
        };
        let problems = || {
            let conflicts = Problem::breaker_conflicts(self).into_iter();
            conflicts.chain(Problem::shared_names(self)).collect()
        };
        get_or_report(&self.keyed, new, problems)
    }
}

impl Keyed {
    /// Returns the breaker of a name that the template has made.
    #[inline]
    pub(super) fn get(&self, name: &str) -> KeyedBreaker {
        KeyedBreaker(match self.namesakes.iter().find(|entry| entry.makes(name)) {
            None => Source::Template(self.breakers.hold(name)),
            Some(entry) if entry.template.is_none() => here::breaker_of_call(entry.single()),
            // `find` returns the first entry that makes the name, so this one has no namesake.
            Some(entry) => {
                here::keyed(entry.keyed(), |keyed| Source::Template(keyed.breakers.hold(name)))
            }
        })
    }
}
