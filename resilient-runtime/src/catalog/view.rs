//! The catalog as a program sees it.

use std::fmt;
use std::time::Duration;

use super::declaration::{Declaration, sorted};
use super::problem::{CatalogError, Problem};
use super::program::Program;
use super::retry_rule::RetryRule;
use super::sections::{BREAKERS, BUDGETS, ROWS};
use super::settings::BreakerSettings;
use super::site::CallSite;
use crate::call::Scope;
use crate::{BudgetConfig, RetryPolicy};

/// Every annotated function of the program and every declaration, in whichever of its crates,
/// before any of the functions has run.
///
/// The linker gathers them. A crate that nothing references is not linked: reference it by `use
/// the_crate as _;`.
///
/// # Platforms
///
/// The catalog depends on the linker, through the crate `linkme`. It works on Linux, macOS, Windows,
/// FreeBSD, OpenBSD, illumos, Android, iOS, tvOS and Fuchsia. This crate is tested on Linux. On other
/// platforms, such as NetBSD, watchOS or WebAssembly, it does not compile: the compiler reports that
/// `distributed_slice` is not implemented for the platform.
///
/// ```standalone_crate
/// use resilient_runtime::{catalog, policies, resilient};
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
/// for function in catalog().functions() {
///     println!("{function}");
/// }
/// assert_eq!(catalog().functions()[0].breaker(), Some("reads"));
/// assert_eq!(catalog().breakers()[0].documentation(), "Guards every read.");
/// catalog().validate()?;
/// # Ok::<(), resilient_runtime::CatalogError>(())
/// ```
#[must_use]
pub fn catalog() -> Catalog {
    Catalog {
        functions: Program::get().sites.iter().copied().map(AnnotatedFunction).collect(),
        breakers: sorted(&BREAKERS),
        rows: sorted(&ROWS),
        budgets: sorted(&BUDGETS),
    }
}

/// All that [`catalog`] lists, each in the order of its place in source.
#[derive(Debug)]
pub struct Catalog {
    functions: Vec<AnnotatedFunction>,
    breakers: Vec<&'static Declaration<BreakerSettings>>,
    rows: Vec<&'static Declaration<RetryPolicy>>,
    budgets: Vec<&'static Declaration<BudgetConfig>>,
}

impl Catalog {
    /// Every annotated function.
    #[must_use]
    pub fn functions(&self) -> &[AnnotatedFunction] {
        &self.functions
    }

    /// Every breaker that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn breakers(&self) -> &[&'static Declaration<BreakerSettings>] {
        &self.breakers
    }

    /// Every retry row that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn rows(&self) -> &[&'static Declaration<RetryPolicy>] {
        &self.rows
    }

    /// Every retry budget that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn budgets(&self) -> &[&'static Declaration<BudgetConfig>] {
        &self.budgets
    }

    /// Looks for what no single function shows: names that are misspelled or never declared,
    /// declarations that differ, and breakers that can have the same name. Call it in a test, or
    /// when the program starts.
    ///
    /// # Errors
    ///
    /// All problems. The program still runs, in the same way each time: each [`Problem`] says what
    /// applies.
    pub fn validate(&self) -> Result<(), CatalogError> {
        CatalogError::of(Problem::all())
    }
}

/// A function with `#[resilient]`.
#[derive(Clone, Copy, Debug)]
pub struct AnnotatedFunction(&'static CallSite);

impl AnnotatedFunction {
    /// Returns its path: `app::search`, or `app::Store::search` if the attribute is on the `impl`
    /// block. Events carry the same path.
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

    /// Returns by what it is retried. `None` if it is not retried.
    #[must_use]
    pub fn retry(&self) -> Option<RetryRule> {
        self.0.retry.map(RetryRule::of)
    }

    /// Returns the breaker that it names, or the template of the names. `None` without a breaker.
    #[must_use]
    pub fn breaker(&self) -> Option<&'static str> {
        self.0.breaker.map(|spec| spec.source.name())
    }

    /// What its breaker counts.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.0.breaker.map_or(Scope::Call, |spec| spec.scope)
    }

    /// Returns how long an attempt may take. `None` without an attempt timeout.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Option<Duration> {
        self.0.attempt_timeout
    }

    /// Returns how long a call may take, delays included. `None` without a deadline.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        self.0.deadline
    }

    /// Returns whether it may be executed twice, and so is retried even if it may have been
    /// executed.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.0.idempotent
    }

    /// Returns the retry budget that it names. `None` without a budget.
    #[must_use]
    pub const fn budget(&self) -> Option<&'static str> {
        self.0.budget
    }
}

/// `src/search.rs:17 app::search: retry "auto", breaker "search", deadline 10s`
impl fmt::Display for AnnotatedFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = match self.scope() {
            Scope::Call => "",
            Scope::Attempt => " for each attempt",
        };
        let policy = [
            self.retry().map(|retry| format!("retry {retry}")),
            (!self.is_idempotent()).then(|| "not idempotent".to_owned()),
            self.budget().map(|budget| format!("budget \"{budget}\"")),
            self.breaker().map(|breaker| format!("breaker \"{breaker}\"{scope}")),
            self.attempt_timeout().map(|timeout| format!("attempt timeout {timeout:?}")),
            self.deadline().map(|deadline| format!("deadline {deadline:?}")),
        ];
        let policy: Vec<_> = policy.into_iter().flatten().collect();
        write!(formatter, "{} {}: {}", self.0.place, self.name(), policy.join(", "))
    }
}
