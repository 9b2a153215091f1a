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
use crate::parse::args::{Arg, Args};
use crate::parse::values::expression;

/// Rejects the settings of a breaker that contradict each other.
pub fn check_breaker(args: &Args, settings: &Settings, errors: &mut Errors) {
    let mut builder = BreakerConfig::builder();
    if given(args, "window").is_some() && settings.get("window").is_none() {
        // It is wrong by itself, but the keys that need a window have one: any window will do.
        builder = builder.window_time(Duration::MAX);
    }
    check(&KEYS, builder, BreakerConfigBuilder::build, args, settings, errors);
}

/// Rejects settings that contradict each other. A value that is wrong by itself has been reported: it
/// contradicts nothing.
pub fn check<B: Copy, C>(
    keys: &[Key<B>],
    builder: B,
    build: impl Fn(B) -> Result<C, ConfigError>,
    args: &Args,
    settings: &Settings,
    errors: &mut Errors,
) {
    let is_wrong = |key: &&str| given(args, key).is_some() && settings.get(key).is_none();
    let mut left: Vec<&Change> = settings.changes.iter().collect();
    loop {
        let filled = left.iter().fold(builder, |builder, change| apply(builder, keys, change));
        let Err(error) = build(filled) else { return };
        let Some(contradiction) = Contradiction::of(error) else { return };
        let found = left.iter().position(|change| contradiction.has(change));
        // The builder has no rule that defaults alone break.
        let Some(found) = found else { return };
        let arg = given(args, &left[found].key.to_string());
        if let Some(arg) = arg
            && !contradiction.others.iter().any(is_wrong)
        {
            contradiction.report(arg, args, errors);
        }
        if error == ConfigError::BudgetCapacity {
            // Without these keys, the default capacity would be compared with the rest.
            return;
        }
        left.retain(|change| !contradiction.has(change));
    }
}

/// An error about several keys.
struct Contradiction {
    error: ConfigError,
    /// The keys at fault. It is reported at the first that is given.
    keys: &'static [&'static str],
    /// The keys that they contradict.
    others: &'static [&'static str],
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Key,
    Value,
}

impl Contradiction {
    fn of(error: ConfigError) -> Option<Self> {
        type Keys = &'static [&'static str];
        let (keys, others, place): (Keys, Keys, Place) = match error {
            ConfigError::WindowMissing => (
                &["failure_rate", "minimum_calls", "slow_call_duration", "slow_call_rate"],
                &["window"],
                Place::Key,
            ),
            ConfigError::FailureThresholdInWindow => {
                (&["failure_threshold"], &["window"], Place::Key)
            }
            ConfigError::SlowCallDurationMissing => {
                (&["slow_call_rate"], &["slow_call_duration"], Place::Key)
            }
            ConfigError::MinimumCallsOverWindow => (&["minimum_calls"], &["window"], Place::Value),
            ConfigError::MaxOpenDuration => {
                (&["max_open_duration"], &["open_duration"], Place::Value)
            }
            ConfigError::TripOnAndIgnore => (&["ignore"], &["trip_on"], Place::Key),
            ConfigError::IgnoreAll => (&["ignore"], &[], Place::Value),
            ConfigError::MaxDelay => (&["max_delay"], &["base_delay"], Place::Value),
            ConfigError::TimeoutCost => (&["timeout_cost"], &["retry_cost"], Place::Value),
            ConfigError::SuccessRefundOverCapacity => {
                (&["success_refund"], &["capacity"], Place::Value)
            }
            ConfigError::BudgetCapacity => {
                (&["capacity", "retry_cost", "timeout_cost", "rate_limit_cost"], &[], Place::Value)
            }
            // The compiler reports any other where the constant is evaluated.
            _ => return None,
        };
        Some(Self { error, keys, others, place })
    }

    fn has(&self, change: &Change) -> bool {
        self.keys.iter().any(|key| change.key == key)
    }

    fn report(&self, arg: &Arg, args: &Args, errors: &mut Errors) {
        let error = self.error;
        let advice = if error == ConfigError::WindowMissing {
            let calls = arg.beside("window", 100);
            let time = arg.beside("window", "\"60s\"");
            format!("\nwrite `{calls}` or `{time}` beside it")
        } else {
            let defaults = self.others.iter().filter(|key| given(args, key).is_none());
            defaults.filter_map(|key| default_of(key)).collect()
        };
        let message = format_args!("{error}{advice}");
        match self.place {
            Place::Key => errors.at(&arg.key, message),
            Place::Value => {
                if let Some(value) = expression(arg, errors) {
                    errors.at(value, message);
                }
            }
        }
    }
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
