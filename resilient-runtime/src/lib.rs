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
mod enclosing;
mod event;
mod executor;
#[cfg(any(feature = "qdrant", feature = "reqwest"))]
mod hint;
mod keyed;
mod policy;
#[cfg(feature = "qdrant")]
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
#[cfg(any(feature = "qdrant", feature = "reqwest"))]
mod verdict;
mod watch;

#[doc(inline)]
pub use resilient_config::{
    Backoff, BreakerConfig, BreakerConfigBuilder, BudgetConfig, BudgetConfigBuilder, ConfigError,
    ErrorKind, RetryPolicy, RetryPolicyBuilder, UnknownKindError,
};
pub use resilient_macros::{Classify, policies, resilient};

pub use crate::attempt::Attempt;
pub use crate::breaker::{
    BreakerName, BreakerState, BreakerStats, BreakerTotals, CircuitBreaker, CircuitOpenError,
    Permit, WindowStats,
};
pub use crate::budget::RetryBudget;
pub use crate::catalog::{
    AnnotatedFunction, BreakerSettings, Catalog, CatalogError, Declaration, Problem, RetryRule,
    catalog,
};
pub use crate::classify::Classify;
pub use crate::executor::RetryExecutor;
pub use crate::keyed::KeyedBreakers;
pub use crate::policy::{Policy, PolicyBuilder, Scope};
pub use crate::registry::{breaker, breakers, budget};
pub use crate::rejection::Rejection;
#[cfg(feature = "reqwest")]
pub use crate::reqwest::retry_after;
pub use crate::retry::RetryTable;
pub use crate::shared::{SharedBreaker, SharedBudget};
