// Of two definitions of a link, Markdown takes the first: here the README's links lead into the
// documentation, and elsewhere to files.
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
//! [cost]: guide::cost
//! [comparison]: guide::comparison
//! [internals]: guide::internals
//!
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
pub mod guide;
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
