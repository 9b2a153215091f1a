//! The checks of the whole program.

use std::collections::BTreeSet;

use resilient_config::spelling::{closest, is_similar};

use super::breakers::{BreakerKey, is_called_differently};
use super::declaration::Declaration;
use super::problem::Problem;
use super::rows::Rows;
use super::sections::{BREAKERS, BUDGETS, ROWS};
use super::site::{CallSite, RetrySpec};
use super::source_order::{budget_names, sites, sorted};
use crate::call::Scope;
use crate::retry::Delays;
use crate::row::{AUTO, RowRef};
use crate::{ErrorKind, RetryPolicy};

impl Problem {
    /// All that is wrong, each once, in an order that is the same in every run.
    pub(super) fn all() -> Vec<Self> {
        let breakers: BTreeSet<_> = BreakerKey::singles().chain(BreakerKey::templates()).collect();
        let of_breaker =
            |key| Self::breaker_conflicts(key).into_iter().chain(Self::shared_names(key));
        let mut problems: Vec<_> = breakers.into_iter().flat_map(of_breaker).collect();
        problems.extend(Self::different_placeholders());
        problems.extend(Self::row_conflicts());
        let budgets: BTreeSet<_> = budget_names().collect();
        problems.extend(budgets.into_iter().flat_map(Self::budget_conflicts));
        problems.extend(sites().into_iter().filter_map(Self::of_misplaced_template));
        problems.extend(Self::misspelled_breakers());
        problems.extend(Self::undeclared_budgets());
        problems.extend(sites().into_iter().filter_map(Self::of_undeclared_row));
        problems.extend(sites().into_iter().filter_map(Self::of_unclear_name));
        problems.extend(sites().into_iter().flat_map(Self::of_retries));
        problems.extend(Self::never_slow());
        problems
    }

    /// The breaker of this function, if its name reads like another one. A name that is a literal
    /// has been checked by the macro.
    fn of_unclear_name(site: &CallSite) -> Option<Self> {
        let name = site.breaker?.breaker.name();
        let is_clear = !name.is_empty() && name == name.trim() && !name.contains(char::is_control);
        (!is_clear).then(|| {
            let (breaker, function) = (name.to_owned(), site.location());
            Self::UnclearName { breaker, function }
        })
    }

