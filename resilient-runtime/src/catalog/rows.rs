//! The retry table of the program: the default one, with the rows that `policies!` declares.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::problem::Problem;
use super::sections::ROWS;
use super::source_order::sorted;
use crate::row::RowRef;
use crate::{ErrorKind, RetryPolicy, RetryTable};

/// The name by which source calls the row of the kinds without a row of their own.
const DEFAULT: &str = "default";

impl RowRef {
    /// The name by which source calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Default => DEFAULT,
            Self::Kind(kind) => kind.as_str(),
            Self::Named(name) => name,
        }
    }
}

/// All rows of the program.
pub(crate) struct Rows {
    pub(crate) table: RetryTable,
    named: BTreeMap<&'static str, RetryPolicy>,
}

impl Rows {
    /// Returns the rows that the linker gathered. If a row is declared in two ways, the first in
    /// the order of the source applies, and the first call reports it.
    pub(crate) fn get() -> &'static Self {
        static GATHERED: OnceLock<Rows> = OnceLock::new();
        if let Some(rows) = GATHERED.get() {
            return rows;
        }
        let (rows, conflicts) = Self::gather();
        // Reported outside of the lock: a subscriber may look up rows.
        if GATHERED.set(rows).is_ok() {
            conflicts.iter().for_each(Problem::report);
        }
        GATHERED.get_or_init(|| Self::gather().0)
    }

    fn gather() -> (Self, Vec<Problem>) {
        let mut rows = Self { table: RetryTable::DEFAULT, named: BTreeMap::new() };
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
        (rows, Problem::row_conflicts())
    }

    /// Returns the row that source names, or the default row if nothing declares it.
    pub(crate) fn find_or_default(&self, row: RowRef) -> RetryPolicy {
        self.find(row).unwrap_or(self.table.default_row())
    }

    /// Returns the row that source names. `None` if nothing declares it.
    pub(crate) fn find(&self, row: RowRef) -> Option<RetryPolicy> {
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
