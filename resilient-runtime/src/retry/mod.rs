//! Retries: how often, after which delay, and how much of the load they may be.

mod budget;
mod policy;
mod stop_reason;
mod table;

pub(crate) use self::budget::Withdrawal;
pub use self::budget::{BudgetConfig, BudgetConfigBuilder, RetryBudget};
pub use self::policy::{RetryPolicy, RetryPolicyBuilder};
pub(crate) use self::stop_reason::StopReason;
pub use self::table::RetryTable;
