//! What each key of a breaker may be, by itself.

use std::ops::RangeInclusive;
use std::time::Duration;

use proc_macro2::Ident;
use syn::{Expr, Lit, LitStr};

use resilient_config::duration;

use super::kinds;
use crate::args::Arg;
use crate::config::numbers::{Setting, count, digits, factor, share, time, unquoted_time, whole};
use crate::errors::Errors;
use crate::values::{self, expression, literal};

/// The largest count that a breaker's state has room for.
const MAX_COUNT: u32 = u16::MAX as u32;

/// How many calls a window can hold.
const WINDOW_CALLS: RangeInclusive<u32> = 1..=1_000;

/// A window of time moves on in tenths, each of which must be a millisecond or more.
const MIN_WINDOW_TIME: Duration = Duration::from_millis(10);

/// What the rates are shares of.
const CALLS: &str = "the calls in the window";

/// Reads the value of a key: what the builder's setter is called, and what it is given.
pub fn read(key: &str, arg: &Arg, errors: &mut Errors) -> Option<(Ident, Setting)> {
    let setting = match key {
        "trip_on" => Setting::Kinds(kinds::counted(arg, errors)?),
        "ignore" => Setting::Kinds(kinds::ignored(arg, errors)?),
        _ => {
            return values::read(arg, false, errors, |arg, errors| {
                of_value(key, arg, expression(arg, errors)?, errors)
            });
        }
    };
    Some((arg.key.clone(), setting))
}

fn of_value(key: &str, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<(Ident, Setting)> {
    let setting = match key {
        "window" => return window(arg, value, errors),
        "open_duration" | "probe_timeout" | "slow_call_duration" => {
            Setting::Time(a_millisecond_or_more(arg, value, errors)?)
        }
        "max_open_duration" => Setting::Time(time(arg, value, errors)?),
        "open_duration_multiplier" => Setting::Number(factor(arg, value, errors)?),
        "open_jitter" => Setting::Number(share(arg, value, "the open duration", 0.2, errors)?),
        "failure_rate" => Setting::Number(share(arg, value, CALLS, 0.5, errors)?),
        "slow_call_rate" => Setting::Number(share(arg, value, CALLS, 0.8, errors)?),
        _ => Setting::Count(count(arg, value, MAX_COUNT, errors)?),
    };
    Some((arg.key.clone(), setting))
}

/// `window = 100` or `window = "60s"`: two settings of the builder.
fn window(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<(Ident, Setting)> {
    let setter = |name| Ident::new(name, arg.key.span());
    if let Some(Lit::Str(text)) = literal(value) {
        return Some((
            setter("window_time"),
            Setting::Time(window_time(arg, value, text, errors)?),
        ));
    }
    let Some(calls) = whole(value) else {
        let advice = unquoted_time(value).map_or_else(
            || both_windows(arg, value),
            |time| format!("`{}`", arg.with(format_args!("\"{time}\""))),
        );
        errors.at(
            value,
            format_args!("`window` takes a number of calls, or a time in quotes: write {advice}"),
        );
        return None;
    };
    let calls = calls.base10_parse().ok().filter(|calls| WINDOW_CALLS.contains(calls));
    if calls.is_none() {
        let most = WINDOW_CALLS.end();
        errors.at(value, format_args!("`window` must be from 1 to {most} calls"));
    }
    Some((setter("window_calls"), Setting::Count(calls?)))
}

fn window_time(arg: &Arg, value: &Expr, text: &LitStr, errors: &mut Errors) -> Option<Duration> {
    let time = duration::parse(&text.value()).map_err(|message| {
        let both = both_windows(arg, value);
        errors.at(
            text,
            format_args!(
                "{message}\n`window` takes a number of calls, or a time in quotes: write {both}"
            ),
        );
    });
    let time = time.ok()?;
    if time < MIN_WINDOW_TIME {
        errors.at(text, "`window` must be 10 milliseconds or more");
        return None;
    }
    Some(time)
}

/// A window of calls and one of time, by the number that stands there if there is one.
fn both_windows(arg: &Arg, value: &Expr) -> String {
    let number = digits(value)
        .and_then(|digits| digits.parse().ok())
        .filter(|calls| WINDOW_CALLS.contains(calls));
    let (calls, seconds) = number.map_or((100, 60), |number| (number, number));
    format!("`{}` or `{}`", arg.with(calls), arg.with(format_args!("\"{seconds}s\"")))
}

fn a_millisecond_or_more(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let time = time(arg, value, errors)?;
    if time.as_millis() == 0 {
        errors.at(value, format_args!("`{}` must be a millisecond or more", arg.key));
        return None;
    }
    Some(time)
}
