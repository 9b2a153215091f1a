//! The retry table of the program: the default table with the rows that `policies!` declares.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use resilient_config::retry::DEFAULT;

use super::declaration::sorted;
use super::problem::Problem;
use super::report::get_or_report;
use super::sections::ROWS;
use crate::retry::RowRef;
use crate::{ErrorKind, RetryPolicy, RetryTable};

impl RowRef {
    /// Returns the name of the row in source.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Default => DEFAULT,
            Self::Kind(kind) => kind.as_str(),
            Self::Named(name) => name,
        }
    }
}

/// All rows of the program.
pub(super) struct Rows {
    pub(super) table: RetryTable,
    named: BTreeMap<&'static str, RetryPolicy>,
}

impl Rows {
    /// Returns the rows of the program. The first call reports each row that is declared in two
    /// ways.
    pub(super) fn get() -> &'static Self {
        static ROWS: OnceLock<Rows> = OnceLock::new();
        get_or_report(&ROWS, Self::gather, Problem::row_conflicts)
    }

    fn gather() -> Self {
        let mut rows = Self { table: RetryTable::DEFAULT, named: BTreeMap::new() };
        // In reverse, so that the first declaration of a row applies.
        for declaration in sorted(&ROWS).into_iter().rev() {
            let (name, policy) = (declaration.name(), *declaration.settings());
            if let Ok(kind) = name.parse::<ErrorKind>() {
                rows.table = rows.table.with_row(kind, policy);
            } else if name == DEFAULT {
                rows.table = rows.table.with_default(policy);
            } else {
                rows.named.insert(name, policy);
            }
        }
        rows
    }

    /// Returns the row that source names, or the default row if nothing declares it.
    pub(super) fn find_or_default(&self, row: RowRef) -> RetryPolicy {
        self.find(row).unwrap_or(self.table.default_row())
    }

    /// Returns the row that source names. `None` if nothing declares it.
    pub(super) fn find(&self, row: RowRef) -> Option<RetryPolicy> {
        match row {
            RowRef::Default | RowRef::Named(DEFAULT) => Some(self.table.default_row()),
            RowRef::Kind(kind) => Some(self.table.row(kind)),
            RowRef::Named(name) => self.named.get(name).copied().or_else(|| {
                let kind = name.parse::<ErrorKind>().ok().filter(|kind| kind.is_transient())?;
                Some(self.table.row(kind))
            }),
        }
    }
}

impl RetryTable {
    /// Returns the default table with the rows that [`policies!`](crate::policies) declares
    /// anywhere in the program. Functions with `#[resilient(retry = …)]` use it.
    #[must_use]
    pub fn declared() -> Self {
        Rows::get().table.clone()
    }
}
