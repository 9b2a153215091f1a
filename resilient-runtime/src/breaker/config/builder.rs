//! From settings as a user gives them to a configuration that holds.

use std::time::Duration;

use super::{BreakerConfig, Number, Rates, Slow, Window, trips};
use crate::kinds::ErrorKinds;
use crate::{ConfigError, ErrorKind};

/// The most calls that a window of calls can hold. It takes two bytes for each.
const MAX_WINDOW_CALLS: u32 = 1_000;

/// A window of time moves on in tenths, each of which must be a millisecond or more.
const MIN_WINDOW_TIME: Duration = Duration::from_millis(10);

/// Among as many calls a rate says something: the `requestVolumeThreshold` of `MicroProfile` Fault
/// Tolerance.
const DEFAULT_MINIMUM_CALLS: u16 = 20;

/// The `failureRatio` of `MicroProfile` Fault Tolerance, and the `failureRateThreshold` of
/// resilience4j.
const DEFAULT_FAILURE_RATE: f64 = 0.5;

/// The `slowCallRateThreshold` of resilience4j.
const DEFAULT_SLOW_CALL_RATE: f64 = 1.0;

/// The `max_ejection_time` of Envoy's outlier detection.
const DEFAULT_MAX_OPEN_DURATION: Duration = Duration::from_secs(300);

/// Builds a [`BreakerConfig`]; [`build`](Self::build) checks it.
///
/// All its methods are `const`: a configuration can be a constant.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct BreakerConfigBuilder {
    failure_threshold: Option<u32>,
    success_threshold: u32,
    half_open_max_calls: Option<u32>,
    probe_timeout: Option<Duration>,
    open_duration: Duration,
    open_duration_multiplier: f64,
    max_open_duration: Option<Duration>,
    open_jitter: f64,
    window_calls: Option<u32>,
    window_time: Option<Duration>,
    failure_rate: Option<f64>,
    minimum_calls: Option<u32>,
    slow_call_duration: Option<Duration>,
    slow_call_rate: Option<f64>,
    /// Checked as far as a list can be by itself.
    trip_on: Option<Result<ErrorKinds, ConfigError>>,
    ignore: Option<Result<ErrorKinds, ConfigError>>,
    /// The kinds that count without a list, and whether a deadline never does.
    unlisted: (ErrorKinds, bool),
}

impl BreakerConfigBuilder {
    pub(super) const fn new() -> Self {
        Self {
            failure_threshold: None,
            success_threshold: BreakerConfig::DEFAULT.success_threshold as u32,
            half_open_max_calls: None,
            probe_timeout: None,
            open_duration: BreakerConfig::DEFAULT.open_duration,
            open_duration_multiplier: BreakerConfig::DEFAULT.open_duration_multiplier.0,
            max_open_duration: None,
            open_jitter: BreakerConfig::DEFAULT.open_jitter.0,
            window_calls: None,
            window_time: None,
            failure_rate: None,
            minimum_calls: None,
            slow_call_duration: None,
            slow_call_rate: None,
            trip_on: None,
            ignore: None,
            unlisted: (BreakerConfig::DEFAULT.trips, BreakerConfig::DEFAULT.ignores_deadline),
        }
    }

    /// The settings of `config`, without those that follow from others by default.
    pub(super) const fn of(config: &BreakerConfig) -> Self {
        let this = Self {
            success_threshold: config.success_threshold as u32,
            half_open_max_calls: unless_default(
                config.half_open_max_calls as u32,
                config.success_threshold as u32,
            ),
            probe_timeout: config.probe_timeout,
            open_duration: config.open_duration,
            open_duration_multiplier: config.open_duration_multiplier.0,
            max_open_duration: {
                let longest = config.max_open_duration;
                let default = default_max_open_duration(config.open_duration);
                if longest.as_nanos() == default.as_nanos() { None } else { Some(longest) }
            },
            open_jitter: config.open_jitter.0,
            unlisted: (config.trips, config.ignores_deadline),
            ..Self::new()
        };
        let Some(rates) = config.rates() else {
            let failures = config.failure_threshold as u32;
            let default = BreakerConfig::DEFAULT.failure_threshold as u32;
            return Self { failure_threshold: unless_default(failures, default), ..this };
        };
        let minimum_calls = default_minimum_calls(rates.window) as u32;
        Self {
            window_calls: config.window_calls(),
            window_time: config.window_time(),
            failure_rate: Some(rates.failure_rate.0),
            minimum_calls: unless_default(rates.minimum_calls as u32, minimum_calls),
            slow_call_duration: config.slow_call_duration(),
            slow_call_rate: config.slow_call_rate(),
            ..this
        }
    }

