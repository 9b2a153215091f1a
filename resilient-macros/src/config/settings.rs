//! The settings that arguments give, read by the tables of `resilient_config`.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use resilient_config::setting::{Count, Key, Number, Setting, Time};
use resilient_config::spelling::misspelt;
use resilient_config::{Backoff, ConfigError, duration};
use syn::{Expr, Lit, LitInt, LitStr};

use super::kind_list;
use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::one_of;
use crate::parse::args::Arg;
use crate::parse::kinds::Kind;
use crate::parse::values::{self, expression, literal, path, string, ungrouped};

/// What may follow the digits of a whole number.
const INTEGERS: &[&str] =
    &["", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"];

/// What may follow the digits of a number with a point.
const FLOATS: &[&str] = &["", "f32", "f64"];

/// The settings that differ from a default.
pub struct Settings {
    pub changes: Vec<Change>,
    /// Where to report that they contradict each other.
    pub span: Span,
}

/// A key with its value.
pub struct Change {
    pub key: Ident,
    pub value: Value,
}

/// The value of a setting.
pub enum Value {
    Count(u32),
    Time(Duration),
    Number(f64),
    /// `window`, in calls.
    WindowCalls(u32),
    /// `window`, in time.
    WindowTime(Duration),
    Backoff(Backoff, Span),
    Kinds(Vec<Kind>),
}

impl Settings {
    pub const fn none(span: Span) -> Self {
        Self { changes: Vec::new(), span }
    }

    /// Returns the value of this key, if it is valid by itself.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.changes.iter().find(|change| change.key == key).map(|change| &change.value)
    }

    /// Returns the duration that this key has, with the key.
    pub fn time(&self, key: &str) -> Option<(&Ident, Duration)> {
        self.changes.iter().find_map(|change| match change.value {
            Value::Time(time) if change.key == key => Some((&change.key, time)),
            _ => None,
        })
    }

    /// Reads the value of a key and adds it.
    pub fn read<B>(&mut self, keys: &[Key<B>], name: &str, arg: &Arg, errors: &mut Errors) {
        let key = keys.iter().find(|key| key.name == name);
        let value = key.and_then(|key| read(&key.setting, arg, errors));
        self.changes.extend(value.map(|value| Change { key: arg.key.clone(), value }));
    }
}

fn read<B>(setting: &Setting<B>, arg: &Arg, errors: &mut Errors) -> Option<Value> {
    if let Setting::Kinds(allowed, _) = setting {
        return kind_list::read(arg, *allowed, errors).map(Value::Kinds);
    }
    values::read(arg, false, errors, |arg, errors| {
        let value = expression(arg, errors)?;
        match setting {
            Setting::Count(range, _) => count(range, arg, value, errors).map(Value::Count),
            Setting::Time(range, _) => time_in(range, arg, value, errors).map(Value::Time),
            Setting::Number(range, _) => number_in(range, arg, value, errors).map(Value::Number),
            Setting::Window((calls, _), (time, _)) => window(calls, time, arg, value, errors),
            Setting::Backoff(words, _) => {
                word(arg, value, words, errors).map(|(backoff, span)| Value::Backoff(backoff, span))
            }
            Setting::Kinds(..) => None,
        }
    })
}

/// Gives the builder a value.
pub fn apply<B: Copy>(builder: B, keys: &[Key<B>], change: &Change) -> B {
    let Some(key) = keys.iter().find(|key| change.key == key.name) else { return builder };
    match (&key.setting, &change.value) {
        (Setting::Count(_, set), Value::Count(count))
        | (Setting::Window((_, set), _), Value::WindowCalls(count)) => set(builder, *count),
        (Setting::Time(_, set), Value::Time(time))
        | (Setting::Window(_, (_, set)), Value::WindowTime(time)) => set(builder, *time),
        (Setting::Number(_, set), Value::Number(number)) => set(builder, *number),
        (Setting::Backoff(_, set), Value::Backoff(backoff, _)) => set(builder, *backoff),
        (Setting::Kinds(_, set), Value::Kinds(kinds)) => {
            set(builder, &kinds.iter().map(|kind| kind.kind).collect::<Vec<_>>())
        }
        _ => builder,
    }
}

