//! The settings that arguments give, read by the tables of `resilient_config`.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use resilient_config::setting::{Count, Key, Number, Setting, Time};
use resilient_config::{Backoff, backoff, duration};
use syn::{Expr, Lit, LitInt, Path};

use super::kind_list;
use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::one_of;
use crate::parse::args::Arg;
use crate::parse::kinds::Kind;
use crate::parse::values::{
    Given, constant, constant_or, expression, literal, or_constant, outside_of_self, string,
};

/// What may follow the digits of a whole number.
const INTEGERS: &[&str] =
    &["", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"];

/// What may follow the digits of a number with a point.
const FLOATS: &[&str] = &["", "f32", "f64"];

/// The settings that differ from a default.
pub struct Settings {
    pub changes: Vec<Change>,
    /// The span for errors about several settings.
    pub span: Span,
}

/// A key with its value.
pub struct Change {
    pub key: Ident,
    pub value: Value,
}

/// The value of a setting.
pub enum Value {
    Count(Given<u32>),
    Time(Given<Duration>),
    Number(Given<f64>),
    /// A window whose constant decides whether it is one of calls or of time.
    Window(Path),
    Backoff(Backoff, Span),
    Kinds(Vec<Kind>),
}

impl Value {
    /// Returns the constant that holds it, if one does.
    pub const fn constant(&self) -> Option<&Path> {
        match self {
            Self::Count(count) => count.constant(),
            Self::Time(time) => time.constant(),
            Self::Number(number) => number.constant(),
            Self::Window(path) => Some(path),
            Self::Backoff(..) | Self::Kinds(_) => None,
        }
    }
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
    pub fn time(&self, key: &str) -> Option<(&Ident, &Given<Duration>)> {
        self.changes.iter().find_map(|change| match &change.value {
            Value::Time(time) if change.key == key => Some((&change.key, time)),
            _ => None,
        })
    }

    /// Whether a constant holds the value of this key.
    pub fn is_constant(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.constant().is_some())
    }

    /// Returns the constants that hold values.
    pub fn constants(&self) -> impl Iterator<Item = &Path> {
        self.changes.iter().filter_map(|change| change.value.constant())
    }

    /// Reads the value of a key and adds it.
    pub fn read<B>(&mut self, keys: &[Key<B>], name: &str, arg: &Arg, errors: &mut Errors) {
        let key = keys.iter().find(|key| key.name == name);
        let value = key.and_then(|key| read(&key.setting, arg, errors));
        self.changes.extend(value.map(|value| Change { key: arg.key.clone(), value }));
    }
}

fn read<B>(setting: &Setting<B>, arg: &Arg, errors: &mut Errors) -> Option<Value> {
    let value = expression(arg, errors)?;
    match setting {
        Setting::Count(range, _) => {
            constant_or(value, errors, |errors| count(range, arg, value, errors)).map(Value::Count)
        }
        Setting::Time(range, _) => {
            constant_or(value, errors, |errors| time_in(range, arg, value, errors)).map(Value::Time)
        }
        Setting::Number(range, _) => {
            constant_or(value, errors, |errors| number_in(range, arg, value, errors))
                .map(Value::Number)
        }
        Setting::Window((calls, _), (time, _)) => window(calls, time, arg, value, errors),
        Setting::Kinds(allowed, _) => {
            kind_list::read(arg, value, *allowed, errors).map(Value::Kinds)
        }
        Setting::Backoff(_) => word(arg, value, &backoff::NAMES, errors)
            .map(|(backoff, span)| Value::Backoff(backoff, span)),
    }
}

