//! Values as settings give them, and as the builders take them.

use std::fmt;
use std::time::Duration;

use resilient_config::setting::{Key, Setting};
use resilient_config::{backoff, duration};

use crate::{Backoff, ErrorKind};

/// The value of a setting in code: a number, a duration, a list of kinds, a backoff or a flag.
///
/// ```
/// # #[cfg(feature = "settings")] {
/// use std::time::Duration;
/// use resilient_runtime::{ErrorKind, Settings};
///
/// let settings = Settings::new()
///     .breaker("search", "failure_threshold", 10)
///     .breaker("search", "open_duration", Duration::from_secs(60))
///     .breaker("search", "trip_on", [ErrorKind::TimeoutError].as_slice());
/// # drop(settings); }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SettingValue(pub(super) Given);

/// A value as it is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<String>),
    Flag(bool),
    /// The value of an environment variable, which is always a text.
    Variable(String),
    /// A value of TOML that no setting takes, such as a date.
    Unusable(&'static str),
}

impl From<u32> for SettingValue {
    fn from(number: u32) -> Self {
        Self(Given::Integer(number.into()))
    }
}

/// Without a suffix, a number in source is an `i32`.
impl From<i32> for SettingValue {
    fn from(number: i32) -> Self {
        Self(Given::Integer(number.into()))
    }
}

impl From<bool> for SettingValue {
    fn from(flag: bool) -> Self {
        Self(Given::Flag(flag))
    }
}

impl From<f64> for SettingValue {
    fn from(number: f64) -> Self {
        Self(Given::Float(number))
    }
}

impl From<Duration> for SettingValue {
    fn from(time: Duration) -> Self {
        Self(Given::Text(duration::written(time)))
    }
}

/// A duration as it is written in source, such as `60s`, or another word.
impl From<&str> for SettingValue {
    fn from(text: &str) -> Self {
        Self(Given::Text(text.to_owned()))
    }
}

impl From<Backoff> for SettingValue {
    fn from(backoff: Backoff) -> Self {
        Self(Given::Text(name_of(backoff).to_owned()))
    }
}

impl From<&[ErrorKind]> for SettingValue {
    fn from(kinds: &[ErrorKind]) -> Self {
        Self(Given::List(kinds.iter().map(|kind| kind.as_str().to_owned()).collect()))
    }
}

pub(super) fn name_of(backoff: Backoff) -> &'static str {
    let known = backoff::NAMES.iter().find(|(_, known)| *known == backoff);
    known.map_or("", |(name, _)| *name)
}

/// A value that a builder takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Count(u32),
    Time(Duration),
    Number(f64),
    Kinds(Vec<ErrorKind>),
    Backoff(Backoff),
    Flag(bool),
}

/// Reads a value by what its key takes.
pub(super) fn read<B>(key: &Key<B>, given: &Given) -> Result<Value, String> {
    let name = key.name;
    match &key.setting {
        Setting::Count(range, _) => {
            let number = whole(given).ok_or_else(|| {
                format!("`{name}` takes a whole number, as in `{name} = 3`, not {given}")
            })?;
            let in_range = u32::try_from(number).ok().map(|number| range.check(number));
            in_range
                .unwrap_or(Err(range.error))
                .map(Value::Count)
                .map_err(|error| format!("{error}, not {number}"))
        }
        Setting::Time(range, _) => {
            let time = time(name, given)?;
            let written = || duration::written(time);
            range
                .check(time)
                .map(Value::Time)
                .map_err(|error| format!("{error}, not {}", written()))
        }
        Setting::Number(range, _) => {
            let number = number(given).ok_or_else(|| {
                let example = range.example;
                format!("`{name}` takes a number, as in `{name} = {example}`, not {given}")
            })?;
            range.check(number).map(Value::Number).map_err(|error| format!("{error}, not {number}"))
        }
        Setting::Window((calls, _), (time_range, _)) => {
            if let Some(number) = whole(given) {
                let in_range = u32::try_from(number).ok().map(|number| calls.check(number));
                return in_range
                    .unwrap_or(Err(calls.error))
                    .map(Value::Count)
                    .map_err(|error| format!("{error}, not {number}"));
            }
            let time = time(name, given).map_err(|message| {
                format!("{message}; a number of calls is written as in `{name} = 100`")
            })?;
            time_range
                .check(time)
                .map(Value::Time)
                .map_err(|error| format!("{error}, not {}", duration::written(time)))
        }
        Setting::Kinds(allowed, _) => {
            let kinds = kinds(name, given)?;
            match kinds.iter().find(|kind| !allowed.contains(**kind)) {
                Some(kind) => Err(format!(
                    "`{name}` does not take `{kind}`: it takes transient kinds and \
                     `deadline_exceeded`"
                )),
                None => Ok(Value::Kinds(kinds)),
            }
        }
        Setting::Backoff(_) => {
            let text = text(given);
            let found = text.and_then(|text| {
                backoff::NAMES.iter().find(|(name, _)| *name == text).map(|(_, known)| *known)
            });
            let names: Vec<_> =
                backoff::NAMES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            found
                .map(Value::Backoff)
                .ok_or_else(|| format!("`{name}` is {}, not {given}", names.join(" or ")))
        }
    }
}

