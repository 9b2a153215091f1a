//! Conflicts: two places in source that contradict each other.

use super::breaker_entry::{BreakerEntry, Configured};
use super::declaration::{Declaration, sorted};
use super::problem::Problem;
use super::program::{BudgetEntry, Program};
use super::sections::ROWS;

impl Problem {
    /// Returns the configurations of this breaker or template that do not apply.
    pub(super) fn breaker_conflicts(entry: &BreakerEntry) -> Vec<Self> {
        conflicts(&entry.configured(), Configured::agrees, |kept, dropped| Self::BreakerConflict {
            breaker: entry.name.to_owned(),
            kept,
            dropped,
        })
    }

    /// Returns the breakers and templates that have a name before this template.
    pub(super) fn shared_names(entry: &BreakerEntry) -> Vec<Self> {
        let problem = |(namesake, name): (&BreakerEntry, _)| Self::SharedName {
            name,
            one: namesake.name.to_owned(),
            one_in: namesake.place(),
            other: entry.name.to_owned(),
            other_in: entry.place(),
        };
        Program::get().namesakes(entry).into_iter().map(problem).collect()
    }

    /// Returns the declarations of rows that do not apply.
    pub(super) fn row_conflicts() -> Vec<Self> {
        let mut rows = sorted(&ROWS);
        rows.sort_by_key(|row| row.name());
        let of_row = |rows: &[&'static Declaration<_>]| {
            of_declarations(rows, |kept, dropped| Self::RowConflict {
                row: rows[0].name().to_owned(),
                kept,
                dropped,
            })
        };
        rows.chunk_by(|one, other| one.name() == other.name()).flat_map(of_row).collect()
    }

    /// Returns the declarations of this budget that do not apply.
    pub(super) fn budget_conflicts(entry: &BudgetEntry) -> Vec<Self> {
        of_declarations(&entry.declarations, |kept, dropped| Self::BudgetConflict {
            budget: entry.name.to_owned(),
            kept,
            dropped,
        })
    }
}

fn of_declarations<T: PartialEq>(
    declarations: &[&'static Declaration<T>],
    problem: impl Fn(String, String) -> Problem,
) -> Vec<Problem> {
    let given = declarations.iter().map(|it| (it.place.to_string(), it.settings()));
    conflicts(&given.collect::<Vec<_>>(), PartialEq::eq, problem)
}

/// Returns a problem for each configuration that contradicts the first.
fn conflicts<T>(
    given: &[(String, T)],
    agree: impl Fn(&T, &T) -> bool,
    problem: impl Fn(String, String) -> Problem,
) -> Vec<Problem> {
    let Some(((kept, first), others)) = given.split_first() else { return Vec::new() };
    let differing = others.iter().filter(|(_, other)| !agree(other, first));
    differing.map(|(dropped, _)| problem(kept.clone(), dropped.clone())).collect()
}
