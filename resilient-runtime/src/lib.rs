#![doc = include_str!("../README.md")]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod backoff;
mod boxed;
mod breaker;
mod call;
mod catalogue;
mod chain;
mod classify;
mod config_error;
mod event;
mod executor;
mod kind;
mod policy;
#[cfg(feature = "qdrant")]
mod qdrant;
mod registry;
mod rejection;
mod retry;
mod run;
mod watch;

pub use resilient_macros::{Classify, resilient};

pub use crate::backoff::Backoff;
pub use crate::breaker::{
    BreakerConfig, BreakerConfigBuilder, BreakerName, BreakerState, BreakerStats, BreakerTotals,
    CircuitBreaker, CircuitOpenError, Permit, WindowStats,
};
pub use crate::classify::Classify;
pub use crate::config_error::ConfigError;
pub use crate::executor::RetryExecutor;
pub use crate::kind::{ErrorKind, UnknownKindError};
pub use crate::policy::{Policy, PolicyBuilder, Scope, SharedBreaker};
pub use crate::registry::{breaker, breakers};
pub use crate::rejection::Rejection;
pub use crate::retry::{RetryPolicy, RetryPolicyBuilder, RetryTable};
