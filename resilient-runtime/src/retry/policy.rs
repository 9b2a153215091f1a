//! One row: how often to try, and how long to wait in between.

use std::time::Duration;

use super::stop_reason::StopReason;
use crate::ConfigError;
use crate::backoff::{Backoff, Range};

/// A row of the [`RetryTable`](crate::RetryTable): how often to try, and how long to wait in between.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::RetryPolicy;
///
/// let policy = RetryPolicy::builder()
///     .max_attempts(5)
///     .base_delay(Duration::from_millis(200))
///     .max_delay(Duration::from_secs(10))
///     .jitter(0.2)
///     .build()?;
/// assert_eq!(policy.max_attempts(), 5);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    pub(super) max_attempts: u32,
    pub(super) base_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) jitter: f64,
    pub(super) backoff: Backoff,
}

impl RetryPolicy {
    /// 3 attempts, 100 ms doubling up to 5 s, jitter 0.1: the default retry configuration of the
    /// resilience layer that this library implements, and the row of every kind without its own.
    pub const DEFAULT: Self = Self {
        max_attempts: 3,
        base_delay: Duration::from_millis(100),
        max_delay: Duration::from_secs(5),
        jitter: 0.1,
        backoff: Backoff::Exponential,
    };

    /// Starts from [`DEFAULT`](Self::DEFAULT).
    pub const fn builder() -> RetryPolicyBuilder {
        Self::DEFAULT.to_builder()
    }

    /// Starts from this policy.
    pub const fn to_builder(self) -> RetryPolicyBuilder {
        RetryPolicyBuilder(self)
    }

    /// How often the function is called at most, the first call included. Default 3.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The delay before the first retry. Default 100 ms.
    #[must_use]
    pub const fn base_delay(&self) -> Duration {
        self.base_delay
    }

    /// The longest delay, jitter included. If the server asks for a longer wait, the call ends. Only the
    /// jitter on top of a hint may exceed it. Default 5 s.
    #[must_use]
    pub const fn max_delay(&self) -> Duration {
        self.max_delay
    }

    /// By which share of itself a delay is spread either way, and a server's hint upward. Default
    /// 0.1.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// How the delay grows. Default [`Backoff::Exponential`].
    #[must_use]
    pub const fn backoff(&self) -> Backoff {
        self.backoff
    }

    /// Returns how long to wait after attempt number `attempt` has failed, or why not to retry.
    ///
    /// `hint` is what the server asks for, and `left` how long it is until the call's deadline.
    /// `position`, from 0 to 1, places the delay in the range that jitter allows.
    pub(crate) fn next_delay(
        &self,
        attempt: u32,
        hint: Option<Duration>,
        left: Option<Duration>,
        position: f64,
    ) -> Result<Duration, StopReason> {
        if attempt >= self.max_attempts {
            return Err(StopReason::AttemptsExhausted);
        }
        let hint = hint.unwrap_or_default();
        if hint > self.max_delay {
            return Err(StopReason::HintTooLong);
        }
        let own = self.delays_after(attempt);
        let mut range = own.not_before(hint, self.jitter);
        if let Some(left) = left
            && hint > own.shortest
        {
            // A hint that the deadline leaves time for is waited out, so jitter must not end the
            // call. It takes half of that time at most, and leaves the rest to the attempt.
            let room = left.saturating_sub(hint) / 2;
            range.longest = range.longest.min(hint.saturating_add(room));
        }
        let delay = range.at(position);
        if left.is_some_and(|left| delay >= left) {
            return Err(StopReason::DeadlineTooNear);
        }
        Ok(delay)
    }

    /// The shortest delay before the first retry.
    pub(crate) fn shortest_delay(&self) -> Duration {
        self.delays_after(1).shortest
    }

    fn delays_after(&self, attempt: u32) -> Range {
        let delay = self.backoff.delay(self.base_delay, self.max_delay, attempt);
        Range::around(delay, self.max_delay, self.jitter)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Builds a [`RetryPolicy`]; [`build`](Self::build) checks it.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct RetryPolicyBuilder(RetryPolicy);

impl RetryPolicyBuilder {
    /// How often the function is called at most, the first call included: 1 or more, and 1 is no
    /// retry.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.0.max_attempts = attempts;
        self
    }

    /// The delay before the first retry.
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.0.base_delay = delay;
        self
    }

