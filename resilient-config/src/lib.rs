//! The kinds of error, the settings of [`resilient-runtime`](https://docs.rs/resilient-runtime),
//! and everything that is known about them without running anything: names, ranges, defaults,
//! rules and messages. Depend on that crate, not on this one.
//!
//! The macros use this crate at expansion, and the runtime uses it at run time, so each rule is
//! written once. `CONTRIBUTING.md` lists the places that a new setting touches.
//!
//! Each file uses only those before it in this list: `kind`, `kind_set`, `error`, `duration` and
//! `spelling`, `call`, `backoff`, `setting`, then `retry`, `budget` and `breaker`.

/// The `?` of a `const fn`: the value of an `Ok`. An `Err` is returned.
macro_rules! ok {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    };
}

pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod call;
pub mod duration;
mod error;
mod kind;
mod kind_set;
pub mod retry;
pub mod setting;
pub mod spelling;

pub use crate::backoff::Backoff;
pub use crate::breaker::{BreakerConfig, BreakerConfigBuilder};
pub use crate::budget::{BudgetConfig, BudgetConfigBuilder};
pub use crate::error::ConfigError;
pub use crate::kind::{ErrorKind, UnknownKindError};
pub use crate::kind_set::KindSet;
pub use crate::retry::{RetryPolicy, RetryPolicyBuilder};
