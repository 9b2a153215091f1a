//! What is wrong with what the source of a program says in several places.

use std::collections::BTreeSet;
use std::fmt;

use super::{
    BREAKERS, BUDGETS, CallSite, Declaration, ROWS, RetrySpec, Rows, breaker_names, budget_names,
    declared, settings_of, sites, sorted, static_breaker, templates,
};
use crate::row::Row;
use crate::{ConfigError, ErrorKind};

/// Something that no single function shows, and the compiler cannot see. Each text says where it
/// is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A breaker has two configurations. The first, in the order of the source but declarations
    /// before functions, is the one that holds.
    #[error(
        "circuit breaker `{breaker}` is configured in two ways: as in {kept}, which holds, and as \
         in {dropped}; give its numbers in one place"
    )]
    BreakerConflict {
        /// Its name.
        breaker: String,
        /// Where the configuration is that holds.
        kept: String,
        /// Where the other one is.
        dropped: String,
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
    /// The numbers of a function's attribute do not go together with those of the row that it
    /// starts from. Those of the attribute hold.
    #[error("the numbers in {function} do not fit the retry row it starts from: {error}")]
    Unfit {
        /// Where the function is.
        function: String,
        /// Why they do not.
        error: ConfigError,
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
        let names: BTreeSet<_> = breaker_names().chain(templates()).collect();
        let mut problems: Vec<_> = names.into_iter().flat_map(Self::breaker_conflicts).collect();
        problems.extend(Self::row_conflicts());
        let budgets: BTreeSet<_> = budget_names().collect();
        problems.extend(budgets.into_iter().flat_map(Self::budget_conflicts));
        problems.extend(Self::unclear_breakers());
        problems.extend(Self::undeclared_budgets());
        problems.extend(sites().into_iter().filter_map(Self::of_row));
        problems
    }

    /// The configurations of this breaker, or template, that do not hold.
    pub(crate) fn breaker_conflicts(name: &str) -> Vec<Self> {
        conflicts(&settings_of(name), |kept, dropped| Self::BreakerConflict {
            breaker: name.to_owned(),
            kept,
            dropped,
        })
    }

    /// The declarations of rows that do not hold.
    pub(super) fn row_conflicts() -> Vec<Self> {
        let names: BTreeSet<_> = ROWS.iter().map(Declaration::name).collect();
        let of_name = |name: &'static str| {
            let rows: Vec<_> = declared(name, &ROWS).collect();
            conflicts(&rows, |kept, dropped| Self::RowConflict {
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
        conflicts(&budgets, |kept, dropped| Self::BudgetConflict {
            budget: name.to_owned(),
            kept,
            dropped,
        })
    }

    /// The row of this function, where it is not declared or does not fit.
    pub(crate) fn of_row(site: &CallSite) -> Option<Self> {
        let RetrySpec::Row(named, changes) = site.retry? else { return None };
        let function = site.location();
        let Some(row) = Rows::get().find(named) else {
            let Row::Named(row) = named else { return None };
            let declared = sorted(&ROWS).into_iter().map(Declaration::name);
            let kinds = ErrorKind::ALL.into_iter().filter(|kind| kind.is_transient());
            let similar = similar(row, declared.chain(kinds.map(ErrorKind::as_str)));
            return Some(Self::UndeclaredRow { row: row.to_owned(), function, similar });
        };
        changes.check(row).err().map(|error| Self::Unfit { function, error })
    }

    /// The names of breakers that may be misspelt.
    fn unclear_breakers() -> Vec<Self> {
        let declared: Vec<_> = sorted(&BREAKERS).into_iter().map(Declaration::name).collect();
        let uses = uses();
        let open = uses.iter().enumerate().filter(|(_, used)| !used.is_configured);
        if !declared.is_empty() {
            return open
                .map(|(_, used)| Self::UndeclaredBreaker {
                    breaker: used.breaker.to_owned(),
                    function: used.function.clone(),
                    similar: similar(used.breaker, declared.iter().copied()),
                })
                .collect();
        }
        open.flat_map(|(number, used)| {
            let others = uses.iter().enumerate().filter(move |(other_number, other)| {
                // Of two that are open, the later one finds the earlier.
                (other.is_configured || *other_number < number)
                    && is_similar(used.breaker, other.breaker)
            });
            others.map(|(_, other)| Self::SimilarBreakers {
                one: other.breaker.to_owned(),
                one_in: other.function.clone(),
                other: used.breaker.to_owned(),
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
            let similar = similar(budget, declared.iter().copied());
            let function = site.location();
            Some(Self::UndeclaredBudget { budget: budget.to_owned(), function, similar })
        };
        sites().into_iter().filter_map(problem).collect()
    }
}

/// Every one but the first that differs from it.
fn conflicts<T: PartialEq>(
    given: &[(String, T)],
    problem: impl Fn(String, String) -> Problem,
) -> Vec<Problem> {
    let Some(((kept, first), others)) = given.split_first() else { return Vec::new() };
    let differing = others.iter().filter(|(_, other)| other != first);
    differing.map(|(dropped, _)| problem(kept.clone(), dropped.clone())).collect()
}

/// A breaker, or template, and the first function that names it.
struct Use {
    breaker: &'static str,
    function: String,
    /// Whether it is declared, or a function gives its numbers.
    is_configured: bool,
}

/// The breakers that functions name, in the order of the source; but for static ones, which the
/// compiler has checked.
fn uses() -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for site in sites() {
        let Some(spec) = site.breaker else { continue };
        let breaker = spec.breaker.name();
        if spec.breaker.is_static() || uses.iter().any(|used| used.breaker == breaker) {
            continue;
        }
        let is_configured = !settings_of(breaker).is_empty() || static_breaker(breaker).is_some();
        uses.push(Use { breaker, function: site.location(), is_configured });
    }
    uses
}

/// The one of `known` that comes closest to `name`, if it may be meant at all: a third of its
/// letters may be wrong.
fn similar(name: &str, known: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| 3 * distance <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Whether one may be a misspelling of the other. Names that differ in their numbers only are
/// those of a series.
fn is_similar(one: &str, other: &str) -> bool {
    /// One letter may be wrong in so many.
    const LETTERS: usize = 4;
    let without_digits = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    let shorter = one.len().min(other.len());
    without_digits(one) != without_digits(other)
        && strsim::damerau_levenshtein(one, other) <= shorter.saturating_sub(1) / LETTERS
}

/// All that [`Catalogue::validate`](crate::Catalogue::validate) has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueError(Vec<Problem>);

impl CatalogueError {
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
impl fmt::Display for CatalogueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let problems = if count == 1 { "problem" } else { "problems" };
        write!(formatter, "{count} {problems} with the policies of this program")?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n- {problem}"))
    }
}

impl std::error::Error for CatalogueError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_is_told_from_another_name() {
        for (one, other) in
            [("search", "serach"), ("writes", "write"), ("nightly_import", "nightly-inport")]
        {
            assert!(is_similar(one, other) && is_similar(other, one), "{one} {other}");
        }
        for (one, other) in
            [("get", "set"), ("docs", "dogs"), ("shard1", "shard2"), ("search", "upsert")]
        {
            assert!(!is_similar(one, other), "{one} {other}");
        }
    }
}
