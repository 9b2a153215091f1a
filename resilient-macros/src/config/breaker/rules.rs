//! What goes with what. The builder of the runtime refuses the same in the same words, which a test
//! of the workspace holds against these; here the key that is wrong is known, and a mistake on an
//! `impl` block is told once, not for each method.

use std::time::Duration;

use super::given;
use crate::args::{Arg, Args};
use crate::config::numbers::{Setting, Settings};
use crate::errors::Errors;
use crate::values::expression;

/// How long a breaker stays open where nothing is said.
const OPEN_DURATION: Duration = Duration::from_secs(30);

/// The keys that speak of the calls in the window.
const OF_WINDOW: &[&str] =
    &["failure_rate", "minimum_calls", "slow_call_duration", "slow_call_rate"];

/// Refuses keys that do not go together. One whose value is wrong by itself has been told of: it
/// counts as given, and contradicts nothing.
pub fn check(args: &Args, settings: &Settings, errors: &mut Errors) {
    check_window(args, settings, errors);
    check_minimum_calls(args, settings, errors);
    check_longest(args, settings, errors);
    if let (Some(_), Some(ignore)) =
        (sound("trip_on", args, settings), sound("ignore", args, settings))
    {
        errors.at(
            &ignore.key,
            "`trip_on` names all kinds that count, and `ignore` takes some from the transient \
             ones: give one of them",
        );
    }
}

/// The argument of this key, if its value is right by itself.
fn sound<'a>(key: &str, args: &'a Args, settings: &Settings) -> Option<&'a Arg> {
    given(args, key).filter(|_| settings.get(key).is_some())
}

/// Refuses what needs a window where there is none, and what means nothing beside one.
fn check_window(args: &Args, settings: &Settings, errors: &mut Errors) {
    if given(args, "window").is_none() {
        let of_window = OF_WINDOW.iter().filter_map(|key| sound(key, args, settings));
        let first = of_window.min_by_key(|arg| args.0.iter().position(|any| any.key == arg.key));
        if let Some(unused) = first {
            let calls = unused.beside("window", 100);
            let time = unused.beside("window", "\"60s\"");
            errors.at(
                &unused.key,
                format_args!(
                    "`failure_rate`, `minimum_calls`, `slow_call_duration` and `slow_call_rate` need a \
                     `window`, of calls or of time\nwrite `{calls}` or `{time}` beside it"
                ),
            );
        }
        return;
    }
    let has_window = ["window_calls", "window_time"].iter().any(|key| settings.get(key).is_some());
    if has_window && let Some(threshold) = sound("failure_threshold", args, settings) {
        errors.at(
            &threshold.key,
            "`failure_threshold` counts failures in a row: with a `window`, give `failure_rate` \
             instead",
        );
    }
    if let (Some(rate), None) =
        (sound("slow_call_rate", args, settings), given(args, "slow_call_duration"))
    {
        errors.at(
            &rate.key,
            "`slow_call_rate` needs `slow_call_duration`: how long a call takes that is slow",
        );
    }
}

/// Refuses to wait for more calls than the window ever holds.
fn check_minimum_calls(args: &Args, settings: &Settings, errors: &mut Errors) {
    if let (Some(Setting::Count(calls)), Some(Setting::Count(most))) =
        (settings.get("minimum_calls"), settings.get("window_calls"))
        && calls > most
        && let Some(value) = given(args, "minimum_calls").and_then(|arg| expression(arg, errors))
    {
        errors.at(
            value,
            "`minimum_calls` is more than the `window` holds: lower it, or raise the `window`",
        );
    }
}

/// Refuses a longest open duration that is shorter than the shortest.
fn check_longest(args: &Args, settings: &Settings, errors: &mut Errors) {
    let (Some(arg), Some(Setting::Time(longest))) =
        (given(args, "max_open_duration"), settings.get("max_open_duration"))
    else {
        return;
    };
    let (open, default) = match settings.get("open_duration") {
        Some(Setting::Time(open)) => (*open, ""),
        _ if given(args, "open_duration").is_some() => return,
        _ => (OPEN_DURATION, "\n`open_duration` is 30 s where it is not given"),
    };
    if *longest < open
        && let Some(value) = expression(arg, errors)
    {
        errors.at(
            value,
            format_args!(
                "`max_open_duration` is shorter than `open_duration`: raise it, or lower \
                 `open_duration`{default}"
            ),
        );
    }
}
