//! Settings as the user gives them, and their checks.

use std::time::Duration;

use super::config::{BreakerConfig, Checked, Rates, Slow, Window};
use super::limits::{
    DEFAULT_FAILURE_RATE, DEFAULT_FAILURE_THRESHOLD, DEFAULT_MAX_OPEN_DURATION,
    DEFAULT_MINIMUM_CALLS, DEFAULT_SLOW_CALL_RATE, FAILURE_RATE, FAILURE_THRESHOLD,
    HALF_OPEN_MAX_CALLS, IGNORABLE, MINIMUM_CALLS, OPEN_DURATION, OPEN_DURATION_MULTIPLIER,
    OPEN_JITTER, PROBE_TIMEOUT, SLOW_CALL_DURATION, SLOW_CALL_RATE, SUCCESS_THRESHOLD,
    WINDOW_CALLS, WINDOW_TIME,
};
use crate::error::ConfigError;
use crate::kind::ErrorKind;
use crate::kind_set::KindSet;
use crate::setting::Count;

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
    trip_on: Option<Result<KindSet, ConfigError>>,
    ignore: Option<Result<KindSet, ConfigError>>,
    /// The kinds that count without a list, and whether a deadline never does.
    unlisted: (KindSet, bool),
}

impl BreakerConfig {
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
}

