#![doc = include_str!("../README.md")]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod attempt;
mod backoff;
mod boxed;
mod breaker;
mod budget;
mod call;
mod catalog;
mod chain;
mod classify;
mod config_error;
mod enclosing;
mod event;
mod executor;
#[cfg(any(feature = "tonic", feature = "reqwest"))]
mod hint;
mod keyed;
mod kind;
mod kinds;
mod policy;
#[cfg(feature = "tonic")]
mod qdrant;
mod reference;
mod registry;
mod rejection;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod row;
mod run;
mod shared;
mod timed;
#[cfg(any(feature = "tonic", feature = "reqwest"))]
mod verdict;
mod watch;

pub use resilient_macros::{Classify, policies, resilient};

pub use crate::attempt::Attempt;
pub use crate::backoff::Backoff;
pub use crate::breaker::{
    BreakerConfig, BreakerConfigBuilder, BreakerName, BreakerState, BreakerStats, BreakerTotals,
    CircuitBreaker, CircuitOpenError, Permit, WindowStats,
};
pub use crate::budget::{BudgetConfig, BudgetConfigBuilder, RetryBudget};
pub use crate::catalog::{
    AnnotatedFunction, BreakerSettings, Catalog, CatalogError, Declaration, Problem, RetryRule,
    catalog,
};
pub use crate::classify::Classify;
pub use crate::config_error::ConfigError;
pub use crate::executor::RetryExecutor;
pub use crate::keyed::KeyedBreakers;
pub use crate::kind::{ErrorKind, UnknownKindError};
pub use crate::policy::{Policy, PolicyBuilder, Scope};
pub use crate::registry::{breaker, breakers, budget};
pub use crate::rejection::Rejection;
#[cfg(feature = "reqwest")]
pub use crate::reqwest::retry_after;
pub use crate::retry::{RetryPolicy, RetryPolicyBuilder, RetryTable};
pub use crate::shared::{SharedBreaker, SharedBudget};
