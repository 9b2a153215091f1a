//! Rows of the retry table.

use std::time::Duration;

use crate::backoff::{Backoff, factor};
use crate::error::ConfigError;
use crate::kind::ErrorKind;
use crate::setting::{Count, Key, Number, Setting, Time};

/// The name for the row of each error's own kind.
pub const AUTO: &str = "auto";

/// The name of the row for every kind that has none of its own.
pub const DEFAULT: &str = "default";

const MAX_ATTEMPTS: Count = Count { least: 1, most: u32::MAX, error: ConfigError::MaxAttempts };
// Any duration is allowed.
const BASE_DELAY: Time = Time { least: Duration::ZERO, error: ConfigError::MaxDelay };
const MAX_DELAY: Time = Time { least: Duration::from_nanos(1), error: ConfigError::ZeroMaxDelay };
const JITTER: Number = Number::share(0.2, ConfigError::Jitter);

/// The keys of the numbers of a row.
pub const KEYS: [Key<RetryPolicyBuilder>; 5] = [
    Key::new("max_attempts", Setting::Count(MAX_ATTEMPTS, RetryPolicyBuilder::max_attempts)),
    Key::new("base_delay", Setting::Time(BASE_DELAY, RetryPolicyBuilder::base_delay)),
    Key::new("max_delay", Setting::Time(MAX_DELAY, RetryPolicyBuilder::max_delay)),
    Key::new("jitter", Setting::Number(JITTER, RetryPolicyBuilder::jitter)),
    Key::new("backoff", Setting::Backoff(RetryPolicyBuilder::backoff)),
];

/// Returns the row of `kind` in the default table, if the kind has one of its own.
#[must_use]
pub const fn own_row(kind: ErrorKind) -> Option<RetryPolicy> {
    // The rows of the resilience layer that this library implements (SPARC specification, section
    // 6.1).
    let row = match kind {
        ErrorKind::ConnectionError => RetryPolicy::DEFAULT,
        ErrorKind::RateLimitError => RetryPolicy {
            max_attempts: 5,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            ..RetryPolicy::DEFAULT
        },
        ErrorKind::ServiceUnavailable => RetryPolicy {
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(10),
            ..RetryPolicy::DEFAULT
        },
        ErrorKind::TimeoutError => RetryPolicy {
            max_attempts: 2,
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(2),
            backoff: Backoff::Linear,
            ..RetryPolicy::DEFAULT
        },
        _ => return None,
    };
    Some(row)
}

/// A row of the `RetryTable`: the number of attempts, and the delays between them.
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
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    jitter: f64,
    backoff: Backoff,
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

    /// Returns the row of `kind` in the default `RetryTable`.
    #[must_use]
    pub const fn for_kind(kind: ErrorKind) -> Self {
        match own_row(kind) {
            Some(row) => row,
            None => Self::DEFAULT,
        }
    }

    /// Starts from [`DEFAULT`](Self::DEFAULT).
    pub const fn builder() -> RetryPolicyBuilder {
        Self::DEFAULT.to_builder()
    }

    /// Starts from this policy.
    pub const fn to_builder(self) -> RetryPolicyBuilder {
        RetryPolicyBuilder(self)
    }

    /// Returns the maximum number of attempts, including the first. Default 3.
    #[must_use]
    #[inline]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Returns the delay before the first retry. Default 100 ms.
    #[must_use]
    pub const fn base_delay(&self) -> Duration {
        self.base_delay
    }

    /// Returns the longest delay, including jitter. If the server asks for a longer wait, the call ends.
    /// Only the jitter added to a server's hint may exceed it. Default 5 s.
    #[must_use]
    pub const fn max_delay(&self) -> Duration {
        self.max_delay
    }

    /// Returns the share by which a delay varies either way, and a server's hint upward. Default 0.1.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Returns how the delay grows. Default [`Backoff::Exponential`].
    #[must_use]
    pub const fn backoff(&self) -> Backoff {
        self.backoff
    }

    /// Returns how long to wait after attempt number `attempt` has failed, without jitter. The first
    /// attempt is 1, and 0 counts as 1. [`max_delay`](Self::max_delay) is the longest delay;
    /// [`max_attempts`](Self::max_attempts) is not considered.
    ///
    /// `RetrySchedule` adds the jitter and decides whether to retry at all.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilient_runtime::{ErrorKind, RetryPolicy};
    ///
    /// let row = RetryPolicy::for_kind(ErrorKind::RateLimitError);
    /// let delays = [1, 2, 3, 4, 7, 8].map(|attempt| row.delay(attempt).as_millis());
    /// assert_eq!(delays, [500, 1_000, 2_000, 4_000, 30_000, 30_000]);
    /// ```
    #[must_use]
    pub const fn delay(&self, attempt: u32) -> Duration {
        let attempt = if attempt == 0 { 1 } else { attempt };
        let Some(factor) = factor(self.backoff, attempt) else { return self.max_delay };
        match self.base_delay.as_nanos().checked_mul(factor) {
            Some(nanos) if nanos < self.max_delay.as_nanos() => from_nanos(nanos),
            _ => self.max_delay,
        }
    }
}

