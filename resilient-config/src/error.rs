//! Mistakes in settings, and their messages.

use std::error::Error;
use std::fmt;

use crate::kind::ErrorKind;

/// A setting that a builder rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// See [`BreakerConfigBuilder::failure_threshold`](crate::BreakerConfigBuilder::failure_threshold).
    FailureThreshold,
    /// See [`BreakerConfigBuilder::success_threshold`](crate::BreakerConfigBuilder::success_threshold).
    SuccessThreshold,
    /// See [`BreakerConfigBuilder::half_open_max_calls`](crate::BreakerConfigBuilder::half_open_max_calls).
    HalfOpenMaxCalls,
    /// See [`BreakerConfigBuilder::open_duration`](crate::BreakerConfigBuilder::open_duration).
    OpenDuration,
    /// See [`BreakerConfigBuilder::probe_timeout`](crate::BreakerConfigBuilder::probe_timeout).
    ProbeTimeout,
    /// See [`BreakerConfigBuilder::open_duration_multiplier`](crate::BreakerConfigBuilder::open_duration_multiplier).
    OpenDurationMultiplier,
    /// See [`BreakerConfigBuilder::max_open_duration`](crate::BreakerConfigBuilder::max_open_duration).
    MaxOpenDuration,
    /// See [`BreakerConfigBuilder::open_jitter`](crate::BreakerConfigBuilder::open_jitter).
    OpenJitter,
    /// See [`BreakerConfigBuilder::window_calls`](crate::BreakerConfigBuilder::window_calls).
    WindowCalls,
    /// See [`BreakerConfigBuilder::window_time`](crate::BreakerConfigBuilder::window_time).
    WindowTime,
    /// See [`BreakerConfigBuilder::window_time`](crate::BreakerConfigBuilder::window_time).
    TwoWindows,
    /// See [`BreakerConfigBuilder::window_calls`](crate::BreakerConfigBuilder::window_calls).
    WindowMissing,
    /// See [`BreakerConfigBuilder::failure_threshold`](crate::BreakerConfigBuilder::failure_threshold).
    FailureThresholdOverWindow,
    /// See [`BreakerConfigBuilder::failure_rate`](crate::BreakerConfigBuilder::failure_rate).
    FailureRate,
    /// See [`BreakerConfigBuilder::minimum_calls`](crate::BreakerConfigBuilder::minimum_calls).
    MinimumCalls,
    /// See [`BreakerConfigBuilder::minimum_calls`](crate::BreakerConfigBuilder::minimum_calls).
    MinimumCallsOverWindow,
    /// See [`BreakerConfigBuilder::minimum_calls`](crate::BreakerConfigBuilder::minimum_calls).
    MinimumCallsWithoutRate,
    /// See [`BreakerConfigBuilder::slow_call_duration`](crate::BreakerConfigBuilder::slow_call_duration).
    SlowCallDuration,
    /// See [`BreakerConfigBuilder::slow_call_rate`](crate::BreakerConfigBuilder::slow_call_rate).
    SlowCallRate,
    /// See [`BreakerConfigBuilder::slow_call_rate`](crate::BreakerConfigBuilder::slow_call_rate).
    SlowCallDurationMissing,
    /// See [`BreakerConfigBuilder::trip_on`](crate::BreakerConfigBuilder::trip_on) and
    /// [`ignore`](crate::BreakerConfigBuilder::ignore).
    TripOnAndIgnore,
    /// See [`BreakerConfigBuilder::trip_on`](crate::BreakerConfigBuilder::trip_on) and
    /// [`ignore`](crate::BreakerConfigBuilder::ignore).
    NoKinds,
    /// See [`BreakerConfigBuilder::trip_on`](crate::BreakerConfigBuilder::trip_on) and
    /// [`ignore`](crate::BreakerConfigBuilder::ignore).
    KindTwice(ErrorKind),
    /// See [`BreakerConfigBuilder::ignore`](crate::BreakerConfigBuilder::ignore).
    IgnoreNotTransient,
    /// See [`BreakerConfigBuilder::ignore`](crate::BreakerConfigBuilder::ignore).
    IgnoreAll,
    /// See [`RetryPolicyBuilder::max_attempts`](crate::RetryPolicyBuilder::max_attempts).
    MaxAttempts,
    /// See [`RetryPolicyBuilder::max_delay`](crate::RetryPolicyBuilder::max_delay).
    MaxDelay,
    /// See [`RetryPolicyBuilder::max_delay`](crate::RetryPolicyBuilder::max_delay).
    ZeroMaxDelay,
    /// See [`RetryPolicyBuilder::jitter`](crate::RetryPolicyBuilder::jitter).
    Jitter,
    /// See [`BudgetConfigBuilder::capacity`](crate::BudgetConfigBuilder::capacity).
    BudgetCapacity,
    /// See [`BudgetConfigBuilder::retry_cost`](crate::BudgetConfigBuilder::retry_cost) and
    /// [`timeout_cost`](crate::BudgetConfigBuilder::timeout_cost).
    BudgetCost,
    /// See [`BudgetConfigBuilder::success_refund`](crate::BudgetConfigBuilder::success_refund).
    SuccessRefund,
    /// See [`BudgetConfigBuilder::timeout_cost`](crate::BudgetConfigBuilder::timeout_cost).
    TimeoutCost,
    /// See [`BudgetConfigBuilder::success_refund`](crate::BudgetConfigBuilder::success_refund).
    SuccessRefundOverCapacity,
    /// See `PolicyBuilder::attempt_timeout`.
    AttemptTimeout,
    /// See `PolicyBuilder::deadline`.
    Deadline,
    /// See `PolicyBuilder::attempt_timeout`.
    AttemptTimeoutOverDeadline,
    /// See `PolicyBuilder::scope`.
    ScopeWithoutBreaker,
    /// See `PolicyBuilder::scope`.
    ScopeWithoutRetry,
    /// See `PolicyBuilder::idempotent`.
    IdempotentWithoutRetry,
    /// See `PolicyBuilder::budget`.
    BudgetWithoutRetry,
    /// See `PolicyBuilder::build`.
    SingleAttempt,
}

