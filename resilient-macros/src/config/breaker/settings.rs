//! What each key of a breaker may be, by itself.

use std::time::Duration;

use proc_macro2::Ident;
use syn::{Expr, Lit, LitStr};

use super::kinds;
use crate::args::Arg;
use crate::config::numbers::{Setting, count, factor, share, time, whole};
use crate::duration;
use crate::errors::Errors;
use crate::values::literal;

/// The largest count that a breaker's state has room for.
const MAX_COUNT: u32 = u16::MAX as u32;

/// The most calls that a window can hold.
const MAX_WINDOW_CALLS: u32 = 1_000;

/// A window of time moves on in tenths, each of which must be a millisecond or more.
const MIN_WINDOW_TIME: Duration = Duration::from_millis(10);

/// Reads the value of a key: what the builder's setter is called, and what it is given.
pub fn read(key: &str, arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<(Ident, Setting)> {
    let setting = match key {
        "window" => return window(arg, value, errors),
        "open_duration" | "half_open_timeout" | "slow_call" => {
            Setting::Time(a_millisecond_or_more(arg, value, errors)?)
        }
        "max_open_duration" => Setting::Time(time(arg, value, errors)?),
        "open_growth" => Setting::Number(factor(arg, value, errors)?),
        "open_jitter" => Setting::Number(share(arg, value, "the open duration", errors)?),
        "failure_rate" | "slow_call_rate" => {
            Setting::Number(share(arg, value, "the calls in the window", errors)?)
        }
        "trip_on" | "ignore" => Setting::Kinds(kinds::read(arg, value, errors)?),
        _ => Setting::Count(count(arg, value, MAX_COUNT, errors)?),
    };
    Some((arg.key.clone(), setting))
}

/// `window = 100` or `window = "60s"`: two settings of the builder.
fn window(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<(Ident, Setting)> {
    let setter = |name| Ident::new(name, arg.key.span());
    if let Some(Lit::Str(text)) = literal(value) {
        return Some((setter("window_time"), Setting::Time(window_time(arg, text, errors)?)));
    }
    let Some(calls) = whole(value) else {
        let both = both_windows(arg);
        errors.at(value, format_args!("`window` takes a number of calls, or a time: write {both}"));
        return None;
    };
    let calls = calls.base10_parse().ok().filter(|calls| (1..=MAX_WINDOW_CALLS).contains(calls));
    if calls.is_none() {
        errors.at(value, format_args!("`window` must be from 1 to {MAX_WINDOW_CALLS} calls"));
    }
    Some((setter("window_calls"), Setting::Count(calls?)))
}

fn window_time(arg: &Arg, text: &LitStr, errors: &mut Errors) -> Option<Duration> {
    let time = duration::parse(&text.value()).map_err(|message| {
        let both = both_windows(arg);
        errors.at(
            text,
            format_args!("{message}\n`window` takes a number of calls, or a time: write {both}"),
        );
    });
    let time = time.ok()?;
    if time < MIN_WINDOW_TIME {
        errors.at(text, "`window` must be 10 milliseconds or more");
        return None;
    }
    Some(time)
}

fn both_windows(arg: &Arg) -> String {
    format!("`{}` or `{}`", arg.with(100), arg.with("\"60s\""))
}

fn a_millisecond_or_more(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let time = time(arg, value, errors)?;
    if time.as_millis() == 0 {
        errors.at(value, format_args!("`{}` must be a millisecond or more", arg.key));
        return None;
    }
    Some(time)
}
