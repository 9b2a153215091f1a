//! The checked settings of a breaker.

use std::fmt;
use std::time::Duration;

use super::limits::DEFAULT_FAILURE_THRESHOLD;
use crate::kind::ErrorKind;
use crate::kind_set::KindSet;

/// How a `CircuitBreaker` behaves.
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
///
/// // By the share of failures among the last 100 calls, instead of consecutive failures.
/// let config = BreakerConfig::builder().window_calls(100).failure_rate(0.3).build()?;
/// assert_eq!(config.minimum_calls(), Some(20));
///
/// // By five failures within a minute, whatever succeeds between them.
/// let minute = Duration::from_secs(60);
/// let config = BreakerConfig::builder().window_time(minute).failure_threshold(5).build()?;
/// assert_eq!(config.failure_rate(), None);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row, or in the window. `None`: opens by rates only.
    pub(super) failure_threshold: Option<u16>,
    pub(super) success_threshold: u16,
    pub(super) half_open_max_calls: u16,
    pub(super) probe_timeout: Option<Duration>,
    pub(super) open_duration: Duration,
    pub(super) open_duration_multiplier: Checked,
    pub(super) max_open_duration: Duration,
    pub(super) open_jitter: Checked,
    pub(super) rates: Option<Rates>,
    /// The kinds of error that count as failures.
    pub(super) trips: KindSet,
    /// Whether a list of kinds excludes the deadline of the policy.
    pub(super) ignores_deadline: bool,
}

/// What opens a breaker with a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// How far back the breaker looks.
    pub window: Window,
    /// How many calls must be in the window before a rate counts. `None`: there is no rate.
    pub minimum_calls: Option<u16>,
    pub(super) failure_rate: Option<Checked>,
    pub(super) slow: Option<Slow>,
}

impl Rates {
    /// Returns the share of failures that opens the breaker, if one does.
    #[must_use]
    #[inline]
    pub const fn failure_rate(&self) -> Option<f64> {
        match self.failure_rate {
            Some(rate) => Some(rate.0),
            None => None,
        }
    }

    /// Returns the share of slow calls that opens the breaker, if calls can be slow.
    #[must_use]
    #[inline]
    pub const fn slow_call_rate(&self) -> Option<f64> {
        match self.slow {
            Some(slow) => Some(slow.rate.0),
            None => None,
        }
    }
}

/// How far back a breaker looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// This many of the last calls.
    Calls(u16),
    /// The calls that ended within this time.
    Time(Duration),
}

/// When a call is slow, and which share of slow calls opens the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slow {
    pub(super) call: Duration,
    pub(super) rate: Checked,
}

/// A number that a builder has checked: it is not NaN.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Checked(pub(super) f64);

impl Eq for Checked {}

impl fmt::Debug for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl BreakerConfig {
    /// Opens after 5 consecutive failures, for 30 seconds. Then 2 successes close it. These are
    /// the defaults of the resilience layer that this library implements.
    pub const DEFAULT: Self = Self {
        failure_threshold: Some(DEFAULT_FAILURE_THRESHOLD),
        success_threshold: 2,
        half_open_max_calls: 2,
        probe_timeout: None,
        open_duration: Duration::from_secs(30),
        open_duration_multiplier: Checked(1.0),
        max_open_duration: Duration::from_secs(300),
        open_jitter: Checked(0.0),
        rates: None,
        trips: KindSet::TRANSIENT,
        ignores_deadline: false,
    };

    /// Returns how many consecutive failures open the breaker, or with a window, how many failures in
    /// it. Default 5; with a window `None`, which opens it by rates only.
    #[must_use]
    #[inline]
    pub const fn failure_threshold(&self) -> Option<u32> {
        match self.failure_threshold {
            Some(failures) => Some(failures as u32),
            None => None,
        }
    }

    /// Returns how many successful probes close the breaker again. Default 2.
    #[must_use]
    #[inline]
    pub const fn success_threshold(&self) -> u32 {
        self.success_threshold as u32
    }

    /// Returns how many probes may be under way at once while the breaker is half-open. Default: the
    /// success threshold.
    #[must_use]
    #[inline]
    pub const fn half_open_max_calls(&self) -> u32 {
        self.half_open_max_calls as u32
    }

