//! How a breaker behaves, validated.

use std::time::Duration;

use crate::ConfigError;

/// How a [`CircuitBreaker`](crate::CircuitBreaker) behaves.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::BreakerConfig;
///
/// let config = BreakerConfig::builder()
///     .failure_threshold(10)
///     .success_threshold(3)
///     .open_duration(Duration::from_secs(60))
///     .build()?;
/// assert_eq!(config.half_open_max_calls(), 3);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    failure_threshold: u16,
    success_threshold: u16,
    half_open_max_calls: u16,
    open_duration: Duration,
}

impl BreakerConfig {
    /// Opens after 5 consecutive failures, for 30 seconds; then 2 successes close it. These are
    /// the defaults of the resilience layer that this library implements.
    pub const DEFAULT: Self = Self {
        failure_threshold: 5,
        success_threshold: 2,
        half_open_max_calls: 2,
        open_duration: Duration::from_secs(30),
    };

    /// Starts from [`DEFAULT`](Self::DEFAULT).
    pub const fn builder() -> BreakerConfigBuilder {
        BreakerConfigBuilder {
            failure_threshold: Self::DEFAULT.failure_threshold as u32,
            success_threshold: Self::DEFAULT.success_threshold as u32,
            half_open_max_calls: None,
            open_duration: Self::DEFAULT.open_duration,
        }
    }

    /// How many failures in a row open the breaker. Default 5.
    #[must_use]
    pub const fn failure_threshold(&self) -> u32 {
        self.failure_threshold as u32
    }

    /// How many successful probes close the breaker again. Default 2.
    #[must_use]
    pub const fn success_threshold(&self) -> u32 {
        self.success_threshold as u32
    }

    /// How many probes may be under way at once while the breaker is half-open. Default: the
    /// success threshold.
    #[must_use]
    pub const fn half_open_max_calls(&self) -> u32 {
        self.half_open_max_calls as u32
    }

    /// How long the breaker stays open before it lets probes through. Default 30 seconds.
    #[must_use]
    pub const fn open_duration(&self) -> Duration {
        self.open_duration
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Builds a [`BreakerConfig`]; [`build`](Self::build) checks it.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct BreakerConfigBuilder {
    failure_threshold: u32,
    success_threshold: u32,
    half_open_max_calls: Option<u32>,
    open_duration: Duration,
}

impl BreakerConfigBuilder {
    /// How many failures in a row open the breaker, from 1 to 65,535.
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = failures;
        self
    }

    /// How many successful probes close the breaker again, from 1 to 65,535.
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        self.success_threshold = successes;
        self
    }

    /// How many probes may be under way at once while the breaker is half-open, from 1 to 65,535.
    pub const fn half_open_max_calls(mut self, calls: u32) -> Self {
        self.half_open_max_calls = Some(calls);
        self
    }

    /// How long the breaker stays open before it lets probes through: a millisecond or more. It is
    /// kept to the millisecond, rounded down.
    pub const fn open_duration(mut self, duration: Duration) -> Self {
        self.open_duration = duration;
        self
    }

    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// If a count is 0 or above 65,535, or `open_duration` is under a millisecond.
    pub const fn build(self) -> Result<BreakerConfig, ConfigError> {
        let Some(failure_threshold) = count(self.failure_threshold) else {
            return Err(ConfigError::FailureThreshold);
        };
        let Some(success_threshold) = count(self.success_threshold) else {
            return Err(ConfigError::SuccessThreshold);
        };
        let half_open_max_calls = match self.half_open_max_calls {
            Some(calls) => calls,
            None => self.success_threshold,
        };
        let Some(half_open_max_calls) = count(half_open_max_calls) else {
            return Err(ConfigError::HalfOpenMaxCalls);
        };
        if self.open_duration.as_millis() == 0 {
            return Err(ConfigError::OpenDuration);
        }
        Ok(BreakerConfig {
            failure_threshold,
            success_threshold,
            half_open_max_calls,
            open_duration: self.open_duration,
        })
    }
}

/// A count that the breaker's state word has room for, and that is not 0.
#[expect(clippy::cast_possible_truncation, reason = "checked on the line before")]
const fn count(number: u32) -> Option<u16> {
    if number == 0 || number > u16::MAX as u32 { None } else { Some(number as u16) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builder_starts_from_the_defaults() {
        assert_eq!(BreakerConfig::builder().build(), Ok(BreakerConfig::DEFAULT));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let builder = BreakerConfig::builder;
        for (refused, error) in [
            (builder().failure_threshold(0), ConfigError::FailureThreshold),
            (builder().failure_threshold(65_536), ConfigError::FailureThreshold),
            (builder().success_threshold(0), ConfigError::SuccessThreshold),
            (builder().half_open_max_calls(0), ConfigError::HalfOpenMaxCalls),
            (builder().open_duration(Duration::from_micros(999)), ConfigError::OpenDuration),
        ] {
            assert_eq!(refused.build(), Err(error));
        }
    }
}