impl BreakerConfigBuilder {
    const fn new() -> Self {
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

    /// Starts from `config`, without the settings that have a default which follows from others.
    const fn of(config: &BreakerConfig) -> Self {
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
        let Some(rates) = &config.rates else {
            let failure_threshold = match config.failure_threshold() {
                Some(failures) => unless_default(failures, DEFAULT_FAILURE_THRESHOLD as u32),
                None => None,
            };
            return Self { failure_threshold, ..this };
        };
        let minimum_calls = match config.minimum_calls() {
            Some(calls) => unless_default(calls, default_minimum_calls(rates.window) as u32),
            None => None,
        };
        Self {
            window_calls: config.window_calls(),
            window_time: config.window_time(),
            failure_threshold: config.failure_threshold(),
            failure_rate: rates.failure_rate(),
            minimum_calls,
            slow_call_duration: config.slow_call_duration(),
            slow_call_rate: config.slow_call_rate(),
            ..this
        }
    }

    /// How many consecutive failures open the breaker, from 1 to 65,535. Default 5.
    ///
    /// With a window, this many failures in the window open the breaker, whatever succeeds between
    /// them, and no more than a window of calls holds. Such a window opens by
    /// [`failure_rate`](Self::failure_rate) only if that is given too. Either then opens it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilient_runtime::{BreakerConfig, CircuitBreaker};
    ///
    /// let minute = Duration::from_secs(60);
    /// let config = BreakerConfig::builder().failure_threshold(2).window_time(minute).build()?;
    /// let breaker = CircuitBreaker::new(config);
    /// breaker.acquire().unwrap().failure();
    /// breaker.acquire().unwrap().success();
    /// breaker.acquire().unwrap().failure();
    /// assert!(breaker.acquire().is_err());
    /// # Ok::<(), resilient_runtime::ConfigError>(())
    /// ```
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
    /// A probe that hangs keeps its slot when the breaker opens and becomes half-open again, until it
    /// ends, is dropped, or has taken the [`probe_timeout`](Self::probe_timeout).
    /// `CircuitBreaker::reset` frees all slots.
    pub const fn half_open_max_calls(mut self, calls: u32) -> Self {
        self.half_open_max_calls = Some(calls);
        self
    }

    /// How long a probe may take, a millisecond or more. A probe that takes longer counts as failed
    /// while it is still under way: the next call that arrives opens the breaker again. The probe
    /// loses its slot, and its result changes nothing. By default there is no limit, and a probe that
    /// hangs keeps its slot until it is dropped.
    pub const fn probe_timeout(mut self, timeout: Duration) -> Self {
        self.probe_timeout = Some(timeout);
        self
    }

    /// How long the breaker stays open before it admits probes: a millisecond or more, rounded down to
    /// the millisecond. Default 30 s. If the failure that opens it carries a longer
    /// `Classify::retry_after`, it stays open for that long, up to
    /// [`max_open_duration`](Self::max_open_duration).
    pub const fn open_duration(mut self, duration: Duration) -> Self {
        self.open_duration = duration;
        self
    }

    /// The factor, 1 or more, by which the breaker stays open longer each time that its probes fail:
    /// with 2 it is the open duration times 1, 2, 4, and so on up to
    /// [`max_open_duration`](Self::max_open_duration). Closing resets it. Default 1.
    pub const fn open_duration_multiplier(mut self, factor: f64) -> Self {
        self.open_duration_multiplier = factor;
        self
    }

    /// The longest that the breaker stays open, including growth, jitter and hints of the server. Not
    /// shorter than the open duration. Default 5 minutes, as in Envoy's outlier detection, or twice
    /// the open duration if that is longer.
    pub const fn max_open_duration(mut self, duration: Duration) -> Self {
        self.max_open_duration = Some(duration);
        self
    }

    /// The share, from 0 to 1, by which the time that the breaker stays open varies either way, so
    /// that a fleet of processes does not probe in step. With 0.1, 30 s become anything from 27 to
    /// 33 s, uniformly distributed. Default 0.
    pub const fn open_jitter(mut self, share: f64) -> Self {
        self.open_jitter = share;
        self
    }

    /// Opens the breaker by the share of failures among this many of the last calls, from 1 to 1,000,
    /// instead of by consecutive failures. Each call replaces the oldest. With a
    /// [`failure_threshold`](Self::failure_threshold), it opens by the number of failures among them.
    ///
    /// Calls that are neither success nor failure are not in the window. The window is empty when the
    /// breaker closes.
    pub const fn window_calls(mut self, calls: u32) -> Self {
        self.window_calls = Some(calls);
        self
    }

    /// Opens the breaker by the share of failures among the calls that ended within this time, 10
    /// ms or more, instead of by consecutive failures. It is rounded down to 10 ms, and moves on in
    /// tenths: at any moment it spans nine to ten of them. With a
    /// [`failure_threshold`](Self::failure_threshold), the breaker opens by the number of failures
    /// among these calls.
    ///
    /// Such a breaker reads the clock at the end of each call.
    pub const fn window_time(mut self, time: Duration) -> Self {
        self.window_time = Some(time);
        self
    }

    /// Removes the window, so that one of the other sort can take its place.
    #[doc(hidden)]
    pub const fn without_window(mut self) -> Self {
        self.window_calls = None;
        self.window_time = None;
        self
    }

    /// The share of failures in the window, from 0 to 1, at which the breaker opens. 0 is reached by
    /// one failure. Default 0.5, as in resilience4j and `MicroProfile` Fault Tolerance; with a
    /// [`failure_threshold`](Self::failure_threshold), no share opens it by default.
    pub const fn failure_rate(mut self, share: f64) -> Self {
        self.failure_rate = Some(share);
        self
    }

    /// How many calls must be in the window before a rate counts: from 1 to 65,535, and no more
    /// than a window of calls holds. Default 20, as in `MicroProfile` Fault Tolerance, or the
    /// size of a smaller window of calls. [`failure_threshold`](Self::failure_threshold) does not wait
    /// for it.
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = Some(calls);
        self
    }

    /// A call that takes longer than this, a millisecond or more, is slow, whether it succeeds or
    /// fails. With retries, the attempt whose result counts is measured. A slow probe counts as failed.
    ///
    /// Such a breaker reads the clock at the beginning and the end of each call.
    pub const fn slow_call_duration(mut self, duration: Duration) -> Self {
        self.slow_call_duration = Some(duration);
        self
    }

    /// The share of slow calls in the window, from 0 to 1, at which the breaker opens. 0 is reached by
    /// one slow call. Default 1, as in resilience4j.
    pub const fn slow_call_rate(mut self, share: f64) -> Self {
        self.slow_call_rate = Some(share);
        self
    }