    /// The longest delay, jitter included: more than 0, and not shorter than the base delay. A call
    /// ends if the server asks to wait longer. A hint up to this is waited out, and its jitter comes
    /// on top.
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.0.max_delay = delay;
        self
    }

    /// By which share of itself a delay is spread either way, from 0 to 1: with 0.1, a delay of
    /// 1 s is anything from 0.9 to 1.1 s, each as likely. A [hint](crate::Classify::retry_after) of
    /// the server is only lengthened: a hint of 1 s is anything from 1 to 1.1 s.
    pub const fn jitter(mut self, share: f64) -> Self {
        self.0.jitter = share;
        self
    }

    /// How the delay grows.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.0.backoff = backoff;
        self
    }

    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// If there is no attempt at all, `max_delay` is 0 or shorter than `base_delay`, or the jitter
    /// is not from 0 to 1.
    pub const fn build(self) -> Result<RetryPolicy, ConfigError> {
        let policy = self.0;
        if policy.max_attempts == 0 {
            return Err(ConfigError::MaxAttempts);
        }
        if policy.max_delay.is_zero() {
            return Err(ConfigError::ZeroMaxDelay);
        }
        if policy.max_delay.as_nanos() < policy.base_delay.as_nanos() {
            return Err(ConfigError::MaxDelay);
        }
        // Written so that NaN is rejected too.
        if !(policy.jitter >= 0.0 && policy.jitter <= 1.0) {
            return Err(ConfigError::Jitter);
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn numbers_out_of_range_are_refused() {
        let builder = RetryPolicy::builder;
        for (refused, error) in [
            (builder().max_attempts(0), ConfigError::MaxAttempts),
            (builder().base_delay(6 * SECOND), ConfigError::MaxDelay),
            (
                builder().base_delay(Duration::ZERO).max_delay(Duration::ZERO),
                ConfigError::ZeroMaxDelay,
            ),
            (builder().jitter(-0.1), ConfigError::Jitter),
            (builder().jitter(1.1), ConfigError::Jitter),
            (builder().jitter(f64::NAN), ConfigError::Jitter),
        ] {
            assert_eq!(refused.build(), Err(error));
        }
    }

    #[test]
    fn a_hint_longer_than_the_backoff_is_waited_out_in_full() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        assert_eq!(policy.next_delay(1, Some(20 * SECOND), None, 0.0), Ok(20 * SECOND));
        assert_eq!(policy.next_delay(1, Some(30 * SECOND), None, 0.0), Ok(30 * SECOND));
    }

    #[test]
    fn jitter_is_added_above_a_hint() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        let delay = |hint: u32, position| {
            policy.next_delay(1, Some(hint * SECOND), None, position).unwrap().as_millis()
        };
        assert_eq!([0.0, 0.5, 1.0].map(|position| delay(20, position)), [20_000, 21_000, 22_000]);
        assert_eq!(delay(30, 1.0), 33_000, "beyond the longest delay, which the hint is");
    }

    #[test]
    fn a_hint_that_fits_before_the_deadline_is_waited_out() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        let delay = |left, position| policy.next_delay(1, Some(20 * SECOND), Some(left), position);
        assert_eq!(delay(21 * SECOND, 0.0), Ok(20 * SECOND));
        assert_eq!(delay(21 * SECOND, 1.0), Ok(20 * SECOND + SECOND / 2));
        assert_eq!(delay(30 * SECOND, 1.0), Ok(22 * SECOND));
        assert_eq!(delay(20 * SECOND, 0.0), Err(StopReason::DeadlineTooNear));
        assert_eq!(delay(SECOND, 1.0), Err(StopReason::DeadlineTooNear));
    }

    #[test]
    fn a_hint_shorter_than_the_backoff_changes_nothing() {
        let policy = RetryPolicy::for_kind(ErrorKind::ServiceUnavailable);
        let hint = Some(Duration::from_millis(10));
        assert_eq!(policy.next_delay(1, hint, None, 0.5), Ok(SECOND));
    }

    #[test]
    fn a_hint_longer_than_the_longest_delay_ends_the_call() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        assert_eq!(
            policy.next_delay(1, Some(31 * SECOND), None, 0.0),
            Err(StopReason::HintTooLong)
        );
    }

    #[test]
    fn the_last_attempt_is_followed_by_none() {
        let policy = RetryPolicy::DEFAULT;
        assert!(policy.next_delay(2, None, None, 0.0).is_ok());
        assert_eq!(policy.next_delay(3, None, None, 0.0), Err(StopReason::AttemptsExhausted));
    }
}
