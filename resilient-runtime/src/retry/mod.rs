//! Retries: how often, after which delay, and how much of the load they may be.

mod budget;
mod policy;
mod stop_reason;
mod table;

pub use self::budget::RetryBudget;
pub(crate) use self::budget::Withdrawal;
pub(crate) use self::policy::Delays;
pub(crate) use self::stop_reason::StopReason;
pub use self::table::RetryTable;
