//! What the program has that settings can change.

use std::collections::BTreeMap;

use crate::call::{Numbers, RowChoice};
use crate::catalog::{CallSite, Keyed, Program, RegisteredPolicy, RetrySpec, Rows};
use crate::{SharedBreaker, SharedBudget};

/// All of it.
pub(super) struct Known {
    pub(super) breakers: Vec<KnownBreaker>,
    pub(super) budgets: Vec<KnownBudget>,
    /// By their paths. Several calls can be in one function.
    pub(super) functions: BTreeMap<String, Vec<Function>>,
}

pub(super) struct KnownBreaker {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) breaker: Breaker,
}

pub(super) enum Breaker {
    Single(SharedBreaker),
    Keyed(&'static Keyed),
}

pub(super) struct KnownBudget {
    pub(super) budget: SharedBudget,
    pub(super) place: String,
}

/// An annotated function, a guarded call, or a registered policy.
pub(super) enum Function {
    Site(&'static CallSite),
    Registered(RegisteredPolicy),
}

impl Known {
    /// Gathers all of it, and emits the events of its problems if nothing has done so before.
    pub(super) fn gather() -> Self {
        let program = Program::get();
        Rows::source();
        let mut known =
            Self { breakers: Vec::new(), budgets: Vec::new(), functions: BTreeMap::new() };
        for entry in program.breakers() {
            let breaker = if entry.template.is_some() {
                Breaker::Keyed(entry.keyed())
            } else {
                Breaker::Single(entry.single().into())
            };
            // The place whose settings apply, if one gives some.
            let configured = entry.configured().into_iter().next().map(|(place, _)| place);
            let (name, place) =
                (entry.name.to_owned(), configured.unwrap_or_else(|| entry.place()));
            known.breakers.push(KnownBreaker { name, place, breaker });
        }
        for entry in program.budgets() {
            let place = entry.declarations.first().map(|first| first.place().to_string());
            let budget = entry.get().into();
            known.budgets.push(KnownBudget { budget, place: place.unwrap_or_default() });
        }
        for &site in &program.sites {
            let function = known.functions.entry(site.function().to_owned()).or_default();
            site.of_program();
            function.push(Function::Site(site));
        }
        for policy in RegisteredPolicy::all() {
            known.add(policy);
        }
        known
    }

    fn add(&mut self, policy: RegisteredPolicy) {
        let place = format!("{}:{}", policy.file(), policy.line());
        if let Some(shared) = policy.shared_breaker() {
            let is_known = self.breakers.iter().any(|known| known.name == **shared.name());
            if !is_known {
                let (name, breaker) = (shared.name().to_string(), Breaker::Single(shared.clone()));
                self.breakers.push(KnownBreaker { name, place: place.clone(), breaker });
            }
        }
        if let Some(shared) = policy.rules().shared_budget() {
            let is_known = self.budgets.iter().any(|known| known.budget.name() == shared.name());
            if !is_known {
                self.budgets.push(KnownBudget { budget: shared.clone(), place });
            }
        }
        let function = self.functions.entry(policy.name().to_owned()).or_default();
        function.push(Function::Registered(policy));
    }
}

impl Function {
    /// Returns the numbers under these rows, before the function's own settings.
    pub(super) fn numbers(&self, rows: &Rows) -> Numbers {
        match self {
            Self::Site(site) => site.numbers(rows),
            Self::Registered(policy) => policy.rules().numbers().source().clone(),
        }
    }

    /// Whether settings can change how often it is attempted.
    pub(super) fn is_repeatable(&self) -> bool {
        match self {
            Self::Site(site) => match site.retry {
                Some(RetrySpec::Row(_, changes)) => !changes.allows_one(),
                Some(RetrySpec::ByKind) | None => false,
            },
            Self::Registered(policy) => {
                matches!(policy.rules().numbers().source().retry, Some(RowChoice::Row(_)))
            }
        }
    }

    /// Whether source gives the function itself this number of its row.
    pub(super) fn gives(&self, key: &str) -> bool {
        match self {
            Self::Site(site) => match site.retry {
                Some(RetrySpec::Row(_, changes)) => changes.replaces(key),
                Some(RetrySpec::ByKind) | None => false,
            },
            Self::Registered(_) => self.is_repeatable(),
        }
    }

    pub(super) fn place(&self) -> String {
        match self {
            Self::Site(site) => site.place.to_string(),
            Self::Registered(policy) => format!("{}:{}", policy.file(), policy.line()),
        }
    }
}
