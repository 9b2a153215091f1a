#![doc = include_str!("../README.md")]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod backoff;
mod breaker;
mod call;
mod catalog;
mod config_error;
mod error;
mod event;
mod kind;
mod kinds;
mod retry;
mod row;

pub use resilient_macros::{Classify, policies, resilient};

pub use crate::backoff::Backoff;
pub use crate::breaker::{
    BreakerConfig, BreakerConfigBuilder, BreakerStats, BreakerTotals, CircuitBreaker,
    KeyedBreakers, Permit, WindowStats,
};
pub use crate::call::{
    Attempt, Policy, PolicyBuilder, RetryExecutor, Scope, SharedBreaker, SharedBudget,
};
pub use crate::catalog::{
    AnnotatedFunction, BreakerSettings, Catalog, CatalogError, Declaration, Problem, RetryRule,
    breaker, breakers, budget, catalog,
};
pub use crate::config_error::ConfigError;
#[cfg(feature = "reqwest")]
pub use crate::error::retry_after;
pub use crate::error::{BreakerName, BreakerState, CircuitOpenError, Classify, Rejection};
pub use crate::kind::{ErrorKind, UnknownKindError};
pub use crate::retry::{
    BudgetConfig, BudgetConfigBuilder, RetryBudget, RetryPolicy, RetryPolicyBuilder, RetryTable,
};