/// Converts nanoseconds, which must fit into a `Duration`.
const fn from_nanos(nanos: u128) -> Duration {
    const NANOS_PER_SECOND: u128 = 1_000_000_000;
    #[expect(clippy::cast_possible_truncation, reason = "the caller ensures that it fits")]
    let (seconds, rest) = ((nanos / NANOS_PER_SECOND) as u64, (nanos % NANOS_PER_SECOND) as u32);
    Duration::new(seconds, rest)
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
    /// The maximum number of attempts, including the first: 1 or more, and 1 is no retry.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.0.max_attempts = attempts;
        self
    }

    /// The delay before the first retry.
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.0.base_delay = delay;
        self
    }

    /// The longest delay, including jitter: more than 0, and not shorter than the base delay. A call
    /// ends if the server asks for a longer wait. A shorter hint is waited out, and its jitter is
    /// added on top.
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.0.max_delay = delay;
        self
    }

    /// The share, from 0 to 1, by which a delay varies either way: with 0.1, a delay of 1 s is
    /// anything from 0.9 to 1.1 s, uniformly distributed. A hint of the server
    /// (`Classify::retry_after`) is only lengthened: a hint of 1 s is anything from 1 to 1.1 s.
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
    /// If `max_attempts` is 0, `max_delay` is 0 or shorter than `base_delay`, or the jitter
    /// is not from 0 to 1.
    pub const fn build(self) -> Result<RetryPolicy, ConfigError> {
        let policy = self.0;
        ok!(MAX_ATTEMPTS.check(policy.max_attempts));
        ok!(MAX_DELAY.check(policy.max_delay));
        if policy.max_delay.as_nanos() < policy.base_delay.as_nanos() {
            return Err(ConfigError::MaxDelay);
        }
        ok!(JITTER.check(policy.jitter));
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn row(backoff: Backoff) -> RetryPolicyBuilder {
        RetryPolicy::builder().backoff(backoff)
    }

    fn millis(backoff: Backoff, attempts: impl IntoIterator<Item = u32>) -> Vec<u128> {
        let row = row(backoff).build().unwrap();
        attempts.into_iter().map(|attempt| row.delay(attempt).as_millis()).collect()
    }

    #[test]
    fn exponential_doubles_up_to_the_cap() {
        assert_eq!(
            millis(Backoff::Exponential, 1..=8),
            [100, 200, 400, 800, 1600, 3200, 5000, 5000]
        );
    }

    #[test]
    fn linear_grows_by_the_base_up_to_the_cap() {
        assert_eq!(millis(Backoff::Linear, [1, 2, 3, 50, 51]), [100, 200, 300, 5000, 5000]);
    }

    #[test]
    fn attempt_zero_counts_as_the_first() {
        for backoff in [Backoff::Exponential, Backoff::Linear] {
            assert_eq!(millis(backoff, [0, 1]), [100, 100]);
        }
    }

    #[test]
    fn a_delay_that_overflows_is_the_cap() {
        for backoff in [Backoff::Exponential, Backoff::Linear] {
            let row = row(backoff)
                .base_delay(Duration::MAX / 2)
                .max_delay(Duration::MAX)
                .build()
                .unwrap();
            assert_eq!(row.delay(u32::MAX), Duration::MAX);
        }
        assert_eq!(RetryPolicy::DEFAULT.delay(200), RetryPolicy::DEFAULT.max_delay());
    }

    #[test]
    fn a_small_base_reaches_a_distant_cap_step_by_step() {
        let nanosecond = Duration::from_nanos(1);
        let row = row(Backoff::Exponential).base_delay(nanosecond).max_delay(3_600 * SECOND);
        assert_eq!(row.build().unwrap().delay(41), Duration::from_nanos(1 << 40));
    }

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
}
