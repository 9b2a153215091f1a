//! A retry budget of the program.

use std::sync::OnceLock;

use super::declaration::Declaration;
use crate::{BudgetConfig, RetryBudget};

/// The budget of one name, and its declarations in the order of the source.
#[derive(Debug)]
pub(super) struct BudgetEntry {
    pub(super) name: &'static str,
    pub(super) declarations: Vec<&'static Declaration<BudgetConfig>>,
    /// Created at its first use.
    pub(super) budget: OnceLock<RetryBudget>,
}

impl BudgetEntry {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, declarations: Vec::new(), budget: OnceLock::new() }
    }

    /// Returns the configuration that applies: that of the first declaration.
    pub(super) fn config(&self) -> BudgetConfig {
        self.declarations.first().map_or(BudgetConfig::DEFAULT, |first| *first.settings())
    }
}
