//! How a breaker behaves, validated.

mod builder;
mod trips;

use std::fmt;
use std::time::Duration;

use crate::ErrorKind;
use crate::backoff::{Range, above};
use crate::kinds::ErrorKinds;

pub use self::builder::BreakerConfigBuilder;

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
///
/// // By the share of failures among the last 100 calls, instead of failures in a row.
/// let config = BreakerConfig::builder().window_calls(100).failure_rate(0.3).build()?;
/// assert_eq!(config.minimum_calls(), Some(20));
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    failure_threshold: u16,
    success_threshold: u16,
    half_open_max_calls: u16,
    probe_timeout: Option<Duration>,
    open_duration: Duration,
    open_duration_multiplier: Number,
    max_open_duration: Duration,
    open_jitter: Number,
    rates: Option<Rates>,
    /// The kinds of error that are failures.
    trips: ErrorKinds,
    /// Whether a list of kinds says that a deadline is no failure.
    ignores_deadline: bool,
}

/// What opens a breaker that looks at more than failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) window: Window,
    minimum_calls: u16,
    failure_rate: Number,
    slow: Option<Slow>,
}

/// How far back a breaker looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    Calls(u16),
    Time(Duration),
}

/// Which calls are slow, and how many of them are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slow {
    call: Duration,
    rate: Number,
}

/// A number that a builder has checked: it is not NaN.
#[derive(Clone, Copy, PartialEq)]
struct Number(f64);

impl Eq for Number {}

impl fmt::Debug for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Rates {
    /// Whether so many of so many calls open the breaker. A failure can be slow too.
    ///
    /// A rate that is reached opens it. A rate of 0 is reached by the first such call.
    pub(super) fn exceeded(&self, calls: u64, failures: u64, slow: u64) -> bool {
        let reached = |count, rate: Number| count > 0 && share(count, calls) >= rate.0;
        calls >= u64::from(self.minimum_calls)
            && (reached(failures, self.failure_rate)
                || self.slow.is_some_and(|limit| reached(slow, limit.rate)))
    }
}

/// How large a part `count` is of `all`; 0 of nothing.
///
/// A division, and not a product with the rate: both 7 of 100 and a rate of `0.07` are the number
/// nearest to it, so that the one reaches the other.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
pub(super) fn share(count: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { count as f64 / all as f64 }
}

impl BreakerConfig {
    /// Opens after 5 consecutive failures, for 30 seconds; then 2 successes close it. These are
    /// the defaults of the resilience layer that this library implements.
    pub const DEFAULT: Self = Self {
        failure_threshold: 5,
        success_threshold: 2,
        half_open_max_calls: 2,
        probe_timeout: None,
        open_duration: Duration::from_secs(30),
        open_duration_multiplier: Number(1.0),
        max_open_duration: Duration::from_secs(300),
        open_jitter: Number(0.0),
        rates: None,
        trips: ErrorKinds::TRANSIENT,
        ignores_deadline: false,
    };

    /// Starts from [`DEFAULT`](Self::DEFAULT).
    pub const fn builder() -> BreakerConfigBuilder {
        BreakerConfigBuilder::new()
    }

    /// Starts from this configuration: each setting that is not changed keeps its value. A setting
    /// with its default value that depends on another setting, such as
    /// [`half_open_max_calls`](BreakerConfigBuilder::half_open_max_calls), changes with it.
    ///
    /// [`trip_on`](BreakerConfigBuilder::trip_on) and [`ignore`](BreakerConfigBuilder::ignore)
    /// replace the kinds that count. No setting can be removed: for example, a window of calls
    /// cannot become one of time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilient_runtime::{BreakerConfig, ErrorKind};
    ///
    /// let config = BreakerConfig::builder().ignore(&[ErrorKind::RateLimitError]).build()?;
    /// let patient = config.to_builder().open_duration(Duration::from_secs(60)).build()?;
    /// assert!(!patient.trips_on(ErrorKind::RateLimitError));
    /// # Ok::<(), resilient_runtime::ConfigError>(())
    /// ```
    pub const fn to_builder(&self) -> BreakerConfigBuilder {
        BreakerConfigBuilder::of(self)
    }

    /// How many failures in a row open the breaker. Default 5. Without meaning where there is a
    /// window.
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

    /// How long a probe may take before it counts as failed. Default: as long as it likes.
    #[must_use]
    pub const fn probe_timeout(&self) -> Option<Duration> {
        self.probe_timeout
    }