    /// Replaces the kinds of error that count as failures, which are the
    /// [transient](ErrorKind::is_transient) ones by default: one or more, each once. An error of any
    /// other kind is neither failure nor success.
    ///
    /// This does not change what is retried. A panic is always a failure.
    ///
    /// An attempt ended by its timeout is a [`TimeoutError`](ErrorKind::TimeoutError). A call
    /// ended by its deadline is a [`DeadlineExceeded`](ErrorKind::DeadlineExceeded): without a list of
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
        self.trip_on = Some(listed(kinds));
        self
    }

    /// Transient kinds of error, or [`DeadlineExceeded`](ErrorKind::DeadlineExceeded), that do not
    /// count as failures: one or more, each once, and not all transient ones. An error of such a
    /// kind is neither failure nor success, and is retried as usual.
    /// Not together with [`trip_on`](Self::trip_on), which names every kind that counts.
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
        self.ignore = Some(listed(kinds));
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// If a number is out of its range, a list of kinds is empty, or two settings contradict each
    /// other: see [`ConfigError`].
    ///
    /// # Examples
    ///
    /// In a static, where a mistake is a compile error:
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
        let rates = ok!(self.checked_rates());
        let failure_threshold = ok!(self.checked_failure_threshold(rates));
        let success_threshold = ok!(count(&SUCCESS_THRESHOLD, self.success_threshold));
        let half_open_max_calls = match self.half_open_max_calls {
            Some(calls) => calls,
            None => self.success_threshold,
        };
        let half_open_max_calls = ok!(count(&HALF_OPEN_MAX_CALLS, half_open_max_calls));
        if let Some(timeout) = self.probe_timeout {
            ok!(PROBE_TIMEOUT.check(timeout));
        }
        let max_open_duration = ok!(self.checked_max_open_duration());
        let (trips, ignores_deadline) = ok!(self.checked_trips());
        Ok(BreakerConfig {
            failure_threshold,
            success_threshold,
            half_open_max_calls,
            probe_timeout: self.probe_timeout,
            open_duration: self.open_duration,
            open_duration_multiplier: Checked(self.open_duration_multiplier),
            max_open_duration,
            open_jitter: Checked(self.open_jitter),
            rates,
            trips,
            ignores_deadline,
        })
    }

    /// Checks how many failures open the breaker. Returns `None` if only rates do.
    const fn checked_failure_threshold(
        &self,
        rates: Option<Rates>,
    ) -> Result<Option<u16>, ConfigError> {
        match (self.failure_threshold, rates) {
            (None, None) => Ok(Some(DEFAULT_FAILURE_THRESHOLD)),
            (None, Some(_)) => Ok(None),
            (Some(failures), rates) => {
                let failures = ok!(count(&FAILURE_THRESHOLD, failures));
                match rates {
                    Some(rates) if failures > most_calls(rates.window) => {
                        Err(ConfigError::FailureThresholdOverWindow)
                    }
                    _ => Ok(Some(failures)),
                }
            }
        }
    }

    /// Checks how long the breaker stays open. Returns the longest such time.
    const fn checked_max_open_duration(&self) -> Result<Duration, ConfigError> {
        ok!(OPEN_DURATION.check(self.open_duration));
        ok!(OPEN_DURATION_MULTIPLIER.check(self.open_duration_multiplier));
        ok!(OPEN_JITTER.check(self.open_jitter));
        let Some(longest) = self.max_open_duration else {
            return Ok(default_max_open_duration(self.open_duration));
        };
        if longest.as_nanos() < self.open_duration.as_nanos() {
            return Err(ConfigError::MaxOpenDuration);
        }
        Ok(longest)
    }

    /// Returns the kinds of error that count as failures, and whether a deadline never does.
    const fn checked_trips(&self) -> Result<(KindSet, bool), ConfigError> {
        match (self.trip_on, self.ignore) {
            (Some(_), Some(_)) => Err(ConfigError::TripOnAndIgnore),
            (Some(listed), None) => {
                let counted = ok!(listed);
                Ok((counted, !counted.contains(ErrorKind::DeadlineExceeded)))
            }
            (None, Some(listed)) => {
                let ignored = ok!(listed);
                Ok((ok!(all_but(ignored)), ignored.contains(ErrorKind::DeadlineExceeded)))
            }
            (None, None) => Ok(self.unlisted),
        }
    }

    /// Checks the window and the rates. Returns `None` if there is no window.
    const fn checked_rates(&self) -> Result<Option<Rates>, ConfigError> {
        let window = match (self.window_calls, self.window_time) {
            (Some(_), Some(_)) => return Err(ConfigError::TwoWindows),
            (Some(calls), None) => Window::Calls(ok!(count(&WINDOW_CALLS, calls))),
            (None, Some(time)) => Window::Time(ok!(WINDOW_TIME.check(time))),
            (None, None) => {
                let unused = self.failure_rate.is_some()
                    || self.minimum_calls.is_some()
                    || self.slow_call_duration.is_some()
                    || self.slow_call_rate.is_some();
                return if unused { Err(ConfigError::WindowMissing) } else { Ok(None) };
            }
        };
        let failure_rate = match self.failure_rate {
            Some(rate) => Some(Checked(ok!(FAILURE_RATE.check(rate)))),
            // The number of failures replaces the default.
            None if self.failure_threshold.is_some() => None,
            None => Some(Checked(DEFAULT_FAILURE_RATE)),
        };
        let slow = ok!(self.checked_slow());
        let has_rate = failure_rate.is_some() || slow.is_some();
        let minimum_calls = ok!(self.checked_minimum_calls(window, has_rate));
        Ok(Some(Rates { window, minimum_calls, failure_rate, slow }))
    }

    const fn checked_minimum_calls(
        &self,
        window: Window,
        has_rate: bool,
    ) -> Result<Option<u16>, ConfigError> {
        match self.minimum_calls {
            Some(calls) => match ok!(count(&MINIMUM_CALLS, calls)) {
                calls if calls > most_calls(window) => Err(ConfigError::MinimumCallsOverWindow),
                _ if !has_rate => Err(ConfigError::MinimumCallsWithoutRate),
                calls => Ok(Some(calls)),
            },
            None if has_rate => Ok(Some(default_minimum_calls(window))),
            None => Ok(None),
        }
    }

    const fn checked_slow(&self) -> Result<Option<Slow>, ConfigError> {
        let rate = match self.slow_call_rate {
            Some(rate) => rate,
            None => DEFAULT_SLOW_CALL_RATE,
        };
        let rate = Checked(ok!(SLOW_CALL_RATE.check(rate)));
        match self.slow_call_duration {
            Some(call) => Ok(Some(Slow { call: ok!(SLOW_CALL_DURATION.check(call)), rate })),
            None if self.slow_call_rate.is_some() => Err(ConfigError::SlowCallDurationMissing),
            None => Ok(None),
        }
    }
}

