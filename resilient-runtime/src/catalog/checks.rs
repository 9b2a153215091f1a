//! The checks of the whole program.

use resilient_config::retry::AUTO;
use resilient_config::spelling::{closest, is_similar};

use super::breaker_entry::{BreakerEntry, has_other_placeholders};
use super::declaration::{Declaration, sorted};
use super::problem::Problem;
use super::program::Program;
use super::rows::Rows;
use super::sections::{BREAKERS, BUDGETS, ROWS};
use super::site::{BreakerSpec, CallSite, RetrySpec};
use crate::call::Scope;
use crate::retry::{RowRef, shortest_delay};
use crate::{ErrorKind, RetryPolicy};

impl Problem {
    /// Returns all problems, each once, in an order that is the same in every run.
    pub(super) fn all() -> Vec<Self> {
        let program = Program::get();
        let sites = || program.sites.iter().copied();
        let mut problems = Vec::new();
        for breaker in program.breakers() {
            problems.extend(Self::breaker_conflicts(breaker));
            problems.extend(Self::shared_names(breaker));
        }
        problems.extend(program.breakers().flat_map(Self::different_placeholders));
        problems.extend(Self::row_conflicts());
        problems.extend(program.budgets().flat_map(Self::budget_conflicts));
        problems.extend(sites().filter_map(Self::of_misplaced_template));
        problems.extend(Self::misspelled_breakers());
        problems.extend(Self::undeclared_budgets());
        problems.extend(sites().filter_map(Self::of_undeclared_row));
        problems.extend(sites().filter_map(Self::of_unclear_name));
        problems.extend(sites().flat_map(Self::of_retries));
        problems.extend(program.breakers().filter_map(Self::of_never_slow));
        problems
    }

    /// Checks the name of the function's breaker for characters that do not show. The macros check
    /// only a literal.
    fn of_unclear_name(site: &CallSite) -> Option<Self> {
        let name = site.breaker?.source.name();
        let is_clear = !name.is_empty() && name == name.trim() && !name.contains(char::is_control);
        (!is_clear)
            .then(|| Self::UnclearName { breaker: name.to_owned(), function: site.location() })
    }

    /// Checks what the function says about retries against its rows.
    fn of_retries(site: &CallSite) -> Vec<Self> {
        let Some(retry) = site.retry else { return Vec::new() };
        let rows = Rows::source();
        let (name, own, policies) = match retry {
            RetrySpec::Row(row, changes) => {
                let own = rows.find_or_default(row);
                (row.name(), vec![own], vec![changes.apply(own)])
            }
            RetrySpec::ByKind => {
                let policies: Vec<_> = transient_kinds().map(|kind| rows.table.row(kind)).collect();
                (AUTO, policies.clone(), policies)
            }
        };
        let row = || name.to_owned();
        let is_never = |policy: &RetryPolicy| policy.max_attempts() == 1;
        if policies.iter().all(is_never) {
            // A method with `max_attempts = 1` of its own may ignore the keys of its `impl` block.
            if !own.iter().all(is_never) {
                return Vec::new();
            }
            let keys = [
                ("budget", site.budget.is_some()),
                ("idempotent", !site.idempotent),
                ("scope", site.breaker.is_some_and(|spec| spec.scope == Scope::Attempt)),
            ];
            let unused = keys.into_iter().filter(|(_, is_set)| *is_set);
            return unused
                .map(|(key, _)| Self::NeverRetried { key, row: row(), function: site.location() })
                .collect();
        }
        let retried = policies.iter().filter(|policy| !is_never(policy));
        match (retried.map(shortest_delay).min(), site.deadline) {
            (Some(delay), Some(deadline)) if delay >= deadline => {
                let function = site.location();
                vec![Self::DelayBeyondDeadline { row: row(), function, delay, deadline }]
            }
            _ => Vec::new(),
        }
    }

    /// Checks whether all functions of the breaker end a call before it is slow.
    fn of_never_slow(breaker: &BreakerEntry) -> Option<Self> {
        let (configured, first) = breaker.configured().into_iter().next()?;
        let slow_call_duration = first.settings.config().slow_call_duration()?;
        let ends_before = |(site, _): &(&CallSite, _)| {
            let limits = site.attempt_timeout.into_iter().chain(site.deadline);
            limits.min().is_some_and(|limit| limit < slow_call_duration)
        };
        let is_never = !breaker.sites.is_empty() && breaker.sites.iter().all(ends_before);
        let breaker = breaker.name.to_owned();
        is_never.then_some(Self::NeverSlow { breaker, slow_call_duration, configured })
    }

