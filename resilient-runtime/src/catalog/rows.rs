//! The retry table of the program: the default table with the rows that `policies!` declares.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use resilient_config::retry::DEFAULT;

use super::declaration::sorted;
use super::problem::Problem;
use super::report::get_or_report;
use super::sections::ROWS;
use crate::live::{Current, Live};
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
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(super) table: RetryTable,
    named: BTreeMap<&'static str, RetryPolicy>,
}

impl Rows {
    /// Returns the rows of source. The first call reports each row that is declared in two ways.
    pub(crate) fn source() -> &'static Self {
        Self::live().source()
    }

    /// Returns the rows that hold now.
    pub(crate) fn current() -> Current<'static, Self> {
        Self::live().current()
    }

    /// Replaces the rows that hold.
    pub(crate) fn set(self) {
        Self::live().set(self);
    }

    fn live() -> &'static Live<Self> {
        static ROWS: OnceLock<Live<Rows>> = OnceLock::new();
        get_or_report(&ROWS, || Live::new(Self::gather()), Problem::row_conflicts)
    }

    /// Returns the names of all rows by which anything is retried.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let kinds = ErrorKind::ALL.iter().filter(|kind| kind.is_transient());
        [DEFAULT]
            .into_iter()
            .chain(kinds.map(|kind| kind.as_str()))
            .chain(self.named.keys().copied())
    }

    /// Returns the place in source that declares the row.
    pub(crate) fn place(name: &str) -> Option<String> {
        let declared = sorted(&ROWS).into_iter().find(|declaration| declaration.name() == name);
        declared.map(|declaration| declaration.place().to_string())
    }

    /// Returns the row of this name, which is one of [`names`](Self::names).
    pub(crate) fn row(&self, name: &'static str) -> Option<RetryPolicy> {
        self.find(RowRef::Named(name))
    }

    /// Replaces the row of this name.
    pub(crate) fn replace(&mut self, name: &'static str, row: RetryPolicy) {
        if let Ok(kind) = name.parse::<ErrorKind>() {
            self.table = self.table.clone().with_row(kind, row);
        } else if name == DEFAULT {
            self.table = self.table.clone().with_default(row);
        } else {
            self.named.insert(name, row);
        }
    }

    fn gather() -> Self {
        let mut rows = Self { table: RetryTable::DEFAULT, named: BTreeMap::new() };
        // In reverse, so that the first declaration of a row applies.
        for declaration in sorted(&ROWS).into_iter().rev() {
            rows.replace(declaration.name(), *declaration.settings());
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
    /// anywhere in the program, and with the numbers that settings give them now. Functions with
    /// `#[resilient(retry = …)]` use it.
    #[must_use]
    pub fn declared() -> Self {
        Rows::current().table.clone()
    }
}
