//! The catalogue as a program sees it.

use std::fmt;

use super::problem::{CatalogueError, Problem};
use super::rows::DEFAULT;
use super::{
    BreakerDeclaration, CallSite, RetrySpec, RowDeclaration, Rows, breaker_declarations,
    row_declarations, sites,
};
use crate::RetryPolicy;
use crate::policy::Scope;
use crate::row::Row;

/// Every annotated function of the program and every declaration, in whichever of its crates,
/// before any of the functions has run.
///
/// The linker has gathered them. A crate of which the program uses nothing is not linked: name it
/// by `use the_crate as _;`.
///
/// ```standalone_crate
/// use resilient_runtime::{catalogue, policies, resilient};
/// # use resilient_runtime::{Classify, ErrorKind, Rejection};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
///
/// policies! {
///     /// Guards every read.
///     breaker "reads" { failure_threshold: 10 }
/// }
///
/// #[resilient(retry = "auto", breaker = "reads")]
/// async fn search() -> Result<u32, SearchError> {
///     Ok(7)
/// }
///
/// for function in catalogue().functions() {
///     println!("{function}");
/// }
/// assert_eq!(catalogue().functions()[0].breaker(), Some("reads"));
/// assert_eq!(catalogue().breakers()[0].documentation(), "Guards every read.");
/// catalogue().validate()?;
/// # Ok::<(), resilient_runtime::CatalogueError>(())
/// ```
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue {
        functions: sites().into_iter().map(AnnotatedFunction).collect(),
        breakers: breaker_declarations(),
        rows: row_declarations(),
    }
}

/// All that [`catalogue`] lists, each in the order of its place in source.
#[derive(Debug)]
pub struct Catalogue {
    functions: Vec<AnnotatedFunction>,
    breakers: Vec<&'static BreakerDeclaration>,
    rows: Vec<&'static RowDeclaration>,
}

impl Catalogue {
    /// Every annotated function.
    #[must_use]
    pub fn functions(&self) -> &[AnnotatedFunction] {
        &self.functions
    }

    /// Every breaker that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn breakers(&self) -> &[&'static BreakerDeclaration] {
        &self.breakers
    }

    /// Every retry row that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn rows(&self) -> &[&'static RowDeclaration] {
        &self.rows
    }

    /// Looks for what no single function shows: names that are misspelt or never declared, and
    /// declarations that differ. Call it in a test, or where the program starts.
    ///
    /// # Errors
    ///
    /// All that is wrong. The program runs even so, in the same way each time: what each
    /// [`Problem`] says holds.
    pub fn validate(&self) -> Result<(), CatalogueError> {
        CatalogueError::of(Problem::all())
    }
}

/// A function with `#[resilient]`.
#[derive(Clone, Copy, Debug)]
pub struct AnnotatedFunction(&'static CallSite);

impl AnnotatedFunction {
    /// Its path: `app::search`, or `app::Store::search` where the attribute is on the `impl`
    /// block. Events call it so too.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.0.function
    }

    /// The file that it is in, as the compiler was given it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.0.place.file
    }

    /// The line in that file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.0.place.line
    }

    /// By what it is retried; none where it is not.
    #[must_use]
    pub fn retry(&self) -> Option<RetryRule> {
        Some(match self.0.retry? {
            RetrySpec::ByKind => RetryRule::ByKind,
            RetrySpec::Row(row, changes) => {
                let name = match row {
                    Row::Default => DEFAULT,
                    Row::Kind(kind) => kind.as_str(),
                    Row::Named(name) => name,
                };
                let from = Rows::get().find(row).unwrap_or_default();
                RetryRule::Row { name, policy: changes.fit(from) }
            }
        })
    }

    /// The breaker that it names, or the template of the names; none without one.
    #[must_use]
    pub fn breaker(&self) -> Option<&'static str> {
        self.0.breaker.map(|spec| spec.breaker.name())
    }

    /// What its breaker counts.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.0.breaker.map_or(Scope::Call, |spec| spec.scope)
    }
}

/// `src/search.rs:17 app::search: retry "auto", breaker "search"`
impl fmt::Display for AnnotatedFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}:", self.0.place, self.name())?;
        let retry = self.retry();
        if let Some(retry) = &retry {
            write!(formatter, " retry {retry}")?;
        }
        if let Some(breaker) = self.breaker() {
            let comma = if retry.is_some() { "," } else { "" };
            write!(formatter, "{comma} breaker \"{breaker}\"")?;
        }
        if self.scope() == Scope::Attempt {
            formatter.write_str(" for each attempt")?;
        }
        Ok(())
    }
}

/// By what a function is retried.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RetryRule {
    /// `retry = "auto"`: by the row of each error's own kind.
    ByKind,
    /// By one row.
    Row {
        /// The row that it starts from: a kind, a name of `policies!`, or `default`.
        name: &'static str,
        /// The row with the function's own numbers in it.
        policy: RetryPolicy,
    },
}

/// `"auto"`, or `"rate_limit_error" (5 attempts)`
impl fmt::Display for RetryRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByKind => formatter.write_str("\"auto\""),
            Self::Row { name, policy } => {
                let attempts = policy.max_attempts();
                let plural = if attempts == 1 { "" } else { "s" };
                write!(formatter, "\"{name}\" ({attempts} attempt{plural})")
            }
        }
    }
}
