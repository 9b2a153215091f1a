// Markdown takes the first definition of a link. These come before the README's own, so its links
// lead into the documentation here.
#![doc = concat!("[outage]: ", include_str!("guide/outage.uri"))]
//! [service]: guide::service
//! [attribute]: guide::attribute
//! [choosing]: guide::choosing
//! [breakers]: guide::breakers
//! [keyed]: guide::keyed
//! [time]: guide::time
//! [repeats]: guide::repeats
//! [budgets]: guide::budgets
//! [errors]: guide::errors
//! [without]: guide::without_attribute
//! [testing]: guide::testing
//! [operating]: guide::operating
//! [admin]: guide::admin
//! [settings]: guide::settings
//! [cost]: guide::cost
//! [comparison]: guide::comparison
//! [internals]: guide::internals
//! [metrics]: guide::metrics
//!
#![doc = include_str!("../README.md")]
// Builds with settings check this code.
#![cfg_attr(not(feature = "settings"), allow(dead_code, reason = "only settings use some of it"))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "admin")]
pub mod admin;
mod breaker;
mod call;
mod catalog;
mod count;
mod error;
mod event;
pub mod guide;
mod live;
mod retry;
#[cfg(feature = "settings")]
mod settings;
mod telemetry;
#[cfg(feature = "test-util")]
pub mod test;

#[doc(inline)]
pub use resilient_config::{
    Backoff, BreakerConfig, BreakerConfigBuilder, BudgetConfig, BudgetConfigBuilder, ConfigError,
    ErrorKind, RetryPolicy, RetryPolicyBuilder, UnknownKindError,
};
pub use resilient_macros::{Classify, guard, policies, resilient};

pub use crate::breaker::{
    BreakerStats, BreakerTotals, CircuitBreaker, KeyedBreakers, Permit, WindowStats,
};
pub use crate::call::{
    Attempt, CallCounts, CallOutcome, DurationSummary, Durations, Policy, PolicyBuilder,
    PolicyThrough, RetryExecutor, Scope, SharedBreaker, SharedBudget, Within, time_left, within,
};
pub use crate::catalog::{
    AnnotatedFunction, BreakerSettings, Catalog, CatalogError, Declaration, PassedOver, Problem,
    RegisteredPolicy, RetryRule, breaker, breaker_of, breakers, budget, catalog,
};
#[cfg(feature = "reqwest")]
pub use crate::error::retry_after;
pub use crate::error::{
    BreakerName, BreakerState, BreakerStatus, CircuitOpenError, Classification, Classify, Rejection,
};
pub use crate::event::{
    CountedFailure, Event, EventCall, EventKind, EventSet, FailureSource, GiveUpReason,
    Observation, Observer, Only, Place, TransitionCause, observe, only,
};
pub use crate::retry::{RetryBudget, RetrySchedule, RetryTable};
#[cfg(feature = "settings")]
pub use crate::settings::{
    Applied, SettingChange, SettingProblem, SettingValue, Settings, SettingsError, SettingsWatch,
};
#[cfg(feature = "metrics")]
pub use crate::telemetry::metrics;
pub use crate::telemetry::{
    BreakerChange, BreakerSnapshot, BudgetSnapshot, DurationSnapshot, FunctionSnapshot,
    NotRestored, Restored, Snapshot, restore, snapshot,
};
