//! What the program's source says, known before any of it has run: every annotated function, and
//! every declaration, in whichever crate. The linker gathers them.

mod declaration;
mod place;
mod problem;
mod rows;
mod settings;
mod site;
mod view;

use linkme::distributed_slice;

pub use self::declaration::Declaration;
pub use self::problem::{CatalogueError, Problem};
pub use self::settings::BreakerSettings;
pub use self::site::{BreakerRef, BreakerSpec, CallSite, RetrySpec};
pub use self::view::{AnnotatedFunction, Catalogue, RetryRule, catalogue};

pub(crate) use self::rows::Rows;

use crate::reference::Reference;
use crate::{BudgetConfig, CircuitBreaker, RetryPolicy};

/// Every function with `#[resilient]`.
#[distributed_slice]
pub static SITES: [CallSite];

/// Every breaker that `policies!` declares.
#[distributed_slice]
pub static BREAKERS: [Declaration<BreakerSettings>];

/// Every row that `policies!` declares.
#[distributed_slice]
pub static ROWS: [Declaration<RetryPolicy>];

/// Every budget that `policies!` declares.
#[distributed_slice]
pub static BUDGETS: [Declaration<BudgetConfig>];

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

/// What configures the breaker or template of this name, each with its place: the declarations
/// before the functions.
pub(crate) fn settings_of(name: &str) -> Vec<(String, BreakerSettings)> {
    let given = sites().into_iter().filter_map(|site| {
        let spec = site.breaker.filter(|spec| spec.breaker.name() == name)?;
        Some((site.location(), spec.settings?))
    });
    declared(name, &BREAKERS).chain(given).collect()
}

/// Every breaker name in the program that stands for one breaker, declared or used.
pub(crate) fn breaker_names() -> impl Iterator<Item = &'static str> {
    let used = SITES.iter().filter_map(|site| match site.breaker?.breaker {
        BreakerRef::Keyed(_) => None,
        single => Some(single.name()),
    });
    let declared = BREAKERS.iter().filter(|it| it.settings().max_keys().is_none());
    used.chain(declared.map(Declaration::name))
}

/// Every template of breaker names in the program, declared or used.
pub(crate) fn templates() -> impl Iterator<Item = &'static str> {
    let used = SITES.iter().filter_map(|site| match site.breaker?.breaker {
        BreakerRef::Keyed(template) => Some(template),
        BreakerRef::Name(_) | BreakerRef::Path(_) => None,
    });
    let declared = BREAKERS.iter().filter(|it| it.settings().max_keys().is_some());
    used.chain(declared.map(Declaration::name))
}

/// Every budget name in the program, declared or used.
pub(crate) fn budget_names() -> impl Iterator<Item = &'static str> {
    let used = SITES.iter().filter_map(|site| site.budget);
    used.chain(BUDGETS.iter().map(Declaration::name))
}

/// The static breaker of this name, where a function uses one.
pub(crate) fn static_breaker(name: &str) -> Option<&'static CircuitBreaker> {
    sites().into_iter().find_map(|site| match site.breaker?.breaker {
        BreakerRef::Path(refer) => match refer() {
            Reference::Breaker(breaker) if *breaker.name() == *name => Some(breaker),
            _ => None,
        },
        BreakerRef::Name(_) | BreakerRef::Keyed(_) => None,
    })
}