    /// Returns how long a probe may take before it counts as failed. Default: no limit.
    #[must_use]
    #[inline]
    pub const fn probe_timeout(&self) -> Option<Duration> {
        self.probe_timeout
    }

    /// Returns how long the breaker stays open before it admits probes. Default 30 seconds.
    #[must_use]
    pub const fn open_duration(&self) -> Duration {
        self.open_duration
    }

    /// Returns the factor by which the breaker stays open longer each time that its probes fail.
    /// Default 1.
    #[must_use]
    pub const fn open_duration_multiplier(&self) -> f64 {
        self.open_duration_multiplier.0
    }

    /// Returns the longest that the breaker stays open, including growth, jitter and hints. Default
    /// 5 minutes, or twice the open duration if that is longer.
    #[must_use]
    pub const fn max_open_duration(&self) -> Duration {
        self.max_open_duration
    }

    /// Returns the share by which the time that the breaker stays open varies either way. Default 0.
    #[must_use]
    pub const fn open_jitter(&self) -> f64 {
        self.open_jitter.0
    }

    /// Returns the number of calls in a window of calls.
    #[must_use]
    pub const fn window_calls(&self) -> Option<u32> {
        match self.rates {
            Some(Rates { window: Window::Calls(calls), .. }) => Some(calls as u32),
            _ => None,
        }
    }

    /// Returns the length of a window of time.
    #[must_use]
    pub const fn window_time(&self) -> Option<Duration> {
        match self.rates {
            Some(Rates { window: Window::Time(time), .. }) => Some(time),
            _ => None,
        }
    }

    /// Returns the share of failures in the window that opens the breaker. Default 0.5 if there is a
    /// window without a [`failure_threshold`](Self::failure_threshold).
    #[must_use]
    pub const fn failure_rate(&self) -> Option<f64> {
        match &self.rates {
            Some(rates) => rates.failure_rate(),
            None => None,
        }
    }

    /// Returns how many calls must be in the window before a rate counts. Default 20 if there is a
    /// rate, or the size of a smaller window of calls.
    #[must_use]
    pub const fn minimum_calls(&self) -> Option<u32> {
        match self.rates {
            Some(Rates { minimum_calls: Some(calls), .. }) => Some(calls as u32),
            _ => None,
        }
    }

    /// Returns the duration above which a call is slow. Default: no call is slow.
    #[must_use]
    #[inline]
    pub const fn slow_call_duration(&self) -> Option<Duration> {
        match self.rates {
            Some(Rates { slow: Some(slow), .. }) => Some(slow.call),
            _ => None,
        }
    }

    /// Returns the share of slow calls in the window that opens the breaker. Default 1 if a call can
    /// be slow.
    #[must_use]
    pub const fn slow_call_rate(&self) -> Option<f64> {
        match self.rates {
            Some(Rates { slow: Some(slow), .. }) => Some(slow.rate.0),
            _ => None,
        }
    }

    /// Returns whether an error of this kind counts as a failure. Any other error is neither failure
    /// nor success. Default: the [transient](ErrorKind::is_transient) kinds count.
    ///
    /// A call ended by the deadline of its own policy is a failure too if that policy has no attempt
    /// timeout, unless a list of kinds says otherwise: see [`trip_on`](super::BreakerConfigBuilder::trip_on).
    #[must_use]
    #[inline]
    pub const fn trips_on(&self, kind: ErrorKind) -> bool {
        self.trips.contains(kind)
    }
}

/// Returns whether a call ended by the deadline of its own policy counts as a failure.
///
/// A short deadline says nothing about the server. But if nothing else limits an attempt, the
/// deadline is the only sign of a server that hangs.
#[must_use]
#[inline]
pub const fn trips_on_deadline(config: &BreakerConfig, has_attempt_timeout: bool) -> bool {
    config.trips_on(ErrorKind::DeadlineExceeded)
        || !(config.ignores_deadline || has_attempt_timeout)
}

/// Returns what opens the breaker, if it has a window.
#[must_use]
#[inline]
pub const fn rates(config: &BreakerConfig) -> Option<&Rates> {
    config.rates.as_ref()
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
