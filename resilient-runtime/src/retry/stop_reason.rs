//! Why a call is not retried.

/// Why no attempt follows a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    NotTransient,
    RetryRefused,
    AttemptsExhausted,
    HintTooLong,
    BreakerNotClosed,
    MaybeExecuted,
    DeadlineTooNear,
    DeadlineExceeded,
    BudgetExhausted,
    OuterCallRetries,
}

impl StopReason {
    pub(crate) const fn as_str(self) -> &'static str {
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