    /// How many failures in a row open the breaker, from 1 to 65,535. Default 5. Not together with a
    /// window, which opens it by [`failure_rate`](Self::failure_rate).
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = Some(failures);
        self
    }

    /// How many successful probes close the breaker again, from 1 to 65,535. Default 2.
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        self.success_threshold = successes;
        self
    }

    /// How many probes may be under way at once while the breaker is half-open, from 1 to 65,535.
    /// Default the [`success_threshold`](Self::success_threshold).
    ///
    /// A probe that hangs keeps its place when the breaker opens and is half-open again, until it
    /// ends, is dropped, or has taken the [`probe_timeout`](Self::probe_timeout).
    /// [`CircuitBreaker::reset`](crate::CircuitBreaker::reset) frees all places.
    pub const fn half_open_max_calls(mut self, calls: u32) -> Self {
        self.half_open_max_calls = Some(calls);
        self
    }

    /// A probe that takes this long, a millisecond or more, counts as failed, although it is still
    /// under way: the next call that asks to pass finds that out and opens the breaker again. The
    /// probe gives up its place, and its own end then changes nothing. By default there is no such
    /// limit, and a probe that hangs keeps its place until it is dropped.
    pub const fn probe_timeout(mut self, timeout: Duration) -> Self {
        self.probe_timeout = Some(timeout);
        self
    }

    /// How long the breaker stays open before it lets probes through: a millisecond or more. It is
    /// kept to the millisecond, rounded down. Default 30 s. If the failure that opens it carries a longer
    /// [`retry_after`](crate::Classify::retry_after), it stays open for that long, up to
    /// [`max_open_duration`](Self::max_open_duration).
    pub const fn open_duration(mut self, duration: Duration) -> Self {
        self.open_duration = duration;
        self
    }

    /// By which factor, 1 or more, the breaker stays open longer each time that its probes fail:
    /// with 2 it is the open duration times 1, 2, 4, and so on up to
    /// [`max_open_duration`](Self::max_open_duration). Closing begins anew. Default 1.
    pub const fn open_duration_multiplier(mut self, factor: f64) -> Self {
        self.open_duration_multiplier = factor;
        self
    }

    /// The longest that the breaker stays open, growth, jitter and hints of the server included; not
    /// shorter than the open duration. Default 5 minutes, which are those of Envoy's outlier
    /// detection, or twice the open duration if that is longer.
    pub const fn max_open_duration(mut self, duration: Duration) -> Self {
        self.max_open_duration = Some(duration);
        self
    }

    /// By which share of itself, from 0 to 1, the time that the breaker stays open is spread
    /// either way, so that a fleet of processes does not probe in step: with 0.1, 30 s are
    /// anything from 27 to 33 s, each as likely. Default 0.
    pub const fn open_jitter(mut self, share: f64) -> Self {
        self.open_jitter = share;
        self
    }

    /// Opens the breaker by the share of failures among so many of the last calls, from 1 to
    /// 1,000, instead of by failures in a row. Each call takes the place of the oldest.
    ///
    /// Calls that are neither success nor failure are not in the window. It is empty whenever the
    /// breaker closes.
    pub const fn window_calls(mut self, calls: u32) -> Self {
        self.window_calls = Some(calls);
        self
    }

    /// Opens the breaker by the share of failures among the calls that ended within this time, 10
    /// ms or more, instead of by failures in a row. It is kept to 10 ms, rounded down, and moves on
    /// in tenths: at any moment it spans nine to ten of them.
    ///
    /// Such a breaker reads the clock at the end of each call.
    pub const fn window_time(mut self, time: Duration) -> Self {
        self.window_time = Some(time);
        self
    }

    /// The share of failures in the window, from 0 to 1, that opens the breaker once it is
    /// reached. 0 is reached by one failure. Default 0.5, as in resilience4j and `MicroProfile`
    /// Fault Tolerance.
    pub const fn failure_rate(mut self, share: f64) -> Self {
        self.failure_rate = Some(share);
        self
    }

    /// How many calls must be in the window before a rate counts: from 1 to 65,535, and no more
    /// than a window of calls holds. Default 20, as in `MicroProfile` Fault Tolerance, or what the
    /// window holds where that is less.
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = Some(calls);
        self
    }

    /// A call that takes longer than this, a millisecond or more, is slow, whether it succeeds or
    /// fails; with retries, the attempt whose result counts. A slow probe counts as failed.
    ///
    /// Such a breaker reads the clock at the beginning and the end of each call.
    pub const fn slow_call_duration(mut self, duration: Duration) -> Self {
        self.slow_call_duration = Some(duration);
        self
    }

    /// The share of slow calls in the window, from 0 to 1, that opens the breaker once it is
    /// reached. 0 is reached by one slow call. Default 1, as in resilience4j.
    pub const fn slow_call_rate(mut self, share: f64) -> Self {
        self.slow_call_rate = Some(share);
        self
    }

    /// The kinds of error that count as failures, in place of the
    /// [transient](ErrorKind::is_transient) ones: one or more, each once. An error of any other
    /// kind is neither failure nor success.
    ///
    /// What is retried is another matter: transient errors, whatever trips the breaker. A panic is
    /// a failure always.
    ///
    /// An attempt that its timeout ended is a [`TimeoutError`](ErrorKind::TimeoutError). A call that
    /// its deadline ended is a [`DeadlineExceeded`](ErrorKind::DeadlineExceeded): without a list of
    /// kinds, it is a failure only if the policy has no attempt timeout. With this list, it is a
    /// failure if it is named here.
    ///
    /// ```
    /// use resilient_runtime::{BreakerConfig, ErrorKind};
    ///
    /// let config = BreakerConfig::builder()
    ///     .trip_on(&[ErrorKind::TimeoutError, ErrorKind::SearchTimeout])
    ///     .build()?;
    /// assert!(config.trips_on(ErrorKind::SearchTimeout));
    /// assert!(!config.trips_on(ErrorKind::ConnectionError));
    /// # Ok::<(), resilient_runtime::ConfigError>(())
    /// ```
    pub const fn trip_on(mut self, kinds: &[ErrorKind]) -> Self {
        self.trip_on = Some(trips::listed(kinds));
        self
    }

    /// Transient kinds of error, or [`DeadlineExceeded`](ErrorKind::DeadlineExceeded), that do not
    /// count as failures: one or more, each once, and not all transient ones. An error of such a
    /// kind is neither failure nor success, and is retried as ever.
    /// Not together with [`trip_on`](Self::trip_on), which names all kinds that count.
    ///
    /// ```
    /// use resilient_runtime::{BreakerConfig, ErrorKind};
    ///
    /// // A server that limits the rate is not down.
    /// let config = BreakerConfig::builder().ignore(&[ErrorKind::RateLimitError]).build()?;
    /// assert!(!config.trips_on(ErrorKind::RateLimitError));
    /// assert!(config.trips_on(ErrorKind::ServiceUnavailable));
    /// # Ok::<(), resilient_runtime::ConfigError>(())
    /// ```
    pub const fn ignore(mut self, kinds: &[ErrorKind]) -> Self {
        self.ignore = Some(trips::listed(kinds));
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// If a number is out of its range, a list of kinds says nothing, or two settings contradict
    /// each other: see [`ConfigError`].
    ///
    /// # Examples
    ///
    /// In a static, where a mistake stops the build and is told:
    ///
    /// ```
    /// use resilient_runtime::{BreakerConfig, CircuitBreaker};
    ///
    /// const CONFIG: BreakerConfig = match BreakerConfig::builder().window_calls(50).build() {
    ///     Ok(config) => config,
    ///     Err(error) => panic!("{}", error.message()),
    /// };
    /// static SEARCH: CircuitBreaker = CircuitBreaker::named("search", CONFIG);
    ///
    /// assert_eq!(SEARCH.config().window_calls(), Some(50));
    /// ```
    pub const fn build(self) -> Result<BreakerConfig, ConfigError> {
        let rates = match self.checked_rates() {
            Ok(rates) => rates,
            Err(error) => return Err(error),
        };
        let failure_threshold = match self.failure_threshold {
            Some(_) if rates.is_some() => return Err(ConfigError::FailureThresholdInWindow),
            Some(failures) => failures,
            None => BreakerConfig::DEFAULT.failure_threshold as u32,
        };
        let Some(failure_threshold) = count(failure_threshold) else {
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
        if let Some(timeout) = self.probe_timeout
            && timeout.as_millis() == 0
        {
            return Err(ConfigError::ProbeTimeout);
        }
        let max_open_duration = match self.checked_max_open_duration() {
            Ok(duration) => duration,
            Err(error) => return Err(error),
        };
        let (trips, ignores_deadline) = match self.checked_trips() {
            Ok(kinds) => kinds,
            Err(error) => return Err(error),
        };
        Ok(BreakerConfig {
            failure_threshold,
            success_threshold,
            half_open_max_calls,
            probe_timeout: self.probe_timeout,
            open_duration: self.open_duration,
            open_duration_multiplier: Number(self.open_duration_multiplier),
            max_open_duration,
            open_jitter: Number(self.open_jitter),
            rates,
            trips,
            ignores_deadline,
        })
    }

    /// What is said of the time that the breaker stays open, checked; the longest such time.
    const fn checked_max_open_duration(&self) -> Result<Duration, ConfigError> {
        if self.open_duration.as_millis() == 0 {
            return Err(ConfigError::OpenDuration);
        }
        // Written so that NaN is refused too, here and below.
        if !(self.open_duration_multiplier >= 1.0 && self.open_duration_multiplier.is_finite()) {
            return Err(ConfigError::OpenDurationMultiplier);
        }
        if !is_share(self.open_jitter) {
            return Err(ConfigError::OpenJitter);
        }
        let Some(longest) = self.max_open_duration else {
            return Ok(default_max_open_duration(self.open_duration));
        };
        if longest.as_nanos() < self.open_duration.as_nanos() {
            return Err(ConfigError::MaxOpenDuration);
        }
        Ok(longest)
    }

    /// The kinds of error that count as failures, and whether a deadline never does.
    const fn checked_trips(&self) -> Result<(ErrorKinds, bool), ConfigError> {
        match (self.trip_on, self.ignore) {
            (Some(_), Some(_)) => Err(ConfigError::TripOnAndIgnore),
            (Some(Ok(counted)), None) => {
                Ok((counted, !counted.contains(ErrorKind::DeadlineExceeded)))
            }
            (None, Some(Ok(ignored))) => match trips::all_but(ignored) {
                Ok(counted) => Ok((counted, ignored.contains(ErrorKind::DeadlineExceeded))),
                Err(error) => Err(error),
            },
            (Some(Err(error)), None) | (None, Some(Err(error))) => Err(error),
            (None, None) => Ok(self.unlisted),
        }
    }

    /// What is said of a window, checked; none where there is none.
    const fn checked_rates(&self) -> Result<Option<Rates>, ConfigError> {
        let window = match (self.window_calls, self.window_time) {
            (Some(_), Some(_)) => return Err(ConfigError::TwoWindows),
            (Some(calls), None) => match count(calls) {
                Some(places) if calls <= MAX_WINDOW_CALLS => Window::Calls(places),
                _ => return Err(ConfigError::WindowCalls),
            },
            (None, Some(time)) if time.as_millis() < MIN_WINDOW_TIME.as_millis() => {
                return Err(ConfigError::WindowTime);
            }
            (None, Some(time)) => Window::Time(time),
            (None, None) => {
                let unused = self.failure_rate.is_some()
                    || self.minimum_calls.is_some()
                    || self.slow_call_duration.is_some()
                    || self.slow_call_rate.is_some();
                return if unused { Err(ConfigError::WindowMissing) } else { Ok(None) };
            }
        };
        let minimum_calls = match self.checked_minimum_calls(window) {
            Ok(calls) => calls,
            Err(error) => return Err(error),
        };
        let failure_rate = match self.failure_rate {
            Some(rate) if is_share(rate) => rate,
            Some(_) => return Err(ConfigError::FailureRate),
            None => DEFAULT_FAILURE_RATE,
        };
        let slow = match self.checked_slow() {
            Ok(slow) => slow,
            Err(error) => return Err(error),
        };
        Ok(Some(Rates { window, minimum_calls, failure_rate: Number(failure_rate), slow }))
    }

    const fn checked_minimum_calls(&self, window: Window) -> Result<u16, ConfigError> {
        let Some(calls) = self.minimum_calls else {
            return Ok(default_minimum_calls(window));
        };
        match count(calls) {
            Some(calls) if calls <= most_calls(window) => Ok(calls),
            Some(_) => Err(ConfigError::MinimumCallsOverWindow),
            None => Err(ConfigError::MinimumCalls),
        }
    }

    const fn checked_slow(&self) -> Result<Option<Slow>, ConfigError> {
        let rate = match self.slow_call_rate {
            Some(rate) if is_share(rate) => rate,
            Some(_) => return Err(ConfigError::SlowCallRate),
            None => DEFAULT_SLOW_CALL_RATE,
        };
        match self.slow_call_duration {
            Some(call) if call.as_millis() == 0 => Err(ConfigError::SlowCallDuration),
            Some(call) => Ok(Some(Slow { call, rate: Number(rate) })),
            None if self.slow_call_rate.is_some() => Err(ConfigError::SlowCallDurationMissing),
            None => Ok(None),
        }
    }
}

/// The `max_open_duration` of a breaker with this open duration, by default.
const fn default_max_open_duration(open_duration: Duration) -> Duration {
    let twice = open_duration.saturating_mul(2);
    let is_longer = twice.as_nanos() > DEFAULT_MAX_OPEN_DURATION.as_nanos();
    if is_longer { twice } else { DEFAULT_MAX_OPEN_DURATION }
}

/// The `minimum_calls` of a breaker with this window, by default.
const fn default_minimum_calls(window: Window) -> u16 {
    let most = most_calls(window);
    if most < DEFAULT_MINIMUM_CALLS { most } else { DEFAULT_MINIMUM_CALLS }
}

/// The largest `minimum_calls` of a breaker with this window.
const fn most_calls(window: Window) -> u16 {
    match window {
        Window::Calls(calls) => calls,
        Window::Time(_) => u16::MAX,
    }
}

const fn unless_default(count: u32, default: u32) -> Option<u32> {
    if count == default { None } else { Some(count) }
}

/// A count that the breaker's state word has room for, and that is not 0.
#[expect(clippy::cast_possible_truncation, reason = "checked on the line before")]
const fn count(number: u32) -> Option<u16> {
    if number == 0 || number > u16::MAX as u32 { None } else { Some(number as u16) }
}

const fn is_share(number: f64) -> bool {
    number >= 0.0 && number <= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROSECOND: Duration = Duration::from_micros(1);

    #[test]
    fn the_builder_starts_from_the_defaults() {
        assert_eq!(BreakerConfig::builder().build(), Ok(BreakerConfig::DEFAULT));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let builder = BreakerConfig::builder;
        let window = || builder().window_calls(100);
        for (refused, error) in [
            (builder().failure_threshold(0), ConfigError::FailureThreshold),
            (builder().failure_threshold(65_536), ConfigError::FailureThreshold),
            (builder().success_threshold(0), ConfigError::SuccessThreshold),
            (builder().half_open_max_calls(0), ConfigError::HalfOpenMaxCalls),
            (builder().probe_timeout(999 * MICROSECOND), ConfigError::ProbeTimeout),
            (builder().open_duration(Duration::from_micros(999)), ConfigError::OpenDuration),
            (builder().open_duration_multiplier(0.9), ConfigError::OpenDurationMultiplier),
            (builder().open_duration_multiplier(f64::NAN), ConfigError::OpenDurationMultiplier),
            (
                builder().open_duration_multiplier(f64::INFINITY),
                ConfigError::OpenDurationMultiplier,
            ),
            (builder().open_jitter(1.1), ConfigError::OpenJitter),
            (builder().open_jitter(f64::NAN), ConfigError::OpenJitter),
            (builder().window_calls(0), ConfigError::WindowCalls),
            (builder().window_calls(1_001), ConfigError::WindowCalls),
            (builder().window_calls(65_637), ConfigError::WindowCalls),
            (builder().window_time(9_999 * MICROSECOND), ConfigError::WindowTime),
            (window().failure_rate(-0.1), ConfigError::FailureRate),
            (window().failure_rate(1.1), ConfigError::FailureRate),
            (window().failure_rate(f64::NAN), ConfigError::FailureRate),
            (window().minimum_calls(0), ConfigError::MinimumCalls),
            (window().minimum_calls(65_536), ConfigError::MinimumCalls),
            (window().slow_call_duration(999 * MICROSECOND), ConfigError::SlowCallDuration),
            (
                window().slow_call_duration(MICROSECOND * 1_000).slow_call_rate(2.0),
                ConfigError::SlowCallRate,
            ),
        ] {
            assert_eq!(refused.build(), Err(error));
        }
    }

    #[test]
    fn numbers_that_contradict_each_other_are_refused() {
        let builder = BreakerConfig::builder;
        let window = || builder().window_calls(100);
        let second = Duration::from_secs(1);
        for (refused, error) in [
            (builder().failure_rate(0.5), ConfigError::WindowMissing),
            (builder().minimum_calls(20), ConfigError::WindowMissing),
            (builder().slow_call_duration(second), ConfigError::WindowMissing),
            (builder().slow_call_rate(0.5), ConfigError::WindowMissing),
            (window().window_time(second), ConfigError::TwoWindows),
            (window().failure_threshold(5), ConfigError::FailureThresholdInWindow),
            (window().minimum_calls(101), ConfigError::MinimumCallsOverWindow),
            (window().slow_call_rate(0.5), ConfigError::SlowCallDurationMissing),
            (builder().max_open_duration(second), ConfigError::MaxOpenDuration),
            (
                builder().open_duration_multiplier(2.0).max_open_duration(second),
                ConfigError::MaxOpenDuration,
            ),
        ] {
            assert_eq!(refused.build(), Err(error));
        }
    }

    #[test]
    fn lists_of_kinds_that_say_nothing_or_too_much_are_refused() {
        use ErrorKind::{NotFoundError, RateLimitError, TimeoutError};

        let builder = BreakerConfig::builder;
        let transient: Vec<_> =
            ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient()).collect();
        for (refused, error) in [
            (builder().trip_on(&[]), ConfigError::NoKinds),
            (builder().ignore(&[]), ConfigError::NoKinds),
            (
                builder().trip_on(&[TimeoutError, TimeoutError]),
                ConfigError::KindTwice(TimeoutError),
            ),
            (
                builder().ignore(&[TimeoutError, RateLimitError, TimeoutError]),
                ConfigError::KindTwice(TimeoutError),
            ),
            (builder().ignore(&[TimeoutError, NotFoundError]), ConfigError::IgnoreNotTransient),
            (builder().ignore(&transient), ConfigError::IgnoreAll),
            (
                builder().trip_on(&[TimeoutError]).ignore(&[RateLimitError]),
                ConfigError::TripOnAndIgnore,
            ),
        ] {
            assert_eq!(refused.build(), Err(error));
        }
    }

    #[test]
    fn the_kinds_that_count_are_the_transient_ones_or_those_that_are_named() {
        use ErrorKind::{NotFoundError, RateLimitError, TimeoutError};

        let counted = |builder: BreakerConfigBuilder| {
            let config = builder.build().unwrap();
            ErrorKind::ALL.iter().copied().filter(move |kind| config.trips_on(*kind)).collect()
        };
        let transient: Vec<_> = counted(BreakerConfig::builder());
        assert!(transient.iter().all(|kind| kind.is_transient()) && transient.len() == 8);
        let named: Vec<_> =
            counted(BreakerConfig::builder().trip_on(&[NotFoundError, TimeoutError]));
        assert_eq!(named, [TimeoutError, NotFoundError]);
        let rest: Vec<_> = counted(BreakerConfig::builder().ignore(&[RateLimitError]));
        assert!(rest.len() == 7 && !rest.contains(&RateLimitError), "{rest:?}");
    }

    #[test]
    fn a_deadline_counts_by_the_policy_unless_a_list_says_otherwise() {
        use ErrorKind::{DeadlineExceeded, NotFoundError, TimeoutError};

        let builder = BreakerConfig::builder;
        for (config, without_attempt_timeout, with_it) in [
            (builder(), true, false),
            (builder().ignore(&[TimeoutError]), true, false),
            (builder().ignore(&[DeadlineExceeded]), false, false),
            (builder().trip_on(&[NotFoundError]), false, false),
            (builder().trip_on(&[NotFoundError, DeadlineExceeded]), true, true),
        ] {
            let config = config.build().unwrap();
            let counts = [false, true].map(|timed| config.trips_on_deadline(timed));
            assert_eq!(counts, [without_attempt_timeout, with_it], "{config:?}");
        }
    }

    #[test]
    fn a_configuration_survives_the_way_through_a_builder() {
        use ErrorKind::{DeadlineExceeded, NotFoundError, RateLimitError, TimeoutError};

        let builder = BreakerConfig::builder;
        let second = Duration::from_secs(1);
        let window = || builder().window_calls(10);
        for built in [
            builder(),
            builder().failure_threshold(7).success_threshold(3),
            builder().half_open_max_calls(9).probe_timeout(second),
            builder().open_duration(400 * second).open_duration_multiplier(1.5).open_jitter(0.2),
            builder().max_open_duration(60 * second),
            window(),
            window().failure_rate(0.25).minimum_calls(3),
            window().slow_call_duration(second).slow_call_rate(0.75),
            builder().window_time(60 * second).minimum_calls(100),
            builder().trip_on(&[NotFoundError]),
            builder().trip_on(&[NotFoundError, DeadlineExceeded]),
            builder().ignore(&[RateLimitError]),
            builder().ignore(&[DeadlineExceeded, TimeoutError]),
        ] {
            let config = built.build().unwrap();
            assert_eq!(config.to_builder().build(), Ok(config));
        }
    }

    #[test]
    fn a_builder_of_a_configuration_changes_one_setting() {
        use ErrorKind::{RateLimitError, TimeoutError};

        let config = BreakerConfig::builder().failure_threshold(7).ignore(&[RateLimitError]);
        let config = config.build().unwrap();
        let longer = config.to_builder().open_duration(Duration::from_secs(60)).build().unwrap();
        assert_eq!(longer.failure_threshold(), 7);
        assert!(!longer.trips_on(RateLimitError));
        // A new list takes the place of the old one, of whichever sort each is.
        let other = config.to_builder().ignore(&[TimeoutError]).build().unwrap();
        assert!(other.trips_on(RateLimitError) && !other.trips_on(TimeoutError));
        let named = config.to_builder().trip_on(&[TimeoutError]).build().unwrap();
        assert!(named.trips_on(TimeoutError) && !named.trips_on(ErrorKind::NetworkError));
    }

    #[test]
    fn what_follows_by_default_follows_a_change_too() {
        let minute = Duration::from_secs(60);
        let default = BreakerConfig::DEFAULT;
        let changed = default.to_builder().success_threshold(4).open_duration(10 * minute);
        let changed = changed.build().unwrap();
        assert_eq!(changed.half_open_max_calls(), 4);
        assert_eq!(changed.max_open_duration(), 20 * minute);
        let window = default.to_builder().window_calls(10).build().unwrap();
        assert_eq!(window.minimum_calls(), Some(10));
        let wider = window.to_builder().window_calls(100).build().unwrap();
        assert_eq!(wider.minimum_calls(), Some(20));
    }

    #[test]
    fn two_ways_to_name_the_same_kinds_are_one_configuration() {
        let all: Vec<_> =
            ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient()).collect();
        let [first, rest @ ..] = &all[..] else { panic!("{all:?}") };
        let build = |builder: BreakerConfigBuilder| builder.build().unwrap();
        assert_eq!(
            build(BreakerConfig::builder().trip_on(&all)),
            build(BreakerConfig::builder().ignore(&[ErrorKind::DeadlineExceeded]))
        );
        assert_eq!(
            build(BreakerConfig::builder().trip_on(rest)),
            build(BreakerConfig::builder().ignore(&[*first, ErrorKind::DeadlineExceeded]))
        );
    }

    #[test]
    fn a_window_brings_its_defaults() {
        let calls = BreakerConfig::builder().window_calls(10).build().unwrap();
        assert_eq!((calls.window_calls(), calls.window_time()), (Some(10), None));
        assert_eq!((calls.minimum_calls(), calls.failure_rate()), (Some(10), Some(0.5)));
        assert_eq!((calls.slow_call_duration(), calls.slow_call_rate()), (None, None));

        let minute = Duration::from_secs(60);
        let time = BreakerConfig::builder()
            .window_time(minute)
            .slow_call_duration(minute)
            .build()
            .unwrap();
        assert_eq!((time.window_calls(), time.window_time()), (None, Some(minute)));
        assert_eq!((time.minimum_calls(), time.slow_call_rate()), (Some(20), Some(1.0)));
    }

    #[test]
    fn the_longest_open_duration_leaves_room_for_growth_and_jitter() {
        let longest = |seconds| {
            let open = Duration::from_secs(seconds);
            BreakerConfig::builder().open_duration(open).build().unwrap().max_open_duration()
        };
        assert_eq!([30, 150, 151].map(|open| longest(open).as_secs()), [300, 300, 302]);
    }
}