/// Gives the builder a value. A value in a constant is not known: one within the range stands in for
/// it.
pub fn apply<B: Copy>(builder: B, keys: &[Key<B>], change: &Change) -> B {
    let Some(key) = keys.iter().find(|key| change.key == key.name) else { return builder };
    match (&key.setting, &change.value) {
        (Setting::Count(range, set) | Setting::Window((range, set), _), Value::Count(count)) => {
            set(builder, *count.literal().unwrap_or(&range.least))
        }
        (Setting::Time(range, set) | Setting::Window(_, (range, set)), Value::Time(time)) => {
            set(builder, *time.literal().unwrap_or(&range.least))
        }
        (Setting::Number(range, set), Value::Number(number)) => {
            set(builder, *number.literal().unwrap_or(&range.least))
        }
        // The number of calls that it holds contradicts no other key.
        (Setting::Window(_, (_, set)), Value::Window(_)) => set(builder, Duration::MAX),
        (Setting::Backoff(set), Value::Backoff(backoff, _)) => set(builder, *backoff),
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
    let text = string(arg, value, &names, errors)?;
    let (key, written) = (&arg.key, text.value());
    let found = words.iter().find(|(name, _)| *name == written);
    if found.is_none() {
        errors.at(&text, format_args!("`{key}` is {}, not `{written}`", one_of(&names)));
    }
    found.map(|(_, found)| (*found, text.span()))
}

/// Reads a whole number in a range.
fn count(range: &Count, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<u32> {
    let number = whole_number(arg, value, errors)?;
    range.check(number).map_err(|error| errors.at(value, error)).ok()
}

/// Reads a whole number.
pub fn whole_number(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<u32> {
    let Some(number) = whole(value) else {
        let takes = format!("takes a whole number, as in `{}`", arg.with(3));
        errors.at(value, or_constant(arg, value, takes, ("a whole number", "u32")));
        return None;
    };
    let number = number.base10_parse().ok();
    if number.is_none() {
        errors.at(value, format_args!("`{}` must be {} or less", arg.key, u32::MAX));
    }
    number
}

/// Reads a number in a range.
fn number_in(range: &Number, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<f64> {
    let (key, message) = (&arg.key, range.error.message());
    let message = format!("{message}, as in `{}`", arg.with(range.example));
    let Some(number) = number(value) else {
        // The message begins with the key.
        let takes = message.strip_prefix(&format!("`{key}` ")).unwrap_or(&message);
        errors.at(value, or_constant(arg, value, takes, ("a number", "f64")));
        return None;
    };
    range.check(number).map_err(|_| errors.at(value, message)).ok()
}

/// Reads a duration in a range.
fn time_in(range: &Time, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let time = time(arg, value, errors)?;
    range.check(time).map_err(|error| errors.at(value, error)).ok()
}

/// Reads `window = 100`, `window = "60s"` or `window = WINDOW`.
fn window(
    calls: &Count,
    time: &Time,
    arg: &Arg,
    value: &Expr,
    errors: &mut Errors,
) -> Option<Value> {
    if let Some(path) = constant(value) {
        return outside_of_self(path, errors).map(Value::Window);
    }
    if whole(value).is_some() {
        let calls = count(calls, arg, value, errors)?;
        return Some(Value::Count(Given::Literal(calls)));
    }
    let takes = format!(
        "takes a number of calls, as in `{}`, or a duration in quotes, as in `{}`",
        arg.with(100),
        arg.with("\"60s\"")
    );
    let Some(Lit::Str(text)) = literal(value) else {
        let kind = ("a number of calls, a duration in quotes", "Duration");
        errors.at(value, or_constant(arg, value, takes, kind));
        return None;
    };
    let takes = format!("`window` {takes}");
    let parsed = duration::parse(&text.value()).map_err(|message| format!("{message}\n{takes}"));
    let checked = parsed.and_then(|window| time.check(window).map_err(|error| error.to_string()));
    let checked = checked.map_err(|message| errors.at(text, message)).ok();
    checked.map(|window| Value::Time(Given::Literal(window)))
}

/// Returns the whole number in an expression. `60s` is not one, but a duration without its quotes.
fn whole(value: &Expr) -> Option<&LitInt> {
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

/// Reads a duration.
pub fn time(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    if let Some(Lit::Str(text)) = literal(value) {
        return duration::parse(&text.value()).map_err(|message| errors.at(text, message)).ok();
    }
    let takes = format!("takes a duration in quotes, as in `{}`", arg.with("\"500ms\""));
    errors.at(value, or_constant(arg, value, takes, ("a duration in quotes", "Duration")));
    None
}

#[cfg(test)]
mod tests {
    use resilient_config::ConfigError;
    use syn::parse_str;

    use super::*;
    use crate::parse::args::Args;

    const RANGE: Number =
        Number { least: 0.0, most: 3.0, example: 0.2, error: ConfigError::OpenJitter };

    /// Reads `written` as the value of a key.
    fn read<T>(written: &str, read: impl Fn(&Arg, &Expr, &mut Errors) -> Option<T>) -> Option<T> {
        let arg: Args = parse_str(&format!("key = {written}")).unwrap();
        let mut errors = Errors::default();
        let found = read(&arg.0[0], &parse_str(written).unwrap(), &mut errors);
        assert_eq!(errors.finish().is_ok(), found.is_some(), "{written}");
        found
    }

    #[test]
    fn the_suffixes_of_the_language_are_those_of_numbers() {
        let number = |written: &str| {
            read(written, |arg, value, errors| number_in(&RANGE, arg, value, errors))
        };
        for suffix in INTEGERS {
            assert_eq!(read(&format!("4{suffix}"), whole_number), Some(4), "{suffix}");
            assert_eq!(number(&format!("1{suffix}")), Some(1.0), "{suffix}");
        }
        for suffix in FLOATS {
            assert_eq!(number(&format!("0.25{suffix}")), Some(0.25), "{suffix}");
            assert_eq!(number(&format!("1{suffix}")), Some(1.0), "{suffix}");
        }
        for refused in ["60s", "4f32", "2.0", "\"7\"", "-1", "4294967296"] {
            assert_eq!(read(refused, whole_number), None, "{refused}");
        }
        for refused in ["1s", "0.5x", "3.5", "-0.1", "\"0.2\"", "HALF"] {
            assert_eq!(number(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_duration_has_quotes() {
        assert_eq!(read("\"1m30s\"", time), Some(Duration::from_secs(90)));
        for refused in ["60s", "30", "1.5", "SOON", "Duration::from_secs(5)", "\"5\""] {
            assert_eq!(read(refused, time), None, "{refused}");
        }
    }
}