    /// What this function says about retries that its rows never make.
    fn of_retries(site: &CallSite) -> Vec<Self> {
        let Some(retry) = site.retry else { return Vec::new() };
        let rows = Rows::get();
        let (name, own, policies) = match retry {
            RetrySpec::Row(row, changes) if row != RowRef::Named(AUTO) => {
                let own = rows.find_or_default(row);
                (row.name(), vec![own], vec![changes.on(own)])
            }
            _ => {
                let kinds = ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient());
                let policies: Vec<_> = kinds.map(|kind| rows.table.row(kind)).collect();
                (AUTO, policies.clone(), policies)
            }
        };
        let row = || name.to_owned();
        // With `max_attempts = 1` of its own, a method leaves what its `impl` block says unused.
        let is_never = |policy: &RetryPolicy| policy.max_attempts() == 1;
        if policies.iter().all(is_never) {
            let says = [
                ("budget", site.budget.is_some()),
                ("idempotent", !site.idempotent),
                ("scope", site.breaker.is_some_and(|spec| spec.scope == Scope::Attempt)),
            ];
            let said = says.into_iter().filter(|(_, is_said)| *is_said && own.iter().all(is_never));
            return said
                .map(|(key, _)| Self::NeverRetried { key, row: row(), function: site.location() })
                .collect();
        }
        let delay =
            policies.iter().filter(|policy| !is_never(policy)).map(Delays::shortest_delay).min();
        match (delay, site.deadline) {
            (Some(delay), Some(deadline)) if delay >= deadline => {
                let function = site.location();
                vec![Self::DelayBeyondDeadline { row: row(), function, delay, deadline }]
            }
            _ => Vec::new(),
        }
    }

    /// The breakers whose functions all end a call before it is slow.
    fn never_slow() -> Vec<Self> {
        let breakers: BTreeSet<_> = BreakerKey::singles().chain(BreakerKey::templates()).collect();
        let problem = |key: BreakerKey| {
            let (configured, settings) = key.configured().into_iter().next()?;
            let slow_call_duration = settings.settings.config().slow_call_duration()?;
            let is_ours =
                |site: &&CallSite| site.breaker.is_some_and(|spec| spec.breaker.key().is_same(key));
            let ends_before = |site: &CallSite| {
                let limits = site.attempt_timeout.into_iter().chain(site.deadline);
                limits.min().is_some_and(|limit| limit < slow_call_duration)
            };
            let functions: Vec<_> = sites().into_iter().filter(is_ours).collect();
            let is_never = !functions.is_empty() && functions.into_iter().all(ends_before);
            let breaker = key.name.to_owned();
            is_never.then_some(Self::NeverSlow { breaker, slow_call_duration, configured })
        };
        breakers.into_iter().filter_map(problem).collect()
    }

    /// The templates that are the same and whose placeholders have other names.
    fn different_placeholders() -> Vec<Self> {
        let used = sites().into_iter().filter_map(|site| {
            let breaker = site.breaker?.breaker;
            Some((breaker.key(), site.location()))
        });
        let declared = sorted(&BREAKERS).into_iter().map(|it| (it.key(), it.place.to_string()));
        let mut seen: Vec<(BreakerKey, String)> = Vec::new();
        let mut problems = Vec::new();
        for (key, place) in used.chain(declared).filter(|(key, _)| key.is_template) {
            if seen.iter().any(|(known, _)| *known == key) {
                continue;
            }
            let differs = |(known, _): &&(BreakerKey, String)| {
                known.is_same(key) && is_called_differently(known.name, key.name)
            };
            if let Some((one, one_in)) = seen.iter().find(differs) {
                problems.push(Self::DifferentPlaceholders {
                    one: one.name.to_owned(),
                    one_in: one_in.clone(),
                    other: key.name.to_owned(),
                    other_in: place.clone(),
                });
            }
            seen.push((key, place));
        }
        problems
    }

    /// The breaker of this function, if a constant holds a template.
    pub(crate) fn of_misplaced_template(site: &CallSite) -> Option<Self> {
        let template = site.breaker?.breaker.misplaced_template()?;
        let (breaker, function) = (template.to_owned(), site.location());
        Some(Self::TemplateInConstant { breaker, function })
    }

    /// The row of this function, if it is not declared.
    pub(crate) fn of_undeclared_row(site: &CallSite) -> Option<Self> {
        let RetrySpec::Row(named, _) = site.retry? else { return None };
        let RowRef::Named(row) = named else { return None };
        if row == AUTO || Rows::get().find(named).is_some() {
            return None;
        }
        let declared = sorted(&ROWS).into_iter().map(Declaration::name);
        let kinds = ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient());
        let similar = closest(row, declared.chain(kinds.map(ErrorKind::as_str)));
        Some(Self::UndeclaredRow { row: row.to_owned(), function: site.location(), similar })
    }

    /// The names of breakers that may be misspelled.
    fn misspelled_breakers() -> Vec<Self> {
        let declared: Vec<_> = sorted(&BREAKERS).into_iter().map(Declaration::name).collect();
        let uses = uses();
        let open = uses.iter().enumerate().filter(|(_, used)| !used.is_configured);
        if !declared.is_empty() {
            return open
                .map(|(_, used)| Self::UndeclaredBreaker {
                    breaker: used.key.name.to_owned(),
                    function: used.function.clone(),
                    similar: closest(used.key.name, declared.iter().copied()),
                })
                .collect();
        }
        open.flat_map(|(number, used)| {
            let others = uses.iter().enumerate().filter(move |(other_number, other)| {
                // Of two that are open, the later one finds the earlier.
                (other.is_configured || *other_number < number)
                    && is_similar(used.key.name, other.key.name)
            });
            others.map(|(_, other)| Self::SimilarBreakers {
                one: other.key.name.to_owned(),
                one_in: other.function.clone(),
                other: used.key.name.to_owned(),
                other_in: used.function.clone(),
            })
        })
        .collect()
    }

    /// The budgets that are named and not declared, while others are.
    fn undeclared_budgets() -> Vec<Self> {
        let declared: Vec<_> = sorted(&BUDGETS).into_iter().map(Declaration::name).collect();
        if declared.is_empty() {
            return Vec::new();
        }
        let problem = |site: &CallSite| {
            let budget = site.budget.filter(|budget| !declared.contains(budget))?;
            let similar = closest(budget, declared.iter().copied());
            let function = site.location();
            Some(Self::UndeclaredBudget { budget: budget.to_owned(), function, similar })
        };
        sites().into_iter().filter_map(problem).collect()
    }
}

/// A breaker, or template, and the first function that names it.
struct Use {
    key: BreakerKey,
    function: String,
    /// Whether it is declared, or a function gives its settings.
    is_configured: bool,
}

/// The breakers that functions name, in the order of the source; but for static ones, which the
/// compiler has checked.
fn uses() -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for site in sites() {
        let Some(spec) = site.breaker else { continue };
        let key = spec.breaker.key();
        // A template in a constant is a problem of its own.
        let is_settled =
            spec.breaker.fixed().is_some() || Problem::of_misplaced_template(site).is_some();
        if is_settled || uses.iter().any(|used| used.key.is_same(key)) {
            continue;
        }
        let is_configured = !key.configured().is_empty();
        uses.push(Use { key, function: site.location(), is_configured });
    }
    uses
}
