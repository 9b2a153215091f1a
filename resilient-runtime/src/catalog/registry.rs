//! The breakers that annotated functions share by name.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::breakers::{BreakerKey, Configured};
use super::keyed_breaker::KeyedBreaker;
use super::problem::Problem;
use super::rows::Rows;
use super::sections;
use super::settings::BreakerSettings;
use super::site::{BreakerSource, CallSite, Resolved, RetrySpec};
use super::source_order::{budget_names, declared};
use crate::breaker::Template;
use crate::call::RowChoice;
use crate::row::{AUTO, RowRef};
use crate::{
    BudgetConfig, CircuitBreaker, KeyedBreakers, Policy, RetryBudget, RetryTable, SharedBreaker,
    SharedBudget,
};

/// Breakers, sets of breakers, or budgets, by name. They live as long as the program: their names
/// are written in its source, so their number is limited.
struct Registry<T: 'static>(Mutex<BTreeMap<&'static str, &'static T>>);

/// By the name of one breaker.
static SINGLE: Registry<CircuitBreaker> = Registry::new();

/// By the template of many.
static KEYED: Registry<Keyed> = Registry::new();

static BUDGETS: Registry<RetryBudget> = Registry::new();

/// Returns the breaker of this name, to monitor it, to force its state, or to guard other code with
/// it.
///
/// It is one that `#[resilient(breaker = "…")]` names or [`policies!`](crate::policies) declares,
/// and is there before any function has run; or one of those that a template such as
/// `"search/{collection}"` has made so far. Otherwise `None`.
///
/// In a name that a template has made, all characters of a value except letters, digits, spaces,
/// `-`, `_`, `.` and `@` are percent-encoded: `search/a%2Fb` is the breaker of collection `a/b`.
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
    if let Some(known) = BreakerKey::singles().find(|known| known.name == name) {
        return Some(single(known.name).into());
    }
    let mut templates = BreakerKey::templates().into_iter();
    let template = templates.find(|template| Template::parse(template.name).makes(name))?;
    keyed(template.name).breakers.find(name).map(Into::into)
}

/// Every breaker of the program, by name: those that functions name and that
/// [`policies!`](crate::policies) declares, and those that templates have made so far.
#[must_use]
pub fn breakers() -> Vec<SharedBreaker> {
    let singles: BTreeSet<_> = BreakerKey::singles().map(|key| key.name).collect();
    let singles = singles.into_iter().map(|name| single(name).into());
    let templates = BreakerKey::templates().into_iter();
    let made = templates.flat_map(|template| keyed(template.name).breakers.all()).map(Into::into);
    let mut breakers: Vec<SharedBreaker> = singles.chain(made).collect();
    breakers.sort_by(|one, other| one.name().cmp(other.name()));
    breakers
}

/// The retry budget of this name, to see how much is left of it, or for code without the
/// attribute.
///
/// `None` if no `#[resilient(budget = "…")]` names it and [`policies!`](crate::policies) does
/// not declare it.
#[must_use]
pub fn budget(name: &str) -> Option<SharedBudget> {
    let known = budget_names().find(|known| *known == name)?;
    Some(named_budget(known).into())
}

