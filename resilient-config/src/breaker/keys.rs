//! The keys of a breaker.

use super::builder::BreakerConfigBuilder as Builder;
use super::limits::{
    FAILURE_RATE, FAILURE_THRESHOLD, HALF_OPEN_MAX_CALLS, IGNORABLE, MAX_OPEN_DURATION,
    MINIMUM_CALLS, OPEN_DURATION, OPEN_DURATION_MULTIPLIER, OPEN_JITTER, PROBE_TIMEOUT,
    SLOW_CALL_DURATION, SLOW_CALL_RATE, SUCCESS_THRESHOLD, WINDOW_CALLS, WINDOW_TIME,
};
use crate::kind_set::KindSet;
use crate::setting::{Key, Setting};

/// The keys of a breaker, in the order in which messages list them.
pub const KEYS: [Key<Builder>; 15] = [
    Key::new("failure_threshold", Setting::Count(FAILURE_THRESHOLD, Builder::failure_threshold)),
    Key::new(
        "window",
        Setting::Window((WINDOW_CALLS, Builder::window_calls), (WINDOW_TIME, Builder::window_time)),
    ),
    Key::new("failure_rate", Setting::Number(FAILURE_RATE, Builder::failure_rate)),
    Key::new("minimum_calls", Setting::Count(MINIMUM_CALLS, Builder::minimum_calls)),
    Key::new("slow_call_duration", Setting::Time(SLOW_CALL_DURATION, Builder::slow_call_duration)),
    Key::new("slow_call_rate", Setting::Number(SLOW_CALL_RATE, Builder::slow_call_rate)),
    Key::new("trip_on", Setting::Kinds(KindSet::ALL, Builder::trip_on)),
    Key::new("ignore", Setting::Kinds(IGNORABLE, Builder::ignore)),
    Key::new("open_duration", Setting::Time(OPEN_DURATION, Builder::open_duration)),
    Key::new(
        "open_duration_multiplier",
        Setting::Number(OPEN_DURATION_MULTIPLIER, Builder::open_duration_multiplier),
    ),
    Key::new("max_open_duration", Setting::Time(MAX_OPEN_DURATION, Builder::max_open_duration)),
    Key::new("open_jitter", Setting::Number(OPEN_JITTER, Builder::open_jitter)),
    Key::new("success_threshold", Setting::Count(SUCCESS_THRESHOLD, Builder::success_threshold)),
    Key::new(
        "half_open_max_calls",
        Setting::Count(HALF_OPEN_MAX_CALLS, Builder::half_open_max_calls),
    ),
    Key::new("probe_timeout", Setting::Time(PROBE_TIMEOUT, Builder::probe_timeout)),
];
