//! Ranges and defaults.

use std::time::Duration;

use crate::error::ConfigError;
use crate::kind::ErrorKind;
use crate::kind_set::KindSet;
use crate::setting::{Count, Number, Time};

const MILLISECOND: Duration = Duration::from_millis(1);

/// A range of numbers that fit the breaker's state word.
const fn small(error: ConfigError) -> Count {
    Count { least: 1, most: u16::MAX as u32, error }
}

pub(super) const FAILURE_THRESHOLD: Count = small(ConfigError::FailureThreshold);
pub(super) const SUCCESS_THRESHOLD: Count = small(ConfigError::SuccessThreshold);
pub(super) const HALF_OPEN_MAX_CALLS: Count = small(ConfigError::HalfOpenMaxCalls);
pub(super) const MINIMUM_CALLS: Count = small(ConfigError::MinimumCalls);

/// A window takes two bytes for each call.
pub(super) const WINDOW_CALLS: Count =
    Count { least: 1, most: 1_000, error: ConfigError::WindowCalls };

/// A window of time moves on in tenths, and each must be a millisecond or more.
pub(super) const WINDOW_TIME: Time =
    Time { least: Duration::from_millis(10), error: ConfigError::WindowTime };

pub(super) const OPEN_DURATION: Time =
    Time { least: MILLISECOND, error: ConfigError::OpenDuration };
/// The minimum is the open duration, which the builder checks.
pub(super) const MAX_OPEN_DURATION: Time =
    Time { least: Duration::ZERO, error: ConfigError::MaxOpenDuration };
pub(super) const PROBE_TIMEOUT: Time =
    Time { least: MILLISECOND, error: ConfigError::ProbeTimeout };
pub(super) const SLOW_CALL_DURATION: Time =
    Time { least: MILLISECOND, error: ConfigError::SlowCallDuration };

pub(super) const OPEN_DURATION_MULTIPLIER: Number =
    Number { least: 1.0, most: f64::MAX, example: 2.0, error: ConfigError::OpenDurationMultiplier };
pub(super) const OPEN_JITTER: Number = Number::share(0.2, ConfigError::OpenJitter);
pub(super) const FAILURE_RATE: Number = Number::share(0.5, ConfigError::FailureRate);
pub(super) const SLOW_CALL_RATE: Number = Number::share(0.8, ConfigError::SlowCallRate);

/// The kinds that may count as failures by default.
pub(super) const IGNORABLE: KindSet = KindSet::TRANSIENT.with(ErrorKind::DeadlineExceeded);

/// The `failureThreshold` of the resilience layer that this library implements.
pub(super) const DEFAULT_FAILURE_THRESHOLD: u16 = 5;

/// With this many calls, a rate is meaningful: the `requestVolumeThreshold` of `MicroProfile` Fault
/// Tolerance.
pub(super) const DEFAULT_MINIMUM_CALLS: u16 = 20;

/// The `failureRatio` of `MicroProfile` Fault Tolerance, and the `failureRateThreshold` of
/// resilience4j.
pub(super) const DEFAULT_FAILURE_RATE: f64 = 0.5;

/// The `slowCallRateThreshold` of resilience4j.
pub(super) const DEFAULT_SLOW_CALL_RATE: f64 = 1.0;

/// The `max_ejection_time` of Envoy's outlier detection.
pub(super) const DEFAULT_MAX_OPEN_DURATION: Duration = Duration::from_secs(300);