/// Gives a builder a value of this key.
pub(super) fn give<B>(builder: B, key: &Key<B>, value: &Value) -> B {
    match (&key.setting, value) {
        (Setting::Count(_, set) | Setting::Window((_, set), _), Value::Count(count)) => {
            set(builder, *count)
        }
        (Setting::Time(_, set) | Setting::Window(_, (_, set)), Value::Time(time)) => {
            set(builder, *time)
        }
        (Setting::Number(_, set), Value::Number(number)) => set(builder, *number),
        (Setting::Backoff(set), Value::Backoff(backoff)) => set(builder, *backoff),
        (Setting::Kinds(_, set), Value::Kinds(kinds)) => set(builder, kinds),
        // `read` makes no other pair.
        _ => builder,
    }
}

/// Reads a duration.
pub(super) fn time(key: &str, given: &Given) -> Result<Duration, String> {
    match text(given) {
        Some(text) => duration::parse(text).map_err(|message| format!("`{key}`: {message}")),
        None => Err(format!(
            "`{key}` takes a duration in quotes, as in `{key} = \"500ms\"`, not {given}"
        )),
    }
}

fn text(given: &Given) -> Option<&str> {
    match given {
        Given::Text(text) | Given::Variable(text) => Some(text),
        _ => None,
    }
}

/// Reads a flag.
pub(super) fn flag(key: &str, given: &Given) -> Result<bool, String> {
    let flag = match given {
        Given::Flag(flag) => Some(*flag),
        Given::Variable(text) => text.trim().parse().ok(),
        _ => None,
    };
    flag.ok_or_else(|| format!("`{key}` takes `true` or `false`, not {given}"))
}

/// Reads a whole number.
pub(super) fn whole(given: &Given) -> Option<i128> {
    match given {
        Given::Integer(number) => Some(*number),
        Given::Variable(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number that large is in no range")]
fn number(given: &Given) -> Option<f64> {
    match given {
        Given::Float(number) => Some(*number),
        Given::Integer(number) => Some(*number as f64),
        Given::Variable(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn kinds(key: &str, given: &Given) -> Result<Vec<ErrorKind>, String> {
    let names: Vec<&str> = match given {
        Given::List(names) => names.iter().map(String::as_str).collect(),
        Given::Variable(text) => text.split(',').map(str::trim).collect(),
        _ => {
            return Err(format!(
                "`{key}` takes a list of kinds, as in `{key} = [\"timeout_error\"]`, not {given}"
            ));
        }
    };
    let kind = |name: &str| name.parse().map_err(|error| format!("`{key}`: {error}"));
    names.into_iter().map(kind).collect()
}

/// The value as a message shows it.
impl fmt::Display for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Float(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Variable(text) => write!(formatter, "`{text}`"),
            Self::List(items) => write!(formatter, "{items:?}"),
            Self::Flag(flag) => write!(formatter, "`{flag}`"),
            Self::Unusable(sort) => formatter.write_str(sort),
        }
    }
}

/// The value as TOML writes it.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::Time(time) => write!(formatter, "\"{}\"", duration::written(*time)),
            Self::Number(number) => write!(formatter, "{number:?}"),
            Self::Backoff(backoff) => write!(formatter, "\"{}\"", name_of(*backoff)),
            Self::Kinds(kinds) => {
                let names: Vec<_> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
                write!(formatter, "[{}]", names.join(", "))
            }
        }
    }
}