impl ConfigError {
    /// Returns the error's text in a constant expression. A kind given twice is not named in it.
    ///
    /// See [`BreakerConfigBuilder::build`](crate::BreakerConfigBuilder::build) for an example.
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
                "`open_duration_multiplier` must be a number of 1 or more, the factor by which the \
                 breaker stays open longer"
            }
            Self::MaxOpenDuration => {
                "`max_open_duration` is shorter than `open_duration`: raise it, or lower \
                 `open_duration`"
            }
            Self::OpenJitter => {
                "`open_jitter` must be a number from 0 to 1, a share of the open duration"
            }
            Self::WindowCalls => "`window` must be from 1 to 1000 calls",
            Self::WindowTime => "`window` must be 10 milliseconds or more",
            Self::TwoWindows => "`window` is given both in calls and in time: keep one of them",
            Self::WindowMissing => {
                "`failure_rate`, `minimum_calls`, `slow_call_duration` and `slow_call_rate` need a \
                 `window`, of calls or of time"
            }
            Self::FailureThresholdOverWindow => {
                "`failure_threshold` is more than the `window` holds: lower it, or raise the \
                 `window`"
            }
            Self::FailureRate => {
                "`failure_rate` must be a number from 0 to 1, a share of the calls in the window"
            }
            Self::MinimumCalls => "`minimum_calls` must be from 1 to 65535",
            Self::MinimumCallsOverWindow => {
                "`minimum_calls` is more than the `window` holds: lower it, or raise the `window`"
            }
            Self::MinimumCallsWithoutRate => {
                "`minimum_calls` is for rates, and with `failure_threshold` the number of failures \
                 opens the breaker: give `failure_rate` too, or leave `minimum_calls` out"
            }
            Self::SlowCallDuration => "`slow_call_duration` must be a millisecond or more",
            Self::SlowCallRate => {
                "`slow_call_rate` must be a number from 0 to 1, a share of the calls in the window"
            }
            Self::SlowCallDurationMissing => {
                "`slow_call_rate` needs `slow_call_duration`, which says when a call is slow"
            }
            Self::TripOnAndIgnore => {
                "`trip_on` replaces the kinds that count as failures, and `ignore` removes some of \
                 the transient ones: keep one of them"
            }
            Self::NoKinds => {
                "`trip_on` and `ignore` need at least one kind: leave the empty one out to count \
                 the transient kinds"
            }
            Self::KindTwice(_) => "a kind is given twice: keep one",
            Self::IgnoreNotTransient => {
                "`ignore` takes transient kinds and `deadline_exceeded`: no other kind counts as a \
                 failure by default"
            }
            Self::IgnoreAll => {
                "`ignore` leaves no kind that counts as a failure: name fewer kinds, or remove \
                 the breaker"
            }
            Self::MaxAttempts => "`max_attempts` must be 1 or more: it counts the first call too",
            Self::MaxDelay => {
                "`max_delay` is shorter than `base_delay`: raise it, or lower `base_delay`"
            }
            Self::ZeroMaxDelay => {
                "`max_delay` must be more than 0: to retry without a delay, set `base_delay` to 0"
            }
            Self::Jitter => "`jitter` must be a number from 0 to 1, a share of the delay",
            Self::BudgetCapacity => {
                "`capacity` is less than the cost of a retry: raise it, or lower `retry_cost`, \
                 `timeout_cost` and `rate_limit_cost`"
            }
            Self::BudgetCost => "`retry_cost` and `timeout_cost` must be 1 or more",
            Self::SuccessRefund => {
                "`success_refund` must be 1 or more: nothing else refills the budget"
            }
            Self::TimeoutCost => {
                "`timeout_cost` is less than `retry_cost`: raise it, or lower `retry_cost`"
            }
            Self::SuccessRefundOverCapacity => {
                "`success_refund` is more than `capacity`: lower it, or raise `capacity`"
            }
            Self::AttemptTimeout => {
                "`attempt_timeout` of 0 leaves no time: raise it, or leave it out"
            }
            Self::Deadline => "`deadline` of 0 leaves no time: raise it, or leave it out",
            Self::AttemptTimeoutOverDeadline => {
                "`attempt_timeout` is not shorter than `deadline`, which ends the call first: \
                 lower it, or leave it out"
            }
            Self::ScopeWithoutBreaker => {
                "`scope` puts the breaker outside or inside the retries: it needs a breaker"
            }
            Self::ScopeWithoutRetry => {
                "`scope` puts the breaker outside or inside the retries: it needs `retry`"
            }
            Self::IdempotentWithoutRetry => {
                "`idempotent` decides whether a call that may have been executed is retried: it \
                 needs `retry`"
            }
            Self::BudgetWithoutRetry => "`budget` limits retries: it needs `retry`",
            Self::SingleAttempt => {
                "`scope`, `idempotent` and `budget` are about retries, and `max_attempts` of 1 \
                 allows none: raise it, or leave them out"
            }
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KindTwice(kind) => write!(formatter, "`{kind}` is given twice: keep one"),
            other => formatter.write_str(other.message()),
        }
    }
}

impl Error for ConfigError {}
