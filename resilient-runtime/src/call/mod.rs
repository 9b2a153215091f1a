//! One call: its policy, its attempts, and the breaker and the budget that it goes through.

mod attempt;
mod breaker_call;
mod enclosing;
mod executor;
mod failed_attempt;
mod multiplied;
mod numbers;
mod policy;
mod policy_run;
mod retry_delay;
mod rules;
mod run;
mod shared;
mod through;
mod timed;
mod tracked;

pub use self::attempt::{Attempt, CurrentAttempt, NothingSent};
pub use self::executor::RetryExecutor;
pub use self::failed_attempt::FailedAttempt;
pub(crate) use self::numbers::{Numbers, RowChoice};
pub use self::policy::{Policy, PolicyBuilder};
pub use self::retry_delay::RetryDelay;
pub use self::rules::{Rules, Scope};
pub use self::run::Run;
pub use self::shared::{SharedBreaker, SharedBudget};
pub use self::through::PolicyThrough;
pub use self::timed::Timed;
pub use self::tracked::Tracked;
pub(crate) use self::tracked::track;
