//! One call: its policy, its attempts, and the breaker and the budget that it goes through.

mod attempt;
mod bounded;
mod breaker_call;
mod clock;
mod enclosing;
mod executor;
mod failed_attempt;
mod multiplied;
mod numbers;
mod outcome;
mod policy;
mod policy_run;
mod retry_delay;
mod rules;
mod run;
mod shared;
mod through;
mod timed;
mod tracked;
mod within;

pub use self::attempt::{Attempt, CurrentAttempt, NothingSent};
pub(crate) use self::bounded::bounded;
pub use self::bounded::{Bounded, Rejecting};
pub use self::executor::RetryExecutor;
pub use self::failed_attempt::FailedAttempt;
pub(crate) use self::numbers::{Numbers, RowChoice};
pub use self::outcome::{CallCounts, CallOutcome};
pub use self::policy::{Policy, PolicyBuilder};
pub use self::retry_delay::RetryDelay;
pub use self::rules::{Rules, Scope};
pub use self::run::Run;
pub use self::shared::{SharedBreaker, SharedBudget};
pub use self::through::PolicyThrough;
pub use self::timed::Timed;
pub use self::tracked::Tracked;
pub use self::within::{Within, time_left, within};
