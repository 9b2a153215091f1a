//! Everything at once: the state of the program's breakers, budgets and functions.

use super::breaker_snapshot::BreakerSnapshot;
use super::duration_snapshot::DurationSnapshot;
use super::wall_clock::now_in_millis;
use crate::{CallCounts, RetryBudget, catalog};

/// Returns the state of every breaker, retry budget and function of the program, for a health
/// endpoint, or to [`restore`](crate::restore) it after a restart.
///
/// It contains every breaker that exists: those of [`breakers`](crate::breakers()), so a breaker of a
/// template only after its first call. One value is read after the other while calls go on.
///
/// ```standalone_crate
/// # use resilient_runtime::{Classify, ErrorKind, Rejection, resilient};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
/// #[resilient(retry = "auto", breaker = "search", budget = "qdrant")]
/// async fn search() -> Result<u32, SearchError> {
///     Ok(7)
/// }
///
/// use resilient_runtime::BreakerStatus;
///
/// let snapshot = resilient_runtime::snapshot();
/// for breaker in snapshot.breakers() {
///     println!("{}: {breaker}, {} rejected", breaker.name, breaker.totals.rejected);
/// }
/// assert_eq!(snapshot.breaker("search").unwrap().status, BreakerStatus::Closed);
/// assert_eq!(snapshot.budgets()[0].available, 500);
/// assert_eq!(snapshot.functions()[0].counts.total_calls(), 0);
/// ```
#[must_use]
pub fn snapshot() -> Snapshot {
    Snapshot {
        version: Snapshot::VERSION,
        taken_at_millis: now_in_millis(),
        breakers: crate::breakers().iter().map(|it| BreakerSnapshot::of(it)).collect(),
        budgets: catalog::budgets().iter().map(|it| BudgetSnapshot::of(it)).collect(),
        functions: catalog::counted()
            .into_iter()
            .map(|(name, counted)| FunctionSnapshot {
                name,
                counts: counted.calls,
                durations: DurationSnapshot::all(&counted.durations),
                unknown_errors: counted.unknown_errors,
            })
            .collect(),
        unreadable: Vec::new(),
    }
}

/// The state of the program's breakers, budgets and functions at one time, from
/// [`snapshot`](fn@crate::snapshot). Each list is sorted by name.
///
/// It holds no text of an error.
///
/// # Serialization
///
/// With the feature `serde`, it implements `Serialize` and `Deserialize`. Unknown fields are
/// ignored, missing ones are empty, and a number out of its range becomes the nearest one within. An
/// entry with an unknown state is kept apart, and [`restore`](crate::restore) reports it.
/// Deserialization only fails if a value has the wrong type, as the text `"many"` for a count.
#[cfg_attr(
    feature = "serde",
    doc = r##"
```
let json = serde_json::to_string(&resilient_runtime::snapshot())?;
let snapshot: resilient_runtime::Snapshot = serde_json::from_str(&json)?;
assert_eq!(snapshot.version(), resilient_runtime::Snapshot::VERSION);

let text = r#"{"version":1,"breakers":[{"name":"search","state":"open","failure_count":-1}]}"#;
let snapshot: resilient_runtime::Snapshot = serde_json::from_str(text)?;
assert_eq!(snapshot.breaker("search").unwrap().failure_count, 0);
# Ok::<(), serde_json::Error>(())
```
"##
)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    pub(super) version: u32,
    pub(super) taken_at_millis: u64,
    pub(super) breakers: Vec<BreakerSnapshot>,
    pub(super) budgets: Vec<BudgetSnapshot>,
    pub(super) functions: Vec<FunctionSnapshot>,
    /// The names of the breakers whose state could not be read.
    pub(super) unreadable: Vec<String>,
}

impl Snapshot {
    /// The version of the format that this version of the library writes and restores.
    pub const VERSION: u32 = 1;

    /// Returns the version of the format. 0 if the snapshot comes from a text without a version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Returns when the snapshot was taken, by the wall clock, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn taken_at_millis(&self) -> u64 {
        self.taken_at_millis
    }

    /// Returns every breaker that existed.
    #[must_use]
    pub fn breakers(&self) -> &[BreakerSnapshot] {
        &self.breakers
    }

    /// Returns the breaker of this name. If several have the name, the first.
    #[must_use]
    pub fn breaker(&self, name: &str) -> Option<&BreakerSnapshot> {
        self.breakers.iter().find(|breaker| breaker.name == name)
    }

    /// Returns every retry budget.
    #[must_use]
    pub fn budgets(&self) -> &[BudgetSnapshot] {
        &self.budgets
    }

    /// Returns every annotated function and every [registered](crate::Policy::register) policy.
    #[must_use]
    pub fn functions(&self) -> &[FunctionSnapshot] {
        &self.functions
    }
}

/// A retry budget in a [`Snapshot`].
///
/// ```standalone_crate
/// # use resilient_runtime::policies;
/// policies! {
///     budget "qdrant" { capacity: 100 }
/// }
///
/// let snapshot = resilient_runtime::snapshot();
/// let [qdrant] = snapshot.budgets() else { panic!("one budget is declared") };
/// assert_eq!((&*qdrant.name, qdrant.capacity, qdrant.available), ("qdrant", 100, 100));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetSnapshot {
    /// The name.
    pub name: String,
    /// The most tokens that it can hold.
    pub capacity: u32,
    /// The tokens that are left.
    pub available: u32,
}

impl BudgetSnapshot {
    pub(super) fn of(budget: &RetryBudget) -> Self {
        Self {
            name: budget.name().to_owned(),
            capacity: budget.config().capacity(),
            available: budget.available(),
        }
    }

    /// Returns how many tokens are spent.
    pub(super) const fn spent(&self) -> u32 {
        self.capacity.saturating_sub(self.available)
    }
}

/// A function in a [`Snapshot`], or a [registered](crate::Policy::register) policy.
///
/// ```
/// use resilient_runtime::{Policy, RetryPolicy};
///
/// let policy = Policy::builder("outbox").retry(RetryPolicy::DEFAULT).build()?.register();
/// let snapshot = resilient_runtime::snapshot();
/// let outbox = snapshot.functions().iter().find(|function| function.name == "outbox").unwrap();
/// assert_eq!(outbox.unknown_errors, 0);
/// # drop(policy);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionSnapshot {
    /// The path of the function, or the name of the policy.
    pub name: String,
    /// How its calls have ended. The guarded calls of one function count together.
    pub counts: CallCounts,
    /// How long they took, for each outcome that there was. Empty unless source or settings ask for
    /// it by `durations = true`.
    pub durations: Vec<DurationSnapshot>,
    /// How many errors of kind [`Unknown`](crate::ErrorKind::Unknown) it has returned. The guarded
    /// calls of one function count together.
    pub unknown_errors: u64,
}
