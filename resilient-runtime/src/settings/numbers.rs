//! The numbers of the program by their keys.

use resilient_config::breaker;

use super::value::{Value, give};
use crate::breaker::KeyedConfig;
use crate::{BreakerConfig, BudgetConfig, ErrorKind, KeyedBreakers, RetryPolicy};

/// The keys of a template beside those of a breaker.
pub(super) const MAX_KEYS: &str = "max_keys";

/// The time limits of a function.
pub(super) const ATTEMPT_TIMEOUT: &str = "attempt_timeout";
pub(super) const DEADLINE: &str = "deadline";

/// Whether the calls of a function are timed.
pub(super) const DURATIONS: &str = "durations";

/// A number with its key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) key: &'static str,
    pub(super) value: Value,
    /// Whether neither source nor settings give it.
    pub(super) is_default: bool,
}

/// Returns the numbers of a breaker, in the order of its keys.
pub(super) fn of_breaker(config: &BreakerConfig) -> Vec<Number> {
    let implied = implied(config);
    let keys = breaker::KEYS.iter().filter_map(|key| {
        let value = breaker_value(config, key.name)?;
        let default = if IMPLYING.contains(&key.name) { &BreakerConfig::DEFAULT } else { &implied };
        let is_default = breaker_value(default, key.name).as_ref() == Some(&value);
        Some(Number { key: key.name, value, is_default })
    });
    keys.collect()
}

/// The keys from which defaults of others follow.
const IMPLYING: [&str; 5] =
    ["failure_threshold", "window", "slow_call_duration", "open_duration", "success_threshold"];

/// Returns the configuration that has the same values of these keys, and defaults otherwise.
fn implied(config: &BreakerConfig) -> BreakerConfig {
    let given = breaker::KEYS.iter().filter(|key| IMPLYING.contains(&key.name));
    let builder = given.fold(BreakerConfig::builder(), |builder, key| {
        match breaker_value(config, key.name) {
            Some(value) => give(builder, key, &value),
            None => builder,
        }
    });
    // It consists of settings that go together, so it is built.
    builder.build().unwrap_or(BreakerConfig::DEFAULT)
}

fn breaker_value(config: &BreakerConfig, key: &str) -> Option<Value> {
    Some(match key {
        "failure_threshold" => Value::Count(config.failure_threshold()?),
        "window" => match config.window_calls() {
            Some(calls) => Value::Count(calls),
            None => Value::Time(config.window_time()?),
        },
        "failure_rate" => Value::Number(config.failure_rate()?),
        "minimum_calls" => Value::Count(config.minimum_calls()?),
        "slow_call_duration" => Value::Time(config.slow_call_duration()?),
        "slow_call_rate" => Value::Number(config.slow_call_rate()?),
        "trip_on" => Value::Kinds(counted_kinds(config)?),
        "open_duration" => Value::Time(config.open_duration()),
        "open_duration_multiplier" => Value::Number(config.open_duration_multiplier()),
        "max_open_duration" => Value::Time(config.max_open_duration()),
        "open_jitter" => Value::Number(config.open_jitter()),
        "success_threshold" => Value::Count(config.success_threshold()),
        "half_open_max_calls" => Value::Count(config.half_open_max_calls()),
        "probe_timeout" => Value::Time(config.probe_timeout()?),
        "ignore" => Value::Kinds(ignored_kinds(config)?),
        _ => return None,
    })
}

/// Returns the kinds of `ignore` if that list says which kinds count.
fn ignored_kinds(config: &BreakerConfig) -> Option<Vec<ErrorKind>> {
    let kinds = || ErrorKind::ALL.iter().copied();
    if kinds().any(|kind| !kind.is_transient() && config.trips_on(kind)) {
        return None;
    }
    let never_by_deadline = !breaker::trips_on_deadline(config, false);
    let ignored = |kind: &ErrorKind| {
        kind.is_transient() && !config.trips_on(*kind)
            || *kind == ErrorKind::DeadlineExceeded && never_by_deadline
    };
    let ignored: Vec<_> = kinds().filter(ignored).collect();
    (!ignored.is_empty()).then_some(ignored)
}

/// Returns the kinds of `trip_on`, where `ignore` cannot say which kinds count.
fn counted_kinds(config: &BreakerConfig) -> Option<Vec<ErrorKind>> {
    let kinds = || ErrorKind::ALL.iter().copied().filter(|kind| config.trips_on(*kind));
    kinds().any(|kind| !kind.is_transient()).then(|| kinds().collect())
}