    /// How long the breaker stays open before it lets probes through. Default 30 seconds.
    #[must_use]
    pub const fn open_duration(&self) -> Duration {
        self.open_duration
    }

    /// By which factor it stays open longer each time that it opens without having closed in
    /// between. Default 1: it does not grow.
    #[must_use]
    pub const fn open_duration_multiplier(&self) -> f64 {
        self.open_duration_multiplier.0
    }

    /// The longest that it stays open, growth, jitter and hints included. Default 5 minutes, or twice the
    /// open duration where that is longer.
    #[must_use]
    pub const fn max_open_duration(&self) -> Duration {
        self.max_open_duration
    }

    /// By which share of itself the time that it stays open is spread either way. Default 0.
    #[must_use]
    pub const fn open_jitter(&self) -> f64 {
        self.open_jitter.0
    }

    /// How many of the last calls a breaker with a window of calls looks at.
    #[must_use]
    pub const fn window_calls(&self) -> Option<u32> {
        match self.rates {
            Some(Rates { window: Window::Calls(calls), .. }) => Some(calls as u32),
            _ => None,
        }
    }

    /// How far a breaker with a window of time looks back.
    #[must_use]
    pub const fn window_time(&self) -> Option<Duration> {
        match self.rates {
            Some(Rates { window: Window::Time(time), .. }) => Some(time),
            _ => None,
        }
    }

    /// The share of failures in the window that opens the breaker. Default 0.5 where there is a
    /// window.
    #[must_use]
    pub const fn failure_rate(&self) -> Option<f64> {
        match &self.rates {
            Some(rates) => Some(rates.failure_rate.0),
            None => None,
        }
    }

    /// How many calls must be in the window before a rate counts. Default 20 where there is a
    /// window, or the window's calls where they are fewer.
    #[must_use]
    pub const fn minimum_calls(&self) -> Option<u32> {
        match &self.rates {
            Some(rates) => Some(rates.minimum_calls as u32),
            None => None,
        }
    }

    /// A call that takes longer than this is slow. Default: none is.
    #[must_use]
    pub const fn slow_call_duration(&self) -> Option<Duration> {
        match self.rates {
            Some(Rates { slow: Some(slow), .. }) => Some(slow.call),
            _ => None,
        }
    }

    /// The share of slow calls in the window that opens the breaker. Default 1 where a call can be
    /// slow.
    #[must_use]
    pub const fn slow_call_rate(&self) -> Option<f64> {
        match self.rates {
            Some(Rates { slow: Some(slow), .. }) => Some(slow.rate.0),
            _ => None,
        }
    }

    /// Whether an error of this kind is a failure; any other is neither failure nor success.
    /// Default: the [transient](ErrorKind::is_transient) kinds are.
    ///
    /// A call that the [deadline](crate::PolicyBuilder::deadline) of its own policy ended is a
    /// failure too if that policy has no attempt timeout, unless a list of kinds says otherwise:
    /// see [`trip_on`](BreakerConfigBuilder::trip_on).
    #[must_use]
    pub const fn trips_on(&self, kind: ErrorKind) -> bool {
        self.trips.contains(kind)
    }

    /// Whether a call that the deadline of its own policy ended is a failure.
    ///
    /// A short deadline says nothing about the server. But if nothing else limits an attempt, the
    /// deadline is the only sign of a server that hangs.
    pub(super) const fn trips_on_deadline(&self, attempts_are_timed: bool) -> bool {
        self.trips_on(ErrorKind::DeadlineExceeded) || !(self.ignores_deadline || attempts_are_timed)
    }

    pub(super) const fn rates(&self) -> Option<&Rates> {
        self.rates.as_ref()
    }

    /// How long it stays open when it opens for the `opening`th time in a row; the first is 1.
    /// `position`, from 0 to 1, places that in the range that jitter allows. `hint` is how long the
    /// server asks to stay away, in the failure that opens it: no probe comes sooner.
    ///
    /// It is never shorter than a millisecond: an open breaker has rejected something.
    pub(super) fn open_for(&self, opening: u32, position: f64, hint: Option<Duration>) -> Duration {
        let own = self.own_open_for(opening, position);
        hint.map_or(own, |hint| {
            own.max(above(hint, self.open_jitter.0, position).min(self.max_open_duration))
        })
    }

