//! The breakers that annotated functions share by name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalogue::{self, BreakerRef, BreakerSettings, CallSite, Problem, RetrySpec, Rows};
use crate::policy::{Retry, SharedBreaker};
use crate::reference::Reference;
use crate::{CircuitBreaker, KeyedBreakers, Policy, RetryPolicy, RetryTable, event};

/// Breakers, or sets of them, by name. They live as long as the program: the names stand in its
/// source, so there are only so many.
struct Registry<T: 'static>(Mutex<BTreeMap<&'static str, &'static T>>);

/// By the name of one breaker.
static SINGLE: Registry<CircuitBreaker> = Registry::new();

/// By the template of many.
static KEYED: Registry<KeyedBreakers> = Registry::new();

/// The breaker of this name, to watch it or to move it by hand, or to guard other code by it.
///
/// It is one that `#[resilient(breaker = "…")]` names or [`policies!`](crate::policies) declares,
/// and is there before any function has run; or one of those that a template such as
/// `"search/{collection}"` has made so far. `None` where there is neither.
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
    if let Some(known) = catalogue::breaker_names().find(|known| *known == name) {
        return Some(single(known).into());
    }
    catalogue::templates().find_map(|template| keyed(template).find(name)).map(Into::into)
}

/// Every breaker of the program, by name: those that functions name and that
/// [`policies!`](crate::policies) declares, and those that templates have made so far.
#[must_use]
pub fn breakers() -> Vec<SharedBreaker> {
    let named: BTreeMap<_, _> =
        catalogue::breaker_names().map(|name| (name, single(name))).collect();
    let templates: BTreeMap<_, _> =
        catalogue::templates().map(|name| (name, keyed(name))).collect();
    let made = templates.values().flat_map(|keyed| keyed.all());
    let mut breakers: Vec<SharedBreaker> =
        named.into_values().map(Into::into).chain(made.map(Into::into)).collect();
    breakers.sort_by(|one, other| one.name().cmp(other.name()));
    breakers
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
            policy = policy.with_retry(self.rows(retry));
        }
        if let Some(spec) = self.breaker {
            policy = policy.scope(spec.scope);
            policy = match spec.breaker {
                BreakerRef::Name(name) => policy.breaker(single(name)),
                BreakerRef::Path(refer) => policy.breaker(match refer() {
                    Reference::Name(name) => single(name),
                    Reference::Breaker(breaker) => breaker,
                }),
                // Each call brings its own.
                BreakerRef::Keyed(_) => policy,
            };
        }
        // Made before it is kept: what is looked up may make an event, and its subscriber may get
        // here again.
        let policy = policy.build();
        self.policy.get_or_init(|| policy)
    }

    fn rows(&self, retry: RetrySpec) -> Retry {
        match retry {
            RetrySpec::ByKind => Retry::ByKind(Box::new(RetryTable::declared())),
            RetrySpec::Row(row, changes) => {
                if let Some(problem) = Problem::of_row(self) {
                    event::problem(&problem);
                }
                Retry::Row(changes.fit(Rows::get().find(row).unwrap_or(RetryPolicy::DEFAULT)))
            }
        }
    }
}

/// The one breaker of this name.
fn single(name: &'static str) -> &'static CircuitBreaker {
    SINGLE.get(name, |settings| {
        catalogue::static_breaker(name)
            .unwrap_or_else(|| Box::leak(Box::new(CircuitBreaker::named(name, settings.config))))
    })
}

/// The breakers of this template.
pub(crate) fn keyed(template: &'static str) -> &'static KeyedBreakers {
    KEYED.get(template, |BreakerSettings { config, max_keys }| {
        Box::leak(Box::new(KeyedBreakers::new(config, max_keys)))
    })
}

impl<T> Registry<T> {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// What has this name, made at its first use as source says: the first settings in the order
    /// of [`settings_of`](catalogue::settings_of) hold, and every other one is reported, by who
    /// comes first.
    fn get(
        &self,
        name: &'static str,
        make: impl FnOnce(BreakerSettings) -> &'static T,
    ) -> &'static T {
        let known = self.lock().get(name).copied();
        if let Some(known) = known {
            return known;
        }
        let settings = catalogue::settings_of(name);
        let holds = settings.first().map_or(BreakerSettings::DEFAULT, |(_, settings)| *settings);
        let ours = match self.lock().entry(name) {
            Entry::Occupied(theirs) => return theirs.get(),
            Entry::Vacant(place) => *place.insert(make(holds)),
        };
        // The lock is open again: a subscriber may ask for breakers.
        Problem::breaker_conflicts(name).iter().for_each(event::problem);
        ours
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, &'static T>> {
        // The map is never half changed: what a panic of another thread leaves is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
