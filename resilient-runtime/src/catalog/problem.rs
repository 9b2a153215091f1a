//! What is wrong with what the source of a program says in several places.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use resilient_config::spelling::{closest, is_similar};

use super::breakers::is_called_differently;
use super::{
    BREAKERS, BUDGETS, BreakerKey, CallSite, Configured, Declaration, Namesake, ROWS, RetrySpec,
    Rows, budget_names, declared, sites, sorted,
};
use crate::policy::Scope;
use crate::retry::Delays;
use crate::row::{AUTO, Row};
use crate::{ErrorKind, RetryPolicy};

/// Something that no single function shows, and the compiler cannot see. Each text says where it
/// is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A breaker has two configurations, or is two static ones. That of a static breaker holds
    /// before that of a declaration, which holds before that of a function, and of two of the same
    /// rank the first in the order of the source.
    #[error(
        "circuit breaker `{breaker}` is configured in two ways: as in {kept}, which holds, and as \
         in {dropped}; give its settings in one place"
    )]
    BreakerConflict {
        /// Its name.
        breaker: String,
        /// Where the configuration is that holds.
        kept: String,
        /// Where the other one is.
        dropped: String,
    },
    /// Two breakers can have the same name: a template makes a name that stands in source, or that
    /// another template makes too. All calls of this name share one breaker, which is `one`'s and
    /// has its settings.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} can both have the name \
         `{name}`, and then are one breaker, that of `{one}`: change one of them; a `/` behind a \
         placeholder is part of no value"
    )]
    SharedName {
        /// Such a name, with `…` for any text.
        name: String,
        /// The name or template whose breaker has it.
        one: String,
        /// Where source first names it.
        one_in: String,
        /// The template that can make it too.
        other: String,
        /// Where source first names it.
        other_in: String,
    },
    /// Two templates differ only in what their placeholders are called. They share their breakers:
    /// values that are equal have one breaker, also if they mean different things.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} differ only in what \
         their placeholders are called, and are the same breakers: use the same names if they \
         mean the same, and another text around them if they do not"
    )]
    DifferentPlaceholders {
        /// The template that comes first in source.
        one: String,
        /// Where it is.
        one_in: String,
        /// The other template.
        other: String,
        /// Where it is.
        other_in: String,
    },
    /// A constant names a breaker by what looks like a template. Only a literal can be one: all
    /// calls share one breaker of this very name.
    #[error(
        "circuit breaker `{breaker}` is named by a constant in {function}, and placeholders in a \
         constant are no placeholders: write the name as a literal"
    )]
    TemplateInConstant {
        /// The name.
        breaker: String,
        /// Where the function is.
        function: String,
    },
    /// A retry row has two declarations. The first in the order of the source is the one that
    /// holds.
    #[error(
        "retry row `{row}` is declared in two ways: as in {kept}, which holds, and as in \
         {dropped}; declare it in one place"
    )]
    RowConflict {
        /// Its name.
        row: String,
        /// Where the declaration is that holds.
        kept: String,
        /// Where the other one is.
        dropped: String,
    },
    /// A retry budget has two declarations. The first in the order of the source is the one that
    /// holds.
    #[error(
        "retry budget `{budget}` is declared in two ways: as in {kept}, which holds, and as in \
         {dropped}; declare it in one place"
    )]
    BudgetConflict {
        /// Its name.
        budget: String,
        /// Where the declaration is that holds.
        kept: String,
        /// Where the other one is.
        dropped: String,
    },
    /// A function names a breaker that `policies!` does not declare, while it declares others.
    #[error("circuit breaker `{breaker}` is named in {function} and never declared{}", advice(*similar))]
    UndeclaredBreaker {
        /// Its name.
        breaker: String,
        /// Where the function is.
        function: String,
        /// The declared one that may be meant.
        similar: Option<&'static str>,
    },
    /// Two names of breakers are so close that one may be a misspelling, and `policies!` declares
    /// neither.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} differ by a letter or \
         two: give both functions the same name, or declare both by `policies!`"
    )]
    SimilarBreakers {
        /// The name that comes first in source.
        one: String,
        /// Where its function is.
        one_in: String,
        /// The other name.
        other: String,
        /// Where its function is.
        other_in: String,
    },
    /// A function names a retry budget that `policies!` does not declare, while it declares others.
    #[error("retry budget `{budget}` is named in {function} and never declared{}", advice(*similar))]
    UndeclaredBudget {
        /// Its name.
        budget: String,
        /// Where the function is.
        function: String,
        /// The declared one that may be meant.
        similar: Option<&'static str>,
    },
    /// A function is retried by a row that nothing declares. The default row is used.
    #[error("retry row `{row}` is named in {function} and never declared{}", advice(*similar))]
    UndeclaredRow {
        /// Its name.
        row: String,
        /// Where the function is.
        function: String,
        /// The row that may be meant.
        similar: Option<&'static str>,
    },
    /// The name of a breaker, in a constant or of a `static` one, reads like another name: it is
    /// empty, has a space at an end, or has a control character.
    #[error(
        "circuit breaker {breaker:?} is named in {function}, and its name has what does not show: \
         write it without a space at an end and without control characters"
    )]
    UnclearName {
        /// The name.
        breaker: String,
        /// Where the function is.
        function: String,
    },
    /// A function says how to retry, and its row allows one attempt only. It is never retried.
    #[error(
        "`{key}` in {function} is about retries, and its row `{row}` allows one attempt: raise \
         `max_attempts` of the row, or leave `{key}` out"
    )]
    NeverRetried {
        /// What it says: `budget`, `idempotent` or `scope`.
        key: &'static str,
        /// Its row.
        row: String,
        /// Where the function is.
        function: String,
    },
    /// A function is retried by a row whose first delay is longer than the function's deadline. It
    /// is never retried.
    #[error(
        "{function} is retried by row `{row}`, whose first delay of at least {delay:?} is not \
         shorter than the `deadline` of {deadline:?}: raise `deadline`, or give a shorter \
         `base_delay`"
    )]
    DelayBeyondDeadline {
        /// The row; `auto` if each row is as long.
        row: String,
        /// Where the function is.
        function: String,
        /// The shortest delay before a first retry, jitter included.
        delay: Duration,
        /// The function's deadline.
        deadline: Duration,
    },
    /// No call through a breaker can be slow, since each of its functions ends its calls before.
    #[error(
        "circuit breaker `{breaker}` has a `slow_call_duration` of {slow_call_duration:?} in {configured}, and the \
         timeouts of all its functions end a call before: lower `slow_call_duration`"
    )]
    NeverSlow {
        /// The breaker's name.
        breaker: String,
        /// How long a slow call takes.
        slow_call_duration: Duration,
        /// Where the setting is.
        configured: String,
    },
}

