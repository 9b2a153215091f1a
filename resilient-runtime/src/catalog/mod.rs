//! What the program's source says, known before any of it has run: every annotated function, and
//! every declaration, in whichever crate. The linker gathers them.

mod breakers;
mod declaration;
mod place;
mod problem;
mod rows;
mod sections;
mod settings;
mod site;
mod view;

pub use self::declaration::Declaration;
pub use self::problem::{CatalogError, Problem};
pub use self::sections::{BREAKERS, BUDGETS, ROWS, SITES};
pub use self::settings::BreakerSettings;
pub use self::site::{BreakerRef, BreakerSpec, CallSite, RetrySpec};
pub use self::view::{AnnotatedFunction, Catalog, RetryRule, catalog};

pub(crate) use self::breakers::{BreakerKey, Configured, Namesake};
pub(crate) use self::rows::Rows;
pub(crate) use self::site::Resolved;

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
