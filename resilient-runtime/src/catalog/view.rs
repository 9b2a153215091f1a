//! The public view of the catalog.

use std::fmt;
use std::time::Duration;

use super::declaration::{Declaration, sorted};
use super::passed_over::PassedOver;
use super::problem::{CatalogError, Problem};
use super::program::Program;
use super::registered::RegisteredPolicy;
use super::retry_rule::RetryRule;
use super::sections::{BREAKERS, BUDGETS, PASSED_OVER, ROWS};
use super::settings::BreakerSettings;
use super::site::CallSite;
use crate::call::{CallCounts, Durations, Scope};
use crate::{BudgetConfig, RetryPolicy};

/// Returns every annotated function and every declaration of the program, in all of its crates,
/// before any function has run.
///
/// The linker gathers them. A crate that nothing references is not linked. To include it, write
/// `use the_crate as _;`.
///
/// # Platforms
///
/// The catalog depends on the linker, through the crate `linkme`. It works on Linux, macOS,
/// Windows, FreeBSD, OpenBSD, illumos, Android, iOS, tvOS and Fuchsia. This crate is tested on
/// Linux. On other platforms, such as NetBSD, watchOS or WebAssembly, it does not compile: the
/// compiler reports that `distributed_slice` is not implemented for the platform.
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
    let mut passed_over: Vec<_> = PASSED_OVER.iter().copied().flatten().copied().collect();
    passed_over.sort_by_key(|method| (method.place, method.name()));
    Catalog {
        passed_over,
        functions: Program::get().sites.iter().copied().map(AnnotatedFunction).collect(),
        policies: RegisteredPolicy::all(),
        breakers: sorted(&BREAKERS),
        rows: sorted(&ROWS),
        budgets: sorted(&BUDGETS),
    }
}

/// The result of [`catalog`]. Each list is in the order of the source.
#[derive(Debug)]
pub struct Catalog {
    functions: Vec<AnnotatedFunction>,
    passed_over: Vec<PassedOver>,
    policies: Vec<RegisteredPolicy>,
    breakers: Vec<&'static Declaration<BreakerSettings>>,
    rows: Vec<&'static Declaration<RetryPolicy>>,
    budgets: Vec<&'static Declaration<BudgetConfig>>,
}

impl Catalog {
    /// Returns every annotated function.
    #[must_use]
    pub fn functions(&self) -> &[AnnotatedFunction] {
        &self.functions
    }

    /// Returns the methods without a policy of every `impl` block that has `#[resilient]`, and why
    /// each has none: a stream and a builder are not async, other methods return no `Result`, and
    /// `#[resilient(skip)]` leaves a method out. Methods that a macro creates in the block are
    /// missing.
    ///
    /// ```standalone_crate
    /// use resilient_runtime::{catalog, resilient};
    /// # use resilient_runtime::{Classify, ErrorKind};
    /// # #[derive(Debug)] struct SearchError;
    /// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
    /// struct Store;
    ///
    /// #[resilient(retry = "auto")]
    /// impl Store {
    ///     async fn count(&self) -> Result<u32, SearchError> {
    ///         Ok(7)
    ///     }
    ///
    ///     fn pages(&self) -> impl Iterator<Item = u32> {
    ///         0..3
    ///     }
    /// }
    ///
    /// let catalog = catalog();
    /// let [pages] = catalog.passed_over() else { panic!("one method has no policy") };
    /// assert!(pages.name().ends_with("::Store::pages"));
    /// assert_eq!(pages.reason(), "not an async function");
    /// ```
    #[must_use]
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    /// Returns every policy without the attribute that is [registered](crate::Policy::register), in
    /// that order.
    #[must_use]
    pub fn policies(&self) -> &[RegisteredPolicy] {
        &self.policies
    }

    /// Returns every breaker that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn breakers(&self) -> &[&'static Declaration<BreakerSettings>] {
        &self.breakers
    }

    /// Returns every retry row that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn rows(&self) -> &[&'static Declaration<RetryPolicy>] {
        &self.rows
    }

    /// Returns every retry budget that [`policies!`](crate::policies) declares.
    #[must_use]
    pub fn budgets(&self) -> &[&'static Declaration<BudgetConfig>] {
        &self.budgets
    }

    /// Checks what the compiler cannot see: names that are misspelled or never declared,
    /// declarations that contradict each other, and breakers that can have the same name. Call it
    /// in a test or at the start of the program.
    ///
    /// # Errors
    ///
    /// All problems. The program still runs, and always in the same way: each [`Problem`] says
    /// which setting applies.
    pub fn validate(&self) -> Result<(), CatalogError> {
        CatalogError::of(Problem::all())
    }
}