    /// Compares the names of the placeholders in the places that name one template.
    fn different_placeholders(breaker: &BreakerEntry) -> Vec<Self> {
        let mut seen: Vec<(&str, String)> = Vec::new();
        let mut problems = Vec::new();
        for (name, place) in breaker.places() {
            if seen.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let differs = |(known, _): &&(&str, String)| has_other_placeholders(known, name);
            if let Some((one, one_in)) = seen.iter().find(differs) {
                problems.push(Self::DifferentPlaceholders {
                    one: (*one).to_owned(),
                    one_in: one_in.clone(),
                    other: name.to_owned(),
                    other_in: place.clone(),
                });
            }
            seen.push((name, place));
        }
        problems
    }

    /// Checks whether a constant that names the function's breaker holds a template.
    pub(super) fn of_misplaced_template(site: &CallSite) -> Option<Self> {
        let template = site.breaker?.source.misplaced_template()?;
        let (breaker, function) = (template.to_owned(), site.location());
        Some(Self::TemplateInConstant { breaker, function })
    }

    /// Checks whether the function's row is declared.
    pub(super) fn of_undeclared_row(site: &CallSite) -> Option<Self> {
        let RetrySpec::Row(named @ RowRef::Named(row), _) = site.retry? else { return None };
        if Rows::source().find(named).is_some() {
            return None;
        }
        let declared = sorted(&ROWS).into_iter().map(Declaration::name);
        let similar = closest(row, declared.chain(transient_kinds().map(ErrorKind::as_str)));
        Some(Self::UndeclaredRow { row: row.to_owned(), function: site.location(), similar })
    }

    /// Returns the names of breakers that may be misspelled.
    fn misspelled_breakers() -> Vec<Self> {
        let declared: Vec<_> = sorted(&BREAKERS).into_iter().map(Declaration::name).collect();
        let uses = uses();
        let open = uses.iter().enumerate().filter(|(_, used)| !used.is_configured);
        if !declared.is_empty() {
            return open
                .map(|(_, used)| Self::UndeclaredBreaker {
                    breaker: used.name.to_owned(),
                    function: used.site.location(),
                    similar: closest(used.name, declared.iter().copied()),
                })
                .collect();
        }
        open.flat_map(|(number, used)| {
            let others = uses.iter().enumerate().filter(move |(other_number, other)| {
                // Of two that are not configured, only the later is reported.
                (other.is_configured || *other_number < number) && is_similar(used.name, other.name)
            });
            others.map(|(_, other)| Self::SimilarBreakers {
                one: other.name.to_owned(),
                one_in: other.site.location(),
                other: used.name.to_owned(),
                other_in: used.site.location(),
            })
        })
        .collect()
    }

    /// Returns the budgets that functions name and nothing declares, if any budget is declared.
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
        Program::get().sites.iter().copied().filter_map(problem).collect()
    }
}

fn transient_kinds() -> impl Iterator<Item = ErrorKind> {
    ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient())
}

/// A breaker or template, and the first function that names it.
struct Use {
    name: &'static str,
    site: &'static CallSite,
    /// Whether it is declared, or a function gives its settings.
    is_configured: bool,
}

/// Returns the breakers that functions name, in the order of the source. Static breakers are not
/// among them, since the compiler checks their names, nor templates in constants, which are a
/// problem of their own.
fn uses() -> Vec<Use> {
    let first_use = |breaker: &'static BreakerEntry| {
        let is_checked = |(_, spec): &&(_, BreakerSpec)| {
            spec.source.static_breaker().is_none() && spec.source.misplaced_template().is_none()
        };
        let (site, spec) = breaker.sites.iter().find(is_checked)?;
        let is_configured = !breaker.configured().is_empty();
        Some(Use { name: spec.source.name(), site, is_configured })
    };
    let mut uses: Vec<_> = Program::get().breakers().filter_map(first_use).collect();
    uses.sort_by_key(|used| (used.site.place, used.site.function()));
    uses
}
