//! What the builders refuse.

/// A number that a builder refused: nothing is configured with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// See [`BreakerConfigBuilder::failure_threshold`](crate::BreakerConfigBuilder::failure_threshold).
    #[error("{}", Self::FailureThreshold.message())]
    FailureThreshold,
    /// See [`BreakerConfigBuilder::success_threshold`](crate::BreakerConfigBuilder::success_threshold).
    #[error("{}", Self::SuccessThreshold.message())]
    SuccessThreshold,
    /// See [`BreakerConfigBuilder::half_open_max_calls`](crate::BreakerConfigBuilder::half_open_max_calls).
    #[error("{}", Self::HalfOpenMaxCalls.message())]
    HalfOpenMaxCalls,
    /// See [`BreakerConfigBuilder::open_duration`](crate::BreakerConfigBuilder::open_duration).
    #[error("{}", Self::OpenDuration.message())]
    OpenDuration,
    /// See [`RetryPolicyBuilder::max_attempts`](crate::RetryPolicyBuilder::max_attempts).
    #[error("{}", Self::MaxAttempts.message())]
    MaxAttempts,
    /// See [`RetryPolicyBuilder::max_delay`](crate::RetryPolicyBuilder::max_delay).
    #[error("{}", Self::MaxDelay.message())]
    MaxDelay,
    /// See [`RetryPolicyBuilder::jitter`](crate::RetryPolicyBuilder::jitter).
    #[error("{}", Self::Jitter.message())]
    Jitter,
    /// See [`BudgetConfigBuilder::capacity`](crate::BudgetConfigBuilder::capacity).
    #[error("{}", Self::BudgetCapacity.message())]
    BudgetCapacity,
    /// See [`BudgetConfigBuilder::retry_cost`](crate::BudgetConfigBuilder::retry_cost) and
    /// [`timeout_cost`](crate::BudgetConfigBuilder::timeout_cost).
    #[error("{}", Self::BudgetCost.message())]
    BudgetCost,
    /// See [`BudgetConfigBuilder::success_refund`](crate::BudgetConfigBuilder::success_refund).
    #[error("{}", Self::SuccessRefund.message())]
    SuccessRefund,
}

impl ConfigError {
    /// The error's text, also where it has to be known at compile time.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::FailureThreshold => "`failure_threshold` must be from 1 to 65535",
            Self::SuccessThreshold => "`success_threshold` must be from 1 to 65535",
            Self::HalfOpenMaxCalls => "`half_open_max_calls` must be from 1 to 65535",
            Self::OpenDuration => "`open_duration` must be a millisecond or more",
            Self::MaxAttempts => "`max_attempts` must be 1 or more: it counts the first call too",
            Self::MaxDelay => {
                "`max_delay` is shorter than `base_delay`: give both, since one that is not given \
                 is the row's"
            }
            Self::Jitter => "`jitter` must be from 0 to 1: it is a share of the delay",
            Self::BudgetCapacity => {
                "`capacity` is less than a retry costs: raise it, or lower `retry_cost` and \
                 `timeout_cost`"
            }
            Self::BudgetCost => "`retry_cost` and `timeout_cost` must be 1 or more",
            Self::SuccessRefund => {
                "`success_refund` must be 1 or more: nothing else fills the budget again"
            }
        }
    }
}
