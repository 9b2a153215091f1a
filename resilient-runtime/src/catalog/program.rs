//! Everything that the program's source says, gathered once.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use super::breaker_entry::{BreakerEntry, BreakerKey};
use super::declaration::{Declaration, sorted};
use super::sections::{BREAKERS, BUDGETS, SITES};
use super::site::CallSite;
use crate::{BudgetConfig, RetryBudget};

/// The annotated functions of the program, and the breakers and budgets that source names.
pub(crate) struct Program {
    /// In the order of the source.
    pub(crate) sites: Vec<&'static CallSite>,
    breakers: Entries<BreakerKey, BreakerEntry>,
    budgets: Entries<&'static str, BudgetEntry>,
}

/// The budget of one name.
pub(crate) struct BudgetEntry {
    pub(crate) name: &'static str,
    /// In the order of the source.
    pub(crate) declarations: Vec<&'static Declaration<BudgetConfig>>,
    /// Created at its first use.
    pub(super) budget: OnceLock<RetryBudget>,
}

impl BudgetEntry {
    const fn new(name: &'static str) -> Self {
        Self { name, declarations: Vec::new(), budget: OnceLock::new() }
    }
}

impl Program {
    pub(crate) fn get() -> &'static Self {
        static PROGRAM: LazyLock<Program> = LazyLock::new(Program::gather);
        &PROGRAM
    }

    fn gather() -> Self {
        let mut sites: Vec<_> = SITES.iter().collect();
        sites.sort_by_key(|site| (site.place, site.function()));
        let (mut breakers, mut budgets) = (BTreeMap::new(), BTreeMap::new());
        for &site in &sites {
            if let Some(spec) = site.breaker {
                let entry = entry(&mut breakers, spec.source.name(), spec.source.is_template());
                entry.sites.push((site, spec));
            }
            if let Some(name) = site.budget {
                budgets.entry(name).or_insert_with(|| BudgetEntry::new(name));
            }
        }
        for declaration in sorted(&BREAKERS) {
            let is_template = declaration.settings().max_keys().is_some();
            let entry = entry(&mut breakers, declaration.name(), is_template);
            entry.declarations.push(declaration);
        }
        for declaration in sorted(&BUDGETS) {
            let name = declaration.name();
            let entry = budgets.entry(name).or_insert_with(|| BudgetEntry::new(name));
            entry.declarations.push(declaration);
        }
        Self { sites, breakers: Entries::new(breakers), budgets: Entries::new(budgets) }
    }

    /// Returns all breakers in the order of their keys.
    pub(crate) fn breakers(&'static self) -> impl Iterator<Item = &'static BreakerEntry> {
        self.breakers.listed.values()
    }

    pub(super) fn breaker(
        &'static self,
        name: &'static str,
        is_template: bool,
    ) -> &'static BreakerEntry {
        let new = || BreakerEntry::new(name, is_template);
        self.breakers.get(BreakerKey::new(name, is_template), new)
    }

    /// Returns the breakers of this template, if source names it.
    pub(super) fn template(&'static self, template: &str) -> Option<&'static BreakerEntry> {
        self.breakers.listed.get(&BreakerKey::new(template, true))
    }

    /// Returns the entries whose breaker has a name before a breaker of this template, each with
    /// such a name: all names that source writes out, and the templates before this one.
    pub(super) fn namesakes(
        &'static self,
        entry: &BreakerEntry,
    ) -> Vec<(&'static BreakerEntry, String)> {
        let Some(template) = &entry.template else { return Vec::new() };
        let before = self.breakers().take_while(|other| !ptr::eq(*other, entry));
        before.filter_map(|other| Some((other, other.shared_name(template)?))).collect()
    }

    /// Returns all budgets in the order of their names.
    pub(crate) fn budgets(&'static self) -> impl Iterator<Item = &'static BudgetEntry> {
        self.budgets.listed.values()
    }

    pub(super) fn budget(&'static self, name: &'static str) -> &'static BudgetEntry {
        self.budgets.get(name, || BudgetEntry::new(name))
    }
}

/// Returns the entry of this breaker or template. The first of its names by the alphabet stands for
/// all of them.
fn entry<'e>(
    entries: &'e mut BTreeMap<BreakerKey, BreakerEntry>,
    name: &'static str,
    is_template: bool,
) -> &'e mut BreakerEntry {
    let key = BreakerKey::new(name, is_template);
    let entry = entries.entry(key).or_insert_with(|| BreakerEntry::new(name, is_template));
    entry.name = entry.name.min(name);
    entry
}

/// Entries by key.
struct Entries<K, V: 'static> {
    listed: BTreeMap<K, V>,
    /// Those of functions in another dynamic library, which are in none of its lists. Source names
    /// them, so their number is limited.
    unlisted: Mutex<BTreeMap<K, &'static V>>,
}

impl<K: Ord, V> Entries<K, V> {
    const fn new(listed: BTreeMap<K, V>) -> Self {
        Self { listed, unlisted: Mutex::new(BTreeMap::new()) }
    }

    fn get(&'static self, key: K, new: impl FnOnce() -> V) -> &'static V {
        if let Some(entry) = self.listed.get(&key) {
            return entry;
        }
        // The map is never half changed, so it is valid after a panic.
        let mut unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        unlisted.entry(key).or_insert_with(|| Box::leak(Box::new(new())))
    }
}