impl CallSite {
    /// Returns the policy and the breaker of the function's calls.
    #[inline]
    pub(crate) fn resolved(&'static self) -> &'static Resolved {
        match self.resolved.get() {
            Some(resolved) => resolved,
            None => self.resolve(),
        }
    }

    /// Looks them up, and reports the problems of the attribute, once.
    #[cold]
    fn resolve(&'static self) -> &'static Resolved {
        let build = || Resolved { policy: self.policy(), breaker: self.single_breaker() };
        // Stored before anything is reported: a subscriber may call the function again.
        if self.resolved.set(build()).is_ok() {
            let problems = Problem::of_undeclared_row(self)
                .into_iter()
                .chain(Problem::of_misplaced_template(self));
            problems.for_each(|problem| problem.report());
        }
        self.resolved.get_or_init(build)
    }

    fn single_breaker(&self) -> Option<&'static CircuitBreaker> {
        let breaker = self.breaker?.breaker;
        match (breaker, breaker.fixed()) {
            (_, Some(fixed)) => Some(fixed),
            (BreakerSource::Keyed(_), None) => None,
            (name, None) => Some(single(name.name())),
        }
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::builder(self.function).idempotent(self.idempotent);
        if let Some(retry) = self.retry {
            policy = policy.with_retry(rows(retry));
        }
        if let Some(spec) = self.breaker {
            policy = policy.scope(spec.scope);
        }
        if let Some(timeout) = self.attempt_timeout {
            policy = policy.attempt_timeout(timeout);
        }
        if let Some(deadline) = self.deadline {
            policy = policy.deadline(deadline);
        }
        if let Some(budget) = self.budget {
            policy = policy.budget(named_budget(budget));
        }
        policy.build_unchecked()
    }
}

/// The rows that an attribute asks for, as the program has them.
fn rows(retry: RetrySpec) -> RowChoice {
    match retry {
        RetrySpec::ByKind | RetrySpec::Row(RowRef::Named(AUTO), _) => {
            RowChoice::ByKind(Arc::new(RetryTable::declared()))
        }
        RetrySpec::Row(row, changes) => {
            RowChoice::Row(changes.on(Rows::get().find_or_default(row)))
        }
    }
}

/// The one breaker of this name.
fn single(name: &'static str) -> &'static CircuitBreaker {
    let key = BreakerKey { name, is_template: false };
    let make = || {
        let Configured { settings, fixed } = effective_settings(key);
        fixed.unwrap_or_else(|| leaked(CircuitBreaker::named(name, *settings.config())))
    };
    SINGLE.get(name, make, || Problem::breaker_conflicts(key))
}

/// A template, and the breakers of the names that it makes.
#[derive(Debug)]
pub(crate) struct Keyed {
    template: Template,
    breakers: KeyedBreakers,
    /// What has some of these names first, so that no two breakers have one name. Empty unless
    /// [`Problem::SharedName`] is reported.
    namesakes: Vec<Namesake>,
}

#[derive(Debug)]
enum Namesake {
    Single(&'static str, OnceLock<&'static CircuitBreaker>),
    Template(&'static str, Template, OnceLock<&'static Keyed>),
}

impl Keyed {
    pub(crate) fn template(&self) -> &Template {
        &self.template
    }

    /// The breaker of a name that the template has made.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> KeyedBreaker {
        let mut namesakes = self.namesakes.iter();
        match namesakes.find(|namesake| namesake.has(name)) {
            Some(namesake) => namesake.get(name),
            None => self.breakers.hold(name).into(),
        }
    }
}

impl Namesake {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Single(single, _) => *single == name,
            Self::Template(_, template, _) => template.makes(name),
        }
    }

    fn get(&self, name: &str) -> KeyedBreaker {
        match self {
            Self::Single(single_name, known) => (*found(known, || single(single_name))).into(),
            // It is the first of all that make this name, or it would not be found first.
            Self::Template(template, _, known) => {
                found(known, || keyed(template)).breakers.hold(name).into()
            }
        }
    }
}

/// Returns what `find` finds, and stores it. It is found before it is stored: `find` may emit an
/// event, and its subscriber may call the function again.
#[inline]
pub(crate) fn found<T>(known: &OnceLock<T>, find: impl FnOnce() -> T) -> &T {
    known.get().unwrap_or_else(|| {
        let found = find();
        known.get_or_init(|| found)
    })
}

/// The breakers of this template.
pub(crate) fn keyed(template: &'static str) -> &'static Keyed {
    let key = BreakerKey { name: template, is_template: true }.canonical();
    let make = || {
        let settings = effective_settings(key).settings;
        let max_keys = settings.max_keys().unwrap_or(KeyedBreakers::DEFAULT_MAX_KEYS);
        let namesakes = key.namesakes().into_iter().map(|namesake| {
            let name = namesake.key.name;
            if namesake.key.is_template {
                Namesake::Template(name, Template::parse(name), OnceLock::new())
            } else {
                Namesake::Single(name, OnceLock::new())
            }
        });
        leaked(Keyed {
            template: Template::parse(key.name),
            breakers: KeyedBreakers::new(*settings.config(), max_keys),
            namesakes: namesakes.collect(),
        })
    };
    let problems = || {
        let conflicts = Problem::breaker_conflicts(key).into_iter();
        conflicts.chain(Problem::shared_names(key)).collect()
    };
    KEYED.get(key.name, make, problems)
}

/// Returns the settings that apply to a breaker or template: the first that source gives.
fn effective_settings(key: BreakerKey) -> Configured {
    let configured = key.configured().into_iter().map(|(_, configured)| configured).next();
    configured.unwrap_or(Configured { settings: BreakerSettings::DEFAULT, fixed: None })
}

fn named_budget(name: &'static str) -> &'static RetryBudget {
    let make = || {
        let declared = declared(name, &sections::BUDGETS).next();
        let config = declared.map_or(BudgetConfig::DEFAULT, |(_, config)| config);
        leaked(RetryBudget::named(name, config))
    };
    BUDGETS.get(name, make, || Problem::budget_conflicts(name))
}

fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

impl<T> Registry<T> {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Returns what has this name. It is created at its first use, and then the conflicts about it
    /// are reported.
    fn get(
        &self,
        name: &'static str,
        make: impl FnOnce() -> &'static T,
        conflicts: impl FnOnce() -> Vec<Problem>,
    ) -> &'static T {
        let ours = match self.lock().entry(name) {
            Entry::Occupied(known) => return known.get(),
            Entry::Vacant(place) => *place.insert(make()),
        };
        // After the lock is released: a subscriber may look up breakers.
        conflicts().iter().for_each(Problem::report);
        ours
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, &'static T>> {
        // The map is never half changed, so what a poisoned lock guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
