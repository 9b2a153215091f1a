//! What the builders refuse.

use crate::ErrorKind;

/// A setting that a builder refused: nothing is configured with it.
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
    /// See [`BreakerConfigBuilder::probe_timeout`](crate::BreakerConfigBuilder::probe_timeout).
    #[error("{}", Self::ProbeTimeout.message())]
    ProbeTimeout,
    /// See [`BreakerConfigBuilder::open_duration_multiplier`](crate::BreakerConfigBuilder::open_duration_multiplier).
    #[error("{}", Self::OpenDurationMultiplier.message())]
    OpenDurationMultiplier,
    /// See [`BreakerConfigBuilder::max_open_duration`](crate::BreakerConfigBuilder::max_open_duration).
    #[error("{}", Self::MaxOpenDuration.message())]
    MaxOpenDuration,
    /// See [`BreakerConfigBuilder::open_jitter`](crate::BreakerConfigBuilder::open_jitter).
    #[error("{}", Self::OpenJitter.message())]
    OpenJitter,
    /// See [`BreakerConfigBuilder::window_calls`](crate::BreakerConfigBuilder::window_calls).
    #[error("{}", Self::WindowCalls.message())]
    WindowCalls,
    /// See [`BreakerConfigBuilder::window_time`](crate::BreakerConfigBuilder::window_time).
    #[error("{}", Self::WindowTime.message())]
    WindowTime,
    /// See [`BreakerConfigBuilder::window_time`](crate::BreakerConfigBuilder::window_time).
    #[error("{}", Self::TwoWindows.message())]
    TwoWindows,
    /// See [`BreakerConfigBuilder::window_calls`](crate::BreakerConfigBuilder::window_calls).
    #[error("{}", Self::WindowMissing.message())]
    WindowMissing,
    /// See [`BreakerConfigBuilder::failure_threshold`](crate::BreakerConfigBuilder::failure_threshold).
    #[error("{}", Self::FailureThresholdInWindow.message())]
    FailureThresholdInWindow,
    /// See [`BreakerConfigBuilder::failure_rate`](crate::BreakerConfigBuilder::failure_rate).
    #[error("{}", Self::FailureRate.message())]
    FailureRate,
    /// See [`BreakerConfigBuilder::minimum_calls`](crate::BreakerConfigBuilder::minimum_calls).
    #[error("{}", Self::MinimumCalls.message())]
    MinimumCalls,
    /// See [`BreakerConfigBuilder::minimum_calls`](crate::BreakerConfigBuilder::minimum_calls).
    #[error("{}", Self::MinimumCallsOverWindow.message())]
    MinimumCallsOverWindow,
    /// See [`BreakerConfigBuilder::slow_call_duration`](crate::BreakerConfigBuilder::slow_call_duration).
    #[error("{}", Self::SlowCallDuration.message())]
    SlowCallDuration,
    /// See [`BreakerConfigBuilder::slow_call_rate`](crate::BreakerConfigBuilder::slow_call_rate).
    #[error("{}", Self::SlowCallRate.message())]
    SlowCallRate,
    /// See [`BreakerConfigBuilder::slow_call_rate`](crate::BreakerConfigBuilder::slow_call_rate).
    #[error("{}", Self::SlowCallDurationMissing.message())]
    SlowCallDurationMissing,
    /// See [`BreakerConfigBuilder::trip_on`](crate::BreakerConfigBuilder::trip_on) and
    /// [`ignore`](crate::BreakerConfigBuilder::ignore).
    #[error("{}", Self::TripOnAndIgnore.message())]
    TripOnAndIgnore,
    /// See [`BreakerConfigBuilder::trip_on`](crate::BreakerConfigBuilder::trip_on) and
    /// [`ignore`](crate::BreakerConfigBuilder::ignore).
    #[error("{}", Self::NoKinds.message())]
    NoKinds,
    /// See [`BreakerConfigBuilder::trip_on`](crate::BreakerConfigBuilder::trip_on) and
    /// [`ignore`](crate::BreakerConfigBuilder::ignore).
    #[error("`{0}` is given twice: keep one")]
    KindTwice(ErrorKind),
    /// See [`BreakerConfigBuilder::ignore`](crate::BreakerConfigBuilder::ignore).
    #[error("{}", Self::IgnoreNotTransient.message())]
    IgnoreNotTransient,
    /// See [`BreakerConfigBuilder::ignore`](crate::BreakerConfigBuilder::ignore).
    #[error("{}", Self::IgnoreAll.message())]
    IgnoreAll,
    /// See [`RetryPolicyBuilder::max_attempts`](crate::RetryPolicyBuilder::max_attempts).
    #[error("{}", Self::MaxAttempts.message())]
    MaxAttempts,
    /// See [`RetryPolicyBuilder::max_delay`](crate::RetryPolicyBuilder::max_delay).
    #[error("{}", Self::MaxDelay.message())]
    MaxDelay,
    /// See [`RetryPolicyBuilder::max_delay`](crate::RetryPolicyBuilder::max_delay).
    #[error("{}", Self::ZeroMaxDelay.message())]
    ZeroMaxDelay,
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
    /// See [`BudgetConfigBuilder::timeout_cost`](crate::BudgetConfigBuilder::timeout_cost).
    #[error("{}", Self::TimeoutCost.message())]
    TimeoutCost,
    /// See [`BudgetConfigBuilder::success_refund`](crate::BudgetConfigBuilder::success_refund).
    #[error("{}", Self::SuccessRefundOverCapacity.message())]
    SuccessRefundOverCapacity,
    /// See [`PolicyBuilder::attempt_timeout`](crate::PolicyBuilder::attempt_timeout).
    #[error("{}", Self::AttemptTimeout.message())]
    AttemptTimeout,
    /// See [`PolicyBuilder::deadline`](crate::PolicyBuilder::deadline).
    #[error("{}", Self::Deadline.message())]
    Deadline,
    /// See [`PolicyBuilder::attempt_timeout`](crate::PolicyBuilder::attempt_timeout).
    #[error("{}", Self::AttemptTimeoutOverDeadline.message())]
    AttemptTimeoutOverDeadline,
    /// See [`PolicyBuilder::scope`](crate::PolicyBuilder::scope).
    #[error("{}", Self::ScopeWithoutBreaker.message())]
    ScopeWithoutBreaker,
    /// See [`PolicyBuilder::scope`](crate::PolicyBuilder::scope).
    #[error("{}", Self::ScopeWithoutRetry.message())]
    ScopeWithoutRetry,
    /// See [`PolicyBuilder::idempotent`](crate::PolicyBuilder::idempotent).
    #[error("{}", Self::IdempotentWithoutRetry.message())]
    IdempotentWithoutRetry,
    /// See [`PolicyBuilder::budget`](crate::PolicyBuilder::budget).
    #[error("{}", Self::BudgetWithoutRetry.message())]
    BudgetWithoutRetry,
    /// See [`PolicyBuilder::build`](crate::PolicyBuilder::build).
    #[error("{}", Self::SingleAttempt.message())]
    SingleAttempt,
}

