//! The time between two attempts.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::failed_attempt::FailedAttempt;
use crate::retry::Withdrawal;

/// The delay before the next attempt, and what is needed if there is none after all.
///
/// Both are boxed: tokio's timer is larger than all else that a call adds to the future of a
/// function, the error may be large too, and two allocations are nothing compared with a delay.
pub struct RetryDelay<'p, E> {
    pub(super) timer: Pin<Box<Sleep>>,
    pub(super) pending: Box<PendingRetry<'p, E>>,
}

pub(super) struct PendingRetry<'p, E> {
    /// The error of the last attempt.
    pub(super) error: E,
    pub(super) plan: RetryPlan<'p>,
}

/// The attempt that is to follow.
pub(super) struct RetryPlan<'p> {
    pub(super) delay: Duration,
    /// What is known about the error of the last attempt.
    pub(super) failed: FailedAttempt,
    /// The tokens from the budget. They are returned if the attempt is not made.
    pub(super) withdrawal: Option<Withdrawal<'p>>,
    /// How long the last attempt lasted; 0 if the breaker does not time calls.
    pub(super) lasted: Duration,
}

/// Without the error, whose text may hold an API key.
impl<E> fmt::Debug for RetryDelay<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RetryDelay")
            .field("kind", &self.pending.plan.failed.kind)
            .finish_non_exhaustive()
    }
}

impl<'p, E> RetryDelay<'p, E> {
    pub(super) fn new(error: E, plan: RetryPlan<'p>) -> Self {
        Self { timer: Box::pin(sleep(plan.delay)), pending: Box::new(PendingRetry { error, plan }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[tokio::test]
    async fn a_delay_does_not_print_the_error_that_it_keeps() {
        let plan = RetryPlan {
            delay: Duration::ZERO,
            failed: FailedAttempt {
                kind: ErrorKind::RateLimitError,
                hint: None,
                maybe_executed: true,
                may_retry: true,
                ran_out: None,
            },
            withdrawal: None,
            lasted: Duration::ZERO,
        };
        let delay = RetryDelay::new("the key is 42", plan);
        assert_eq!(format!("{delay:?}"), "RetryDelay { kind: RateLimitError, .. }");
    }
}
