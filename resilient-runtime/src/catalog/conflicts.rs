//! Conflicts: what source says in two ways.

use std::collections::BTreeSet;

use super::breakers::{BreakerKey, Configured, Namesake};
use super::declaration::Declaration;
use super::problem::Problem;
use super::sections::{BUDGETS, ROWS};
use super::source_order::declared;

impl Problem {
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
