//! Retries: the number of attempts, the delays between them, and the budget.

mod backoff;
mod budget;
mod policy;
mod row;
mod schedule;
mod table;

pub(crate) use self::backoff::{Range, above};
pub use self::budget::RetryBudget;
pub(crate) use self::budget::Withdrawal;
pub(crate) use self::policy::{check_retryable, next_delay, shortest_delay};
pub use self::row::{RetryChanges, RowRef};
pub use self::schedule::RetrySchedule;
pub use self::table::RetryTable;