fn advice(similar: Option<&'static str>) -> String {
    similar.map_or_else(
        || ": declare it by `policies!`".to_owned(),
        |similar| format!("; is `{similar}` meant? If not, declare it by `policies!`"),
    )
}

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
        problems.extend(sites().into_iter().filter_map(Self::of_breaker));
        problems.extend(Self::unclear_breakers());
        problems.extend(Self::undeclared_budgets());
        problems.extend(sites().into_iter().filter_map(Self::of_row));
        problems.extend(sites().into_iter().filter_map(Self::of_name));
        problems.extend(sites().into_iter().flat_map(Self::of_retries));
        problems.extend(Self::never_slow());
        problems
    }

    /// The breaker of this function, if its name reads like another one. A name that is a literal
    /// has been checked by the macro.
    fn of_name(site: &CallSite) -> Option<Self> {
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
            RetrySpec::Row(row, changes) if row != Row::Named(AUTO) => {
                let own = rows.find_or_default(row);
                (row.name(), vec![own], vec![changes.on(own)])
            }
            _ => {
                let kinds = ErrorKind::ALL.into_iter().filter(|kind| kind.is_transient());
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

    /// The configurations of this breaker, or template, that do not hold.
    pub(crate) fn breaker_conflicts(key: BreakerKey) -> Vec<Self> {
        conflicts(&key.configured(), Configured::agrees, |kept, dropped| Self::BreakerConflict {
            breaker: key.name.to_owned(),
            kept,
            dropped,
        })
    }

    /// What has a name that this template can make, and has it first.
    pub(crate) fn shared_names(key: BreakerKey) -> Vec<Self> {
        let problem = |namesake: Namesake| Self::SharedName {
            name: namesake.name,
            one: namesake.key.name.to_owned(),
            one_in: namesake.key.place(),
            other: key.name.to_owned(),
            other_in: key.place(),
        };
        key.namesakes().into_iter().map(problem).collect()
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

    /// The declarations of rows that do not hold.
    pub(super) fn row_conflicts() -> Vec<Self> {
        let names: BTreeSet<_> = ROWS.iter().map(Declaration::name).collect();
        let of_name = |name: &'static str| {
            let rows: Vec<_> = declared(name, &ROWS).collect();
            conflicts(&rows, PartialEq::eq, |kept, dropped| Self::RowConflict {
                row: name.to_owned(),
                kept,
                dropped,
            })
        };
        names.into_iter().flat_map(of_name).collect()
    }

    /// The declarations of this budget that do not hold.
    pub(crate) fn budget_conflicts(name: &str) -> Vec<Self> {
        let budgets: Vec<_> = declared(name, &BUDGETS).collect();
        conflicts(&budgets, PartialEq::eq, |kept, dropped| Self::BudgetConflict {
            budget: name.to_owned(),
            kept,
            dropped,
        })
    }

    /// The breaker of this function, where a constant holds a template.
    pub(crate) fn of_breaker(site: &CallSite) -> Option<Self> {
        let template = site.breaker?.breaker.misplaced_template()?;
        let (breaker, function) = (template.to_owned(), site.location());
        Some(Self::TemplateInConstant { breaker, function })
    }

    /// The row of this function, where it is not declared.
    pub(crate) fn of_row(site: &CallSite) -> Option<Self> {
        let RetrySpec::Row(named, _) = site.retry? else { return None };
        let Row::Named(row) = named else { return None };
        if row == AUTO || Rows::get().find(named).is_some() {
            return None;
        }
        let declared = sorted(&ROWS).into_iter().map(Declaration::name);
        let kinds = ErrorKind::ALL.into_iter().filter(|kind| kind.is_transient());
        let similar = closest(row, declared.chain(kinds.map(ErrorKind::as_str)));
        Some(Self::UndeclaredRow { row: row.to_owned(), function: site.location(), similar })
    }

    /// The names of breakers that may be misspelt.
    fn unclear_breakers() -> Vec<Self> {
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

/// Every one but the first that does not agree with it.
fn conflicts<T>(
    given: &[(String, T)],
    agree: impl Fn(&T, &T) -> bool,
    problem: impl Fn(String, String) -> Problem,
) -> Vec<Problem> {
    let Some(((kept, first), others)) = given.split_first() else { return Vec::new() };
    let differing = others.iter().filter(|(_, other)| !agree(other, first));
    differing.map(|(dropped, _)| problem(kept.clone(), dropped.clone())).collect()
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
        let is_settled = spec.breaker.fixed().is_some() || Problem::of_breaker(site).is_some();
        if is_settled || uses.iter().any(|used| used.key.is_same(key)) {
            continue;
        }
        let is_configured = !key.configured().is_empty();
        uses.push(Use { key, function: site.location(), is_configured });
    }
    uses
}

/// All that [`Catalog::validate`](crate::Catalog::validate) has found.
#[derive(Clone, PartialEq, Eq)]
pub struct CatalogError(Vec<Problem>);

impl CatalogError {
    /// None where there is nothing to say.
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// Each problem; there is at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

/// One problem a line.
impl fmt::Display for CatalogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let problems = if count == 1 { "problem" } else { "problems" };
        write!(formatter, "{count} {problems} with the policies of this program")?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n- {problem}"))
    }
}

/// As it is displayed: `expect` prints this.
impl fmt::Debug for CatalogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for CatalogError {}