/// A function with `#[resilient]`, or a call with [`guard!`](crate::guard).
#[derive(Clone, Copy, Debug)]
pub struct AnnotatedFunction(&'static CallSite);

impl AnnotatedFunction {
    /// Returns the path of the function: `app::search`. If the attribute is on the `impl` block, it
    /// has the type, `app::Store::search`, and the trait, `app::<Store as Repo>::search`. For a call,
    /// this is what the compiler calls the function around it, without type parameters:
    /// `app::search`, `app::Store<_>::search` in a generic type, and
    /// `<app::Store<_> as app::Repo>::search` in the implementation of a trait. Events carry the same
    /// path.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.function()
    }

    /// Returns whether this is a call with [`guard!`](crate::guard). A function may have several.
    #[must_use]
    pub const fn is_call(&self) -> bool {
        self.0.is_call()
    }

    /// Returns the path of the file, as the compiler received it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.0.place.file
    }

    /// Returns the line in that file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.0.place.line
    }

    /// Returns the rows by which the function is retried. `None` if it is not retried.
    #[must_use]
    pub fn retry(&self) -> Option<RetryRule> {
        self.0.retry.map(RetryRule::of)
    }

    /// Returns the name of the breaker, or the template of the names. `None` without a breaker.
    #[must_use]
    pub fn breaker(&self) -> Option<&'static str> {
        self.0.breaker.map(|spec| spec.source.name())
    }

    /// Returns what the breaker counts.
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

    /// Returns whether the function may be executed twice. If so, it is retried even if the failed
    /// attempt may have been executed.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.0.idempotent
    }

    /// Returns the name of the retry budget. `None` without a budget.
    #[must_use]
    pub const fn budget(&self) -> Option<&'static str> {
        self.0.budget
    }

    /// Returns how the calls of the function have ended so far.
    ///
    /// ```standalone_crate
    /// # use resilient_runtime::{Classify, ErrorKind, Rejection, resilient};
    /// # #[derive(Debug)] struct SearchError;
    /// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
    /// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
    /// use resilient_runtime::{CallOutcome, catalog};
    ///
    /// #[resilient(retry = "auto")]
    /// async fn search() -> Result<u32, SearchError> {
    ///     Ok(7)
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// search().await?;
    /// # Ok::<(), SearchError>(()) }).unwrap();
    /// let counts = catalog().functions()[0].counts();
    /// assert_eq!(counts.calls(CallOutcome::Success), 1);
    /// assert_eq!(counts.attempts(), 1);
    /// ```
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        self.0.called().map_or(CallCounts::ZERO, |resolved| resolved.rules.counters().read())
    }

    /// Returns whether the durations of the calls are measured, by source.
    #[must_use]
    pub const fn measures_durations(&self) -> bool {
        self.0.durations
    }

    /// Returns how long the calls of the function have taken, if source or settings ask for it.
    #[must_use]
    pub fn durations(&self) -> Durations {
        self.0.called().map_or(Durations::NONE, |resolved| resolved.rules.durations().read())
    }

    /// Returns how many errors of kind [`Unknown`](crate::ErrorKind::Unknown) the function has
    /// returned so far. Its policy does not retry them, and its breaker counts them only if its
    /// lists of kinds name them. Without a retry and a breaker, nothing is counted.
    #[must_use]
    pub fn unknown_errors(&self) -> u64 {
        self.0.called().map_or(0, |resolved| resolved.rules.unknown_errors())
    }
}

/// `src/search.rs:17 app::search: retry "auto", breaker "search", deadline 10s`
impl fmt::Display for AnnotatedFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy: Vec<_> =
            self.policy_parts().chain(counted_unknown(self.unknown_errors())).collect();
        let call = if self.is_call() { " (a call)" } else { "" };
        write!(formatter, "{} {}{call}: {}", self.0.place, self.name(), policy.join(", "))
    }
}

impl AnnotatedFunction {
    /// Returns what the policy consists of, in words: `retry "auto"`, `deadline 10s`.
    pub(crate) fn policy_parts(&self) -> impl Iterator<Item = String> {
        let scope = match self.scope() {
            Scope::Call => "",
            Scope::Attempt => " for each attempt",
        };
        let parts = [
            self.retry().map(|retry| format!("retry {retry}")),
            (!self.is_idempotent()).then(|| "not idempotent".to_owned()),
            self.budget().map(|budget| format!("budget \"{budget}\"")),
            self.breaker().map(|breaker| format!("breaker \"{breaker}\"{scope}")),
            self.attempt_timeout().map(|timeout| format!("attempt timeout {timeout:?}")),
            self.deadline().map(|deadline| format!("deadline {deadline:?}")),
            self.measures_durations().then(|| "durations".to_owned()),
        ];
        parts.into_iter().flatten()
    }
}

/// Returns the count of errors of kind `unknown` as text. `None` if there are none.
fn counted_unknown(errors: u64) -> Option<String> {
    match errors {
        0 => None,
        1 => Some("1 error of kind `unknown`".to_owned()),
        _ => Some(format!("{errors} errors of kind `unknown`")),
    }
}