impl ConfigError {
    /// The error's text as far as it can be known at compile time, where a constant is made: no
    /// kind is named in it. See [`BreakerConfigBuilder::build`](crate::BreakerConfigBuilder::build)
    /// for an example.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one text for each mistake")]
    pub const fn message(self) -> &'static str {
        match self {
            Self::FailureThreshold => "`failure_threshold` must be from 1 to 65535",
            Self::SuccessThreshold => "`success_threshold` must be from 1 to 65535",
            Self::HalfOpenMaxCalls => "`half_open_max_calls` must be from 1 to 65535",
            Self::OpenDuration => "`open_duration` must be a millisecond or more",
            Self::ProbeTimeout => "`probe_timeout` must be a millisecond or more",
            Self::OpenDurationMultiplier => {
                "`open_duration_multiplier` must be 1 or more: it is the factor by which the breaker stays \
                 open longer"
            }
            Self::MaxOpenDuration => {
                "`max_open_duration` is shorter than `open_duration`: raise it, or lower \
                 `open_duration`"
            }
            Self::OpenJitter => {
                "`open_jitter` must be from 0 to 1: it is a share of the open duration"
            }
            Self::WindowCalls => "`window` must be from 1 to 1000 calls",
            Self::WindowTime => "`window` must be 10 milliseconds or more",
            Self::TwoWindows => "`window` is given both in calls and in time: give one of them",
            Self::WindowMissing => {
                "`failure_rate`, `minimum_calls`, `slow_call_duration` and `slow_call_rate` need a \
                 `window`, of calls or of time"
            }
            Self::FailureThresholdInWindow => {
                "`failure_threshold` counts failures in a row: with a `window`, give \
                 `failure_rate` instead"
            }
            Self::FailureRate => {
                "`failure_rate` must be from 0 to 1: it is a share of the calls in the window"
            }
            Self::MinimumCalls => "`minimum_calls` must be from 1 to 65535",
            Self::MinimumCallsOverWindow => {
                "`minimum_calls` is more than the `window` holds: lower it, or raise the `window`"
            }
            Self::SlowCallDuration => "`slow_call_duration` must be a millisecond or more",
            Self::SlowCallRate => {
                "`slow_call_rate` must be from 0 to 1: it is a share of the calls in the window"
            }
            Self::SlowCallDurationMissing => {
                "`slow_call_rate` needs `slow_call_duration`: how long a call takes that is slow"
            }
            Self::TripOnAndIgnore => {
                "`trip_on` names all kinds that count, and `ignore` takes some from the transient \
                 ones: give one of them"
            }
            Self::NoKinds => {
                "`trip_on` and `ignore` name one kind or more: leave the empty one out, and the \
                 transient kinds count"
            }
            Self::KindTwice(_) => "a kind is given twice: keep one",
            Self::IgnoreNotTransient => {
                "`ignore` takes transient kinds and `deadline_exceeded`: leave out what is neither, \
                 and never counts"
            }
            Self::IgnoreAll => {
                "`ignore` leaves no kind that counts: name fewer, or give no breaker"
            }
            Self::MaxAttempts => "`max_attempts` must be 1 or more: it counts the first call too",
            Self::MaxDelay => {
                "`max_delay` is shorter than `base_delay`: give both, since one that is not given \
                 is the row's"
            }
            Self::ZeroMaxDelay => {
                "`max_delay` must be more than 0: a `base_delay` of 0 retries without a delay"
            }
            Self::Jitter => "`jitter` must be from 0 to 1: it is a share of the delay",
            Self::BudgetCapacity => {
                "`capacity` is less than a retry costs: raise it, or lower `retry_cost`, \
                 `timeout_cost` and `rate_limit_cost`"
            }
            Self::BudgetCost => "`retry_cost` and `timeout_cost` must be 1 or more",
            Self::SuccessRefund => {
                "`success_refund` must be 1 or more: nothing else fills the budget again"
            }
            Self::TimeoutCost => {
                "`timeout_cost` is less than `retry_cost`: raise it, or lower `retry_cost`"
            }
            Self::SuccessRefundOverCapacity => {
                "`success_refund` is more than `capacity` holds: lower it, or raise `capacity`"
            }
            Self::AttemptTimeout => {
                "`attempt_timeout` of 0 leaves no time: raise it, or leave it out"
            }
            Self::Deadline => "`deadline` of 0 leaves no time: raise it, or leave it out",
            Self::AttemptTimeoutOverDeadline => {
                "`attempt_timeout` is not shorter than `deadline`, which ends the call before: \
                 lower it, or leave it out"
            }
            Self::ScopeWithoutBreaker => {
                "`scope` says whether the breaker stands outside or inside the retries: it needs \
                 a breaker"
            }
            Self::ScopeWithoutRetry => {
                "`scope` says whether the breaker stands outside or inside the retries: it needs \
                 `retry`"
            }
            Self::IdempotentWithoutRetry => {
                "`idempotent` says whether a call is retried that may have been executed: it \
                 needs `retry`"
            }
            Self::BudgetWithoutRetry => "`budget` is what retries are paid from: it needs `retry`",
            Self::SingleAttempt => {
                "`scope`, `idempotent` and `budget` are about retries, and `max_attempts` of 1 \
                 allows none: raise it, or leave them out"
            }
        }
    }
}
