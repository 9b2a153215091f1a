//! The settings that an attribute gives, and how the numbers, times and words among them are read.

use std::ops::RangeInclusive;
use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Expr, Lit, LitInt};

use resilient_config::duration;

use crate::args::Arg;
use crate::errors::Errors;
use crate::kinds::variant;
use crate::suggest::one_of;
use crate::values::{literal, path, string, ungrouped};
use resilient_config::spelling::misspelt;

/// What may stand behind the digits of a whole number.
const INTEGERS: &[&str] =
    &["", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"];

/// What may stand behind those of a number with a point.
const FLOATS: &[&str] = &["", "f32", "f64"];

/// What a share of something may be.
const SHARE: RangeInclusive<f64> = 0.0..=1.0;

/// What an attribute changes in a default: each key, which is also the name of a builder's
/// setter, with its value.
pub struct Settings {
    pub changes: Vec<(Ident, Setting)>,
    /// Where to point at if they do not go together.
    pub span: Span,
}

/// The value of a setting.
pub enum Setting {
    Count(u32),
    Time(Duration),
    Number(f64),
    /// The variant of `Backoff`.
    Backoff(Ident),
    /// The variants of `ErrorKind`.
    Kinds(Vec<Ident>),
}

impl Settings {
    pub const fn none(span: Span) -> Self {
        Self { changes: Vec::new(), span }
    }

    /// The time that the setter of this name is given, with its key.
    pub fn time(&self, setter: &str) -> Option<(&Ident, Duration)> {
        self.changes.iter().find_map(|(key, setting)| match setting {
            Setting::Time(time) if key == setter => Some((key, *time)),
            _ => None,
        })
    }

    /// What the setter of this name is given, if anything.
    pub fn get(&self, setter: &str) -> Option<&Setting> {
        self.changes.iter().find(|(key, _)| key == setter).map(|(_, setting)| setting)
    }
}

pub fn word(arg: &Arg, value: &Expr, words: &[&str], errors: &mut Errors) -> Option<Ident> {
    // `Backoff::Linear`, or `linear` without its quotes.
    let named = path(value).and_then(|path| Some(path.segments.last()?.ident.to_string()));
    let meant = named.and_then(|name| misspelt(&name, words)).unwrap_or(words[0]);
    let text = string(arg, value, &format!("\"{meant}\""), errors)?;
    if words.contains(&text.value().as_str()) {
        return Some(variant(&text.value(), text.span()));
    }
    let (key, written) = (&arg.key, text.value());
    let hint = misspelt(&written, words)
        .map(|meant| format!(": write `{}`", arg.with(format_args!("\"{meant}\""))))
        .unwrap_or_default();
    errors.at(&text, format_args!("`{key}` is {}, not `{written}`{hint}", one_of(words)));
    None
}

/// A whole number from 1 to `max`.
pub fn count(arg: &Arg, value: &Expr, max: u32, errors: &mut Errors) -> Option<u32> {
    count_from(1, arg, value, max, errors)
}

/// A whole number from `min` to `max`.
pub fn count_from(min: u32, arg: &Arg, value: &Expr, max: u32, errors: &mut Errors) -> Option<u32> {
    let key = &arg.key;
    let in_range = |number: &u32| (min..=max).contains(number);
    let Some(number) = whole(value) else {
        let meant = digits(value).and_then(|digits| digits.parse().ok()).filter(in_range);
        let advice = arg.with(meant.unwrap_or(3));
        errors.at(value, format_args!("`{key}` takes a whole number: write `{advice}`"));
        return None;
    };
    let number = number.base10_parse().ok().filter(in_range);
    if number.is_none() {
        errors.at(value, format_args!("`{key}` must be from {min} to {max}"));
    }
    number
}

/// A number from 0 to 1, which is a share of what `of` says, such as `example`.
pub fn share(arg: &Arg, value: &Expr, of: &str, example: f64, errors: &mut Errors) -> Option<f64> {
    let share = number(value).filter(|share| SHARE.contains(share));
    if share.is_none() {
        let (key, advice) = (&arg.key, arg.with(meant_share(value).unwrap_or(example)));
        errors.at(
            value,
            format_args!("`{key}` is a share of {of}, a number from 0 to 1: write `{advice}`"),
        );
    }
    share
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
    Some(share).filter(|share| SHARE.contains(share))
}

/// A number of 1 or more.
pub fn factor(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<f64> {
    let is_factor = |number: &f64| *number >= 1.0 && number.is_finite();
    let factor = number(value).filter(is_factor);
    if factor.is_none() {
        let meant = digits(value).and_then(|digits| digits.parse().ok()).filter(is_factor);
        let (key, advice) = (&arg.key, arg.with(meant.unwrap_or(2.0)));
        errors.at(
            value,
            format_args!("`{key}` is a factor, a number of 1 or more: write `{advice}`"),
        );
    }
    factor
}

/// The whole number that stands there. One with other letters behind it than a number has is none:
/// `60s` is a time without its quotes.
pub fn whole(value: &Expr) -> Option<&LitInt> {
    match literal(value) {
        Some(Lit::Int(number)) if INTEGERS.contains(&number.suffix()) => Some(number),
        _ => None,
    }
}

/// The number that stands there, with a point or without.
fn number(value: &Expr) -> Option<f64> {
    match literal(value) {
        Some(Lit::Float(number)) if FLOATS.contains(&number.suffix()) => number.base10_parse().ok(),
        Some(Lit::Int(number)) if FLOATS.contains(&number.suffix()) => number.base10_parse().ok(),
        _ => whole(value)?.base10_parse().ok(),
    }
}

/// What is meant for a number, without quotes and what stands behind it.
pub fn digits(value: &Expr) -> Option<String> {
    Some(match literal(value)? {
        Lit::Str(text) => text.value().trim().to_owned(),
        Lit::Int(number) => number.base10_digits().to_owned(),
        Lit::Float(number) => number.base10_digits().trim_end_matches(".0").to_owned(),
        _ => return None,
    })
}

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

/// The time that a constructor makes: `Duration::from_secs(5)`.
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

/// The time whose quotes were forgotten: `60s`.
pub fn unquoted_time(value: &Expr) -> Option<String> {
    let Some(Lit::Int(number)) = literal(value) else { return None };
    let time = format!("{}{}", number.base10_digits(), number.suffix());
    duration::parse(&time).is_ok().then_some(time)
}

#[cfg(test)]
mod tests {
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
        read(written, |arg, value, errors| count(arg, value, 1_000, errors))
    }

    fn a_share(written: &str) -> Result<f64, String> {
        read(written, |arg, value, errors| share(arg, value, "it", 0.3, errors))
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
        assert_eq!(read("3f64", factor), Ok(3.0));
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
            ("1.5", "0.3"),
            ("101", "0.3"),
            ("-0.1", "0.3"),
            ("\"half\"", "0.3"),
            ("\"nan\"", "0.3"),
            ("\"inf\"", "0.3"),
            ("HALF", "0.3"),
        ] {
            advises(a_share(written), &format!("`key = {meant}`"));
        }
        advises(a_count("\"7\""), "`key = 7`");
        advises(a_count("\"7000\""), "`key = 3`");
        advises(read("\"2.5\"", factor), "`key = 2.5`");
        advises(read("\"0.5\"", factor), "`key = 2`");
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