/// Returns the default `max_open_duration` of a breaker with this open duration.
const fn default_max_open_duration(open_duration: Duration) -> Duration {
    let twice = open_duration.saturating_mul(2);
    let is_longer = twice.as_nanos() > DEFAULT_MAX_OPEN_DURATION.as_nanos();
    if is_longer { twice } else { DEFAULT_MAX_OPEN_DURATION }
}

/// Returns the default `minimum_calls` of a breaker with this window.
const fn default_minimum_calls(window: Window) -> u16 {
    let most = most_calls(window);
    if most < DEFAULT_MINIMUM_CALLS { most } else { DEFAULT_MINIMUM_CALLS }
}

/// Returns the largest `minimum_calls` of a breaker with this window.
const fn most_calls(window: Window) -> u16 {
    match window {
        Window::Calls(calls) => calls,
        Window::Time(_) => u16::MAX,
    }
}

const fn unless_default(count: u32, default: u32) -> Option<u32> {
    if count == default { None } else { Some(count) }
}

/// Checks a number whose range fits the breaker's state word.
#[expect(clippy::cast_possible_truncation, reason = "no range ends above `u16::MAX`")]
const fn count(range: &Count, number: u32) -> Result<u16, ConfigError> {
    assert!(range.most <= u16::MAX as u32, "a range does not fit the state word");
    Ok(ok!(range.check(number)) as u16)
}

/// Returns the kinds of a list.
const fn listed(kinds: &[ErrorKind]) -> Result<KindSet, ConfigError> {
    let mut listed = KindSet::NONE;
    let mut rest = kinds;
    while let [kind, others @ ..] = rest {
        if listed.contains(*kind) {
            return Err(ConfigError::KindTwice(*kind));
        }
        listed = listed.with(*kind);
        rest = others;
    }
    if listed.is_empty() { Err(ConfigError::NoKinds) } else { Ok(listed) }
}

/// Returns the kinds that count if these are ignored.
const fn all_but(ignored: KindSet) -> Result<KindSet, ConfigError> {
    if !ignored.without(IGNORABLE).is_empty() {
        return Err(ConfigError::IgnoreNotTransient);
    }
    let counted = KindSet::TRANSIENT.without(ignored);
    if counted.is_empty() { Err(ConfigError::IgnoreAll) } else { Ok(counted) }
}