/// Returns the numbers of a template.
pub(super) fn of_template(config: &KeyedConfig) -> Vec<Number> {
    let mut numbers = of_breaker(&config.config);
    let max_keys = config.max_keys;
    let is_default = max_keys == KeyedBreakers::DEFAULT_MAX_KEYS;
    numbers.push(Number { key: MAX_KEYS, value: Value::Count(max_keys), is_default });
    numbers
}

/// Returns the numbers of a retry row whose default is `default`.
pub(super) fn of_row(row: &RetryPolicy, default: &RetryPolicy) -> Vec<Number> {
    let values = |row: &RetryPolicy| {
        [
            ("max_attempts", Value::Count(row.max_attempts())),
            ("base_delay", Value::Time(row.base_delay())),
            ("max_delay", Value::Time(row.max_delay())),
            ("jitter", Value::Number(row.jitter())),
            ("backoff", Value::Backoff(row.backoff())),
        ]
    };
    with_defaults(values(row), values(default))
}

/// Returns the numbers of a row that has no defaults.
pub(super) fn of_own_row(row: &RetryPolicy) -> Vec<Number> {
    let numbers = of_row(row, row).into_iter();
    numbers.map(|number| Number { is_default: false, ..number }).collect()
}

/// Returns the numbers of a budget.
pub(super) fn of_budget(config: &BudgetConfig) -> Vec<Number> {
    let values = |config: &BudgetConfig| {
        [
            ("capacity", config.capacity()),
            ("retry_cost", config.retry_cost()),
            ("timeout_cost", config.timeout_cost()),
            ("rate_limit_cost", config.rate_limit_cost()),
            ("success_refund", config.success_refund()),
        ]
        .map(|(key, number)| (key, Value::Count(number)))
    };
    with_defaults(values(config), values(&BudgetConfig::DEFAULT))
}

fn with_defaults<const N: usize>(
    values: [(&'static str, Value); N],
    defaults: [(&'static str, Value); N],
) -> Vec<Number> {
    let numbers = values.into_iter().zip(defaults).map(|((key, value), (_, default))| {
        let is_default = value == default;
        Number { key, value, is_default }
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use resilient_config::{budget, retry};

    use super::*;

    #[test]
    fn every_key_has_its_number() {
        let window = BreakerConfig::builder()
            .window_calls(100)
            .failure_threshold(50)
            .failure_rate(0.5)
            .slow_call_duration(std::time::Duration::from_secs(1))
            .probe_timeout(std::time::Duration::from_secs(1));
        let ignoring = of_breaker(&window.ignore(&[ErrorKind::RateLimitError]).build().unwrap());
        let tripping = of_breaker(&window.trip_on(&[ErrorKind::Unknown]).build().unwrap());
        for key in breaker::KEYS {
            let mut numbers = ignoring.iter().chain(&tripping);
            assert!(numbers.any(|number| number.key == key.name), "{}", key.name);
        }
        let row = of_row(&RetryPolicy::DEFAULT, &RetryPolicy::DEFAULT);
        assert!(row.iter().map(|number| number.key).eq(retry::KEYS.iter().map(|key| key.name)));
        let numbers = of_budget(&BudgetConfig::DEFAULT);
        assert!(
            numbers.iter().map(|number| number.key).eq(budget::KEYS.iter().map(|key| key.name))
        );
    }

    #[test]
    fn the_kinds_that_count_are_said_by_one_list() {
        let of = |config: BreakerConfig| {
            let numbers = of_breaker(&config);
            let kinds = numbers.into_iter().filter(|it| matches!(it.value, Value::Kinds(_)));
            kinds.map(|number| format!("{} = {}", number.key, number.value)).collect::<Vec<_>>()
        };
        let builder = BreakerConfig::builder;
        assert!(of(BreakerConfig::DEFAULT).is_empty());
        assert_eq!(
            of(builder().ignore(&[ErrorKind::DeadlineExceeded]).build().unwrap()),
            ["ignore = [\"deadline_exceeded\"]"]
        );
        assert_eq!(
            of(builder().trip_on(&[ErrorKind::Unknown]).build().unwrap()),
            ["trip_on = [\"unknown\"]"]
        );
    }
}
