//! Settings that contradict each other.
//!
//! The builder finds them. Here they are reported at the key that is wrong, all of them at once, and
//! once for an `impl` block.

use std::time::Duration;

use resilient_config::breaker::KEYS;
use resilient_config::setting::Key;
use resilient_config::{BreakerConfig, BreakerConfigBuilder, BudgetConfig, ConfigError, duration};

use super::keys::given;
use super::settings::{Change, Settings, apply};
use crate::diagnose::errors::Errors;
use crate::parse::args::Args;

/// Rejects the settings of a breaker that contradict each other.
pub fn check_breaker(args: &Args, settings: &Settings, errors: &mut Errors) {
    let mut builder = BreakerConfig::builder();
    if given(args, "window").is_some() && settings.get("window").is_none() {
        // The window is wrong by itself. With another one, the keys that need a window are correct.
        builder = builder.window_time(Duration::MAX);
    }
    check(&KEYS, builder, BreakerConfigBuilder::build, args, settings, errors);
}

/// Rejects settings that contradict each other. A value that is wrong by itself has been reported,
/// and is skipped. So is a value in a constant, unless its key alone is the contradiction: the compiler
/// gives it to the builder.
pub fn check<B: Copy, C>(
    keys: &[Key<B>],
    builder: B,
    build: impl Fn(B) -> Result<C, ConfigError>,
    args: &Args,
    settings: &Settings,
    errors: &mut Errors,
) {
    let is_wrong = |key: &&str| given(args, key).is_some() && settings.get(key).is_none();
    let is_constant = |key: &&str| settings.is_constant(key);
    let mut left: Vec<&Change> = settings.changes.iter().collect();
    loop {
        let filled = left.iter().fold(builder, |builder, change| apply(builder, keys, change));
        let Err(error) = build(filled) else { return };
        let Some((at_fault, others)) = keys_of(error) else { return };
        let is_at_fault = |change: &Change| at_fault.iter().any(|key| change.key == key);
        // The builder has no rule that defaults alone break.
        let Some(found) = left.iter().find(|change| is_at_fault(change)) else { return };
        let is_unknown = !is_of_keys(error) && at_fault.iter().chain(others).any(is_constant);
        if !is_unknown && !others.iter().any(is_wrong) {
            let defaults = others.iter().filter(|key| given(args, key).is_none());
            let defaults: String = defaults.filter_map(|key| default_of(key)).collect();
            errors.at(&found.key, format_args!("{error}{defaults}"));
        }
        if error == ConfigError::BudgetCapacity {
            // Without these keys, the default capacity would be compared with the rest.
            return;
        }
        left.retain(|change| !is_at_fault(change));
    }
}

/// Returns the keys at fault, and the keys that they contradict. The error is reported at the first
/// key at fault that is given.
fn keys_of(error: ConfigError) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match error {
        ConfigError::WindowMissing => (
            &["failure_rate", "minimum_calls", "slow_call_duration", "slow_call_rate"],
            &["window"],
        ),
        ConfigError::FailureThresholdOverWindow => (&["failure_threshold"], &["window"]),
        ConfigError::MinimumCallsWithoutRate => {
            (&["minimum_calls"], &["failure_rate", "slow_call_duration"])
        }
        ConfigError::SlowCallDurationMissing => (&["slow_call_rate"], &["slow_call_duration"]),
        ConfigError::MinimumCallsOverWindow => (&["minimum_calls"], &["window"]),
        ConfigError::MaxOpenDuration => (&["max_open_duration"], &["open_duration"]),
        ConfigError::TripOnAndIgnore => (&["ignore"], &["trip_on"]),
        ConfigError::IgnoreAll => (&["ignore"], &[]),
        ConfigError::MaxDelay => (&["max_delay"], &["base_delay"]),
        ConfigError::TimeoutCost => (&["timeout_cost"], &["retry_cost"]),
        ConfigError::SuccessRefundOverCapacity => (&["success_refund"], &["capacity"]),
        ConfigError::BudgetCapacity => {
            (&["capacity", "retry_cost", "timeout_cost", "rate_limit_cost"], &[])
        }
        // The compiler reports any other error when it evaluates the constant.
        _ => return None,
    })
}

/// Whether the keys that are given are the contradiction, whatever their values.
const fn is_of_keys(error: ConfigError) -> bool {
    matches!(
        error,
        ConfigError::WindowMissing
            | ConfigError::MinimumCallsWithoutRate
            | ConfigError::SlowCallDurationMissing
            | ConfigError::TripOnAndIgnore
    )
}

/// A line that states the default of a key.
fn default_of(key: &str) -> Option<String> {
    let (breaker, budget) = (BreakerConfig::DEFAULT, BudgetConfig::DEFAULT);
    let default = match key {
        "open_duration" => duration::written(breaker.open_duration()),
        "retry_cost" => budget.retry_cost().to_string(),
        "capacity" => budget.capacity().to_string(),
        _ => return None,
    };
    Some(format!("\nthe default of `{key}` is {default}"))
}
