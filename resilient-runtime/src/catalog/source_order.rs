//! The lists of the linker, in the order of the source.

use super::declaration::Declaration;
use super::sections::{BUDGETS, SITES};
use super::site::CallSite;

/// The functions in the order of their places in source.
pub(crate) fn sites() -> Vec<&'static CallSite> {
    let mut sites: Vec<_> = SITES.iter().collect();
    sites.sort_by_key(|site| (site.place, site.function));
    sites
}

/// Declarations in the order of their places in source.
pub(crate) fn sorted<T>(declarations: &'static [Declaration<T>]) -> Vec<&'static Declaration<T>> {
    let mut declarations: Vec<_> = declarations.iter().collect();
    declarations.sort_by_key(|declaration| (declaration.place, declaration.name()));
    declarations
}

/// What the declarations of this name say, each with its place.
pub(crate) fn declared<T: Copy>(
    name: &str,
    declarations: &'static [Declaration<T>],
) -> impl Iterator<Item = (String, T)> {
    sorted(declarations)
        .into_iter()
        .filter(move |declaration| declaration.name() == name)
        .map(|declaration| (declaration.place.to_string(), *declaration.settings()))
}

/// Every budget name in the program, declared or used.
pub(crate) fn budget_names() -> impl Iterator<Item = &'static str> {
    let used = SITES.iter().filter_map(|site| site.budget);
    used.chain(BUDGETS.iter().map(Declaration::name))
}
