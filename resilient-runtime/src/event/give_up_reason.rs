//! Why a call is not retried.

use std::fmt;

/// Why no attempt follows a failed one, in [`Event::GaveUp`](crate::Event::GaveUp).
///
/// ```
/// use resilient_runtime::GiveUpReason;
///
/// assert_eq!(GiveUpReason::BudgetExhausted.as_str(), "budget_exhausted");
/// assert_eq!(GiveUpReason::BudgetExhausted.to_string(), "the retry budget is exhausted");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUpReason {
    /// The error is of a kind that no retry helps against.
    NotTransient,
    /// The server asks not to retry.
    RetryRefused,
    /// The row allows no further attempt.
    AttemptsExhausted,
    /// The server asks to wait for longer than the row's `max_delay`.
    HintTooLong,
    /// The circuit breaker has opened, or the call was a probe.
    BreakerNotClosed,
    /// The request may have been executed, and the function is not idempotent.
    MaybeExecuted,
    /// The deadline would pass during the delay.
    DeadlineTooNear,
    /// The deadline has passed.
    DeadlineExceeded,
    /// The retry budget has too few tokens.
    BudgetExhausted,
    /// The call is part of a call through the same circuit breaker, which retries.
    OuterCallRetries,
}

impl GiveUpReason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::NotTransient,
        Self::RetryRefused,
        Self::AttemptsExhausted,
        Self::HintTooLong,
        Self::BreakerNotClosed,
        Self::MaybeExecuted,
        Self::DeadlineTooNear,
        Self::DeadlineExceeded,
        Self::BudgetExhausted,
        Self::OuterCallRetries,
    ];

    /// Returns the name, for the label of a metric: `"attempts_exhausted"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotTransient => "not_transient",
            Self::RetryRefused => "retry_refused",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::HintTooLong => "hint_too_long",
            Self::BreakerNotClosed => "breaker_not_closed",
            Self::MaybeExecuted => "maybe_executed",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::BudgetExhausted => "budget_exhausted",
            Self::OuterCallRetries => "outer_call_retries",
        }
    }

    /// Returns the reason in words.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::NotTransient => "the error is not transient",
            Self::RetryRefused => "the server asks not to retry",
            Self::AttemptsExhausted => "attempts exhausted",
            Self::HintTooLong => "the server asks to wait longer than `max_delay`",
            Self::BreakerNotClosed => "the circuit breaker is not closed",
            Self::MaybeExecuted => "the request may have been executed, and is not idempotent",
            Self::DeadlineTooNear => "the deadline leaves no time for the delay",
            Self::DeadlineExceeded => "the deadline was exceeded",
            Self::BudgetExhausted => "the retry budget is exhausted",
            Self::OuterCallRetries => "the outer call through the same circuit breaker retries",
        }
    }
}

/// In words: `attempts exhausted`
impl fmt::Display for GiveUpReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.text())
    }
}