/// Reads one of these words.
pub fn word<T: Copy>(
    arg: &Arg,
    value: &Expr,
    words: &[(&'static str, T)],
    errors: &mut Errors,
) -> Option<(T, Span)> {
    let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
    // `Backoff::Linear`, or `linear` without its quotes.
    let last = path(value).and_then(|path| Some(path.segments.last()?.ident.to_string()));
    let meant = last.and_then(|name| misspelt(&name, &names)).unwrap_or(names[0]);
    let text = string(arg, value, &format!("\"{meant}\""), errors)?;
    let (key, written) = (&arg.key, text.value());
    if let Some((_, found)) = words.iter().find(|(name, _)| *name == written) {
        return Some((*found, text.span()));
    }
    let hint = misspelt(&written, &names)
        .map(|meant| format!(": write `{}`", arg.with(format_args!("\"{meant}\""))))
        .unwrap_or_default();
    errors.at(&text, format_args!("`{key}` is {}, not `{written}`{hint}", one_of(&names)));
    None
}

/// Reads a whole number in a range.
fn count(range: &Count, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<u32> {
    count_by(|number| range.check(number).map_err(ConfigError::message), arg, value, errors)
}

/// Reads a whole number that `check` accepts.
pub fn count_by(
    check: impl Fn(u32) -> Result<u32, &'static str>,
    arg: &Arg,
    value: &Expr,
    errors: &mut Errors,
) -> Option<u32> {
    let key = &arg.key;
    let Some(number) = whole(value) else {
        let meant = digits(value).and_then(|digits| digits.parse().ok());
        let advice = arg.with(meant.filter(|meant| check(*meant).is_ok()).unwrap_or(3));
        errors.at(value, format_args!("`{key}` takes a whole number: write `{advice}`"));
        return None;
    };
    // The check may speak of the least alone.
    let checked = number.base10_parse().map_or_else(
        |_| Err(check(u32::MAX).err().map_or_else(|| too_large(key), ToOwned::to_owned)),
        |number| check(number).map_err(ToOwned::to_owned),
    );
    checked.map_err(|message| errors.at(value, message)).ok()
}

fn too_large(key: &Ident) -> String {
    format!("`{key}` must be {} or less", u32::MAX)
}

/// Reads a number in a range.
fn number_in(range: &Number, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<f64> {
    let in_range = |number: &f64| range.check(*number).is_ok();
    let found = number(value).filter(in_range);
    if found.is_none() {
        let meant = if range.is_share() {
            meant_share(value)
        } else {
            digits(value).and_then(|digits| digits.parse().ok())
        };
        let advice = arg.with(meant.filter(in_range).unwrap_or(range.example));
        let message = range.error.message();
        errors.at(value, format_args!("{message}: write `{advice}`"));
    }
    found
}

/// The share that a number in quotes is meant for, or a percentage.
fn meant_share(value: &Expr) -> Option<f64> {
    let digits = digits(value)?;
    let percent = digits.strip_suffix('%').map(str::trim_end);
    let number: f64 = percent.unwrap_or(&digits).parse().ok()?;
    // A little above 1 may be a slip of the point, or a factor.
    let share = if percent.is_some() || number >= 2.0 {
        format!("{number}e-2").parse().ok()?
    } else {
        number
    };
    Some(share)
}

/// Reads a duration in a range.
fn time_in(range: &Time, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let checked = range.check(time(arg, value, errors)?);
    let report = |error| {
        let instead = if error == ConfigError::ZeroMaxDelay {
            format!("\nwrite `{}` instead", arg.beside("base_delay", "\"0s\""))
        } else {
            String::new()
        };
        errors.at(value, format_args!("{error}{instead}"));
    };
    checked.map_err(report).ok()
}

/// Reads `window = 100` or `window = "60s"`.
fn window(
    calls: &Count,
    time: &Time,
    arg: &Arg,
    value: &Expr,
    errors: &mut Errors,
) -> Option<Value> {
    if let Some(Lit::Str(text)) = literal(value) {
        return window_time(calls, time, arg, value, text, errors).map(Value::WindowTime);
    }
    if whole(value).is_some() {
        return count(calls, arg, value, errors).map(Value::WindowCalls);
    }
    let advice = unquoted_time(value).map_or_else(
        || both_windows(calls, arg, value),
        |time| format!("`{}`", arg.with(format_args!("\"{time}\""))),
    );
    errors.at(
        value,
        format_args!("`window` takes a number of calls, or a time in quotes: write {advice}"),
    );
    None
}

fn window_time(
    calls: &Count,
    range: &Time,
    arg: &Arg,
    value: &Expr,
    text: &LitStr,
    errors: &mut Errors,
) -> Option<Duration> {
    let time = duration::parse(&text.value()).map_err(|message| {
        let both = both_windows(calls, arg, value);
        errors.at(
            text,
            format_args!(
                "{message}\n`window` takes a number of calls, or a time in quotes: write {both}"
            ),
        );
    });
    range.check(time.ok()?).map_err(|error| errors.at(text, error)).ok()
}

/// A window of calls and one of time, with the number in `value` if there is one.
fn both_windows(calls: &Count, arg: &Arg, value: &Expr) -> String {
    let number = digits(value).and_then(|digits| digits.parse().ok());
    let number = number.filter(|number| calls.check(*number).is_ok());
    let (calls, seconds) = number.map_or((100, 60), |number| (number, number));
    format!("`{}` or `{}`", arg.with(calls), arg.with(format_args!("\"{seconds}s\"")))
}

/// Returns the whole number in an expression. `60s` is none: it is a time without its quotes.
pub fn whole(value: &Expr) -> Option<&LitInt> {
    match literal(value) {
        Some(Lit::Int(number)) if INTEGERS.contains(&number.suffix()) => Some(number),
        _ => None,
    }
}

/// Returns the number in an expression, with a point or without.
fn number(value: &Expr) -> Option<f64> {
    match literal(value) {
        Some(Lit::Float(number)) if FLOATS.contains(&number.suffix()) => number.base10_parse().ok(),
        Some(Lit::Int(number)) if FLOATS.contains(&number.suffix()) => number.base10_parse().ok(),
        _ => whole(value)?.base10_parse().ok(),
    }
}

/// Returns the digits of what is meant for a number, without quotes or suffix.
fn digits(value: &Expr) -> Option<String> {
    Some(match literal(value)? {
        Lit::Str(text) => text.value().trim().to_owned(),
        Lit::Int(number) => number.base10_digits().to_owned(),
        Lit::Float(number) => number.base10_digits().trim_end_matches(".0").to_owned(),
        _ => return None,
    })
}

/// Reads a duration.
pub fn time(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    if let Some(Lit::Str(text)) = literal(value) {
        return duration::parse(&text.value()).map_err(|message| errors.at(text, message)).ok();
    }
    let key = &arg.key;
    let written = |time: &str| format!("`{}`", arg.with(format_args!("\"{time}\"")));
    let advice = if let Some(time) = unquoted_time(value) {
        written(&time)
    } else if let Some(number) = whole(value) {
        let seconds = format!("{}s", number.base10_digits());
        let millis = format!("{}ms", number.base10_digits());
        format!("{} or {}", written(&seconds), written(&millis))
    } else {
        let time = constructed_time(value);
        written(time.as_deref().unwrap_or("500ms"))
    };
    errors.at(value, format_args!("`{key}` takes a time in quotes: write {advice}"));
    None
}

/// Returns the time that a constructor makes: `Duration::from_secs(5)`.
fn constructed_time(value: &Expr) -> Option<String> {
    let Expr::Call(call) = ungrouped(value) else { return None };
    let constructor = path(&call.func)?.segments.last()?.ident.to_string();
    let unit = match constructor.as_str() {
        "from_secs" => "s",
        "from_millis" => "ms",
        "from_micros" => "us",
        "from_nanos" => "ns",
        "from_mins" => "m",
        "from_hours" => "h",
        _ => return None,
    };
    Some(format!("{}{unit}", whole(call.args.first()?)?.base10_digits()))
}

/// Returns a time whose quotes are missing: `60s`.
fn unquoted_time(value: &Expr) -> Option<String> {
    let Some(Lit::Int(number)) = literal(value) else { return None };
    let time = format!("{}{}", number.base10_digits(), number.suffix());
    duration::parse(&time).is_ok().then_some(time)
}

#[cfg(test)]
mod tests {
    use resilient_config::{breaker, retry};
    use syn::parse_str;

    use super::*;

    /// What `read` makes of what is written behind `key`, or what it says.
    fn read<T>(
        written: &str,
        read: impl Fn(&Arg, &Expr, &mut Errors) -> Option<T>,
    ) -> Result<T, String> {
        let (arg, value) = (parse_str("key").unwrap(), parse_str(written).unwrap());
        let mut errors = Errors::default();
        let found = read(&arg, &value, &mut errors);
        errors.finish().map_err(|error| error.to_string()).map(|()| found.unwrap())
    }

    fn a_count(written: &str) -> Result<u32, String> {
        let range = Count { least: 1, most: 1_000, error: ConfigError::WindowCalls };
        read(written, |arg, value, errors| count(&range, arg, value, errors))
    }

    fn a_share(written: &str) -> Result<f64, String> {
        a_number("jitter", written)
    }

    fn a_factor(written: &str) -> Result<f64, String> {
        a_number("open_duration_multiplier", written)
    }

    fn a_number(name: &str, written: &str) -> Result<f64, String> {
        let of_row = retry::KEYS.iter().filter_map(|key| match key.setting {
            Setting::Number(range, _) => Some((key.name, range)),
            _ => None,
        });
        let of_breaker = breaker::KEYS.iter().filter_map(|key| match key.setting {
            Setting::Number(range, _) => Some((key.name, range)),
            _ => None,
        });
        let (_, range) = of_row.chain(of_breaker).find(|(key, _)| *key == name).unwrap();
        read(written, |arg, value, errors| number_in(&range, arg, value, errors))
    }

    #[track_caller]
    fn advises<T: std::fmt::Debug>(read: Result<T, String>, advice: &str) {
        let message = read.unwrap_err();
        assert!(message.ends_with(&format!(": write {advice}")), "{message}");
    }

    #[test]
    fn the_suffixes_of_the_language_are_those_of_numbers() {
        for suffix in INTEGERS {
            assert_eq!(a_count(&format!("4{suffix}")), Ok(4), "{suffix}");
            assert_eq!(a_share(&format!("1{suffix}")), Ok(1.0), "{suffix}");
        }
        for suffix in FLOATS {
            assert_eq!(a_share(&format!("0.25{suffix}")), Ok(0.25), "{suffix}");
            assert_eq!(a_share(&format!("1{suffix}")), Ok(1.0), "{suffix}");
        }
        assert_eq!(a_factor("3f64"), Ok(3.0));
        for (written, advice) in
            [("60s", "`key = 60`"), ("4f32", "`key = 4`"), ("2.0", "`key = 2`")]
        {
            advises(a_count(written), advice);
        }
        advises(a_share("1s"), "`key = 1`");
        advises(a_share("0.5x"), "`key = 0.5`");
    }

    #[test]
    fn advice_keeps_the_number_that_is_meant() {
        for (written, meant) in [
            ("50", "0.5"),
            ("2", "0.02"),
            ("100", "1"),
            ("99.9", "0.999"),
            ("\"50%\"", "0.5"),
            ("\"1 %\"", "0.01"),
            ("\"80\"", "0.8"),
            ("\" .8\"", "0.8"),
            ("\"1\"", "1"),
            ("1.5", "0.2"),
            ("101", "0.2"),
            ("-0.1", "0.2"),
            ("\"half\"", "0.2"),
            ("\"nan\"", "0.2"),
            ("\"inf\"", "0.2"),
            ("HALF", "0.2"),
        ] {
            advises(a_share(written), &format!("`key = {meant}`"));
        }
        advises(a_count("\"7\""), "`key = 7`");
        advises(a_count("\"7000\""), "`key = 3`");
        advises(a_factor("\"2.5\""), "`key = 2.5`");
        advises(a_factor("\"0.5\""), "`key = 2`");
    }

    #[test]
    fn advice_keeps_the_time_that_is_meant() {
        for (written, advice) in [
            ("60s", "`key = \"60s\"`"),
            ("1m30s", "`key = \"1m30s\"`"),
            ("1_000ms", "`key = \"1000ms\"`"),
            ("30", "`key = \"30s\"` or `key = \"30ms\"`"),
            ("30u64", "`key = \"30s\"` or `key = \"30ms\"`"),
            ("5min", "`key = \"500ms\"`"),
            ("1.5", "`key = \"500ms\"`"),
            ("SOON", "`key = \"500ms\"`"),
        ] {
            advises(read(written, time), advice);
        }
    }
}