    /// How long it stays open by its settings alone.
    fn own_open_for(&self, opening: u32, position: f64) -> Duration {
        // By floating point only what grows or spreads: the other numbers are exact.
        let grown = if self.open_duration_multiplier.0 > 1.0 && opening > 1 {
            let growth = self
                .open_duration_multiplier
                .0
                .powi(i32::try_from(opening - 1).unwrap_or(i32::MAX));
            // Beyond what a duration can be, the cap holds.
            Duration::try_from_secs_f64(self.open_duration.as_secs_f64() * growth)
                .map_or(self.max_open_duration, |grown| grown.min(self.max_open_duration))
        } else {
            self.open_duration
        };
        if self.open_jitter.0 > 0.0 {
            Range::around(grown, self.max_open_duration, self.open_jitter.0)
                .at(position)
                .max(Duration::from_millis(1))
        } else {
            grown
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn growing() -> BreakerConfigBuilder {
        BreakerConfig::builder().open_duration(SECOND).open_duration_multiplier(2.0)
    }

    fn seconds(config: &BreakerConfig, openings: impl IntoIterator<Item = u32>) -> Vec<u64> {
        openings.into_iter().map(|opening| config.open_for(opening, 0.5, None).as_secs()).collect()
    }

    #[test]
    fn it_stays_open_for_longer_each_time_up_to_the_cap() {
        let config = growing().max_open_duration(10 * SECOND).build().unwrap();
        assert_eq!(seconds(&config, 1..=6), [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn growth_that_overflows_is_the_cap() {
        let config = growing().open_duration_multiplier(f64::MAX).build().unwrap();
        assert_eq!(seconds(&config, [1, 2, 3, u32::MAX]), [1, 300, 300, 300]);
        let endless = growing().max_open_duration(Duration::MAX).build().unwrap();
        assert_eq!(endless.open_for(u32::MAX, 0.5, None), Duration::MAX);
    }

    #[test]
    fn without_growth_and_jitter_the_duration_is_exact() {
        let odd = Duration::new(0, 123_456_789);
        let config = BreakerConfig::builder().open_duration(odd).build().unwrap();
        assert_eq!([1, 2, u32::MAX].map(|opening| config.open_for(opening, 0.9, None)), [odd; 3]);
    }

    #[test]
    fn jitter_spreads_it_either_way_and_never_above_the_cap() {
        let config = growing().max_open_duration(4 * SECOND).open_jitter(0.1).build().unwrap();
        let millis = |opening, position| config.open_for(opening, position, None).as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(1, position)), [900, 1000, 1100]);
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(3, position)), [3600, 3800, 4000]);
    }

    #[test]
    fn the_widest_jitter_leaves_it_open_for_a_millisecond() {
        let config = BreakerConfig::builder().open_jitter(1.0).build().unwrap();
        assert_eq!(config.open_for(1, 0.0, None), Duration::from_millis(1));
        assert_eq!(config.open_for(1, 1.0, None), 2 * config.open_duration());
    }

    #[test]
    fn a_hint_lengthens_it_up_to_the_cap() {
        let config = growing().max_open_duration(10 * SECOND).open_jitter(0.5).build().unwrap();
        let millis =
            |position, hint: u32| config.open_for(1, position, Some(hint * SECOND)).as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(position, 0)), [500, 1000, 1500]);
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(position, 6)), [6000, 7500, 9000]);
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(position, 9)), [9000, 10_000, 10_000]);
        assert_eq!(config.open_for(1, 0.0, Some(Duration::MAX)), 10 * SECOND);
    }

    #[test]
    fn a_rate_that_is_reached_is_exceeded_once_there_are_enough_calls() {
        let config = BreakerConfig::builder()
            .window_calls(100)
            .failure_rate(0.07)
            .minimum_calls(100)
            .slow_call_duration(SECOND)
            .slow_call_rate(0.3)
            .build()
            .unwrap();
        let exceeded =
            |calls, failures, slow| config.rates.unwrap().exceeded(calls, failures, slow);
        assert!(exceeded(100, 7, 0) && !exceeded(100, 6, 0));
        assert!(exceeded(100, 0, 30) && !exceeded(100, 0, 29));
        assert!(!exceeded(99, 99, 99), "too few calls");
    }

    #[test]
    fn a_rate_of_zero_is_reached_by_one_failure_and_not_by_none() {
        let config = BreakerConfig::builder().window_calls(9).failure_rate(0.0).build().unwrap();
        let rates = config.rates.unwrap();
        assert!(!rates.exceeded(9, 0, 0) && rates.exceeded(9, 1, 0));
    }
}
