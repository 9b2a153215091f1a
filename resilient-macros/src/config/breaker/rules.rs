//! What goes with what. The builder of the runtime refuses the same in the same words, which a test
//! of the workspace holds against these; here the key that is wrong is known, and a mistake on an
//! `impl` block is told once, not for each method.

use std::time::Duration;

use crate::args::{Arg, Args};
use crate::config::given;
use crate::config::numbers::{Setting, Settings};
use crate::errors::Errors;

/// How long a breaker stays open where nothing is said.
const OPEN_DURATION: Duration = Duration::from_secs(30);

/// The keys that speak of the calls in the window.
const OF_WINDOW: &[&str] = &["failure_rate", "minimum_calls", "slow_call", "slow_call_rate"];

/// Refuses keys that do not go together. One whose value is wrong by itself has been told of, and
/// counts as given.
pub fn check(args: &Args, settings: &Settings, errors: &mut Errors) {
    let window = given(args, "window");
    if window.is_none()
        && let Some(unused) = args.0.iter().find(|arg| OF_WINDOW.iter().any(|key| arg.key == key))
    {
        errors.at(
            &unused.key,
            "`failure_rate`, `minimum_calls`, `slow_call` and `slow_call_rate` need a `window`",
        );
    }
    if let (Some(_), Some(threshold)) = (window, given(args, "failure_threshold")) {
        errors.at(
            &threshold.key,
            "`failure_threshold` counts failures in a row: with a `window`, give `failure_rate` \
             instead",
        );
    }
    if let (Some(rate), None) = (given(args, "slow_call_rate"), given(args, "slow_call")) {
        errors.at(
            &rate.key,
            "`slow_call_rate` needs `slow_call`: how long a call takes that is slow",
        );
    }
    if let (Some(Setting::Count(calls)), Some(Setting::Count(most)), Some(minimum)) =
        (settings.get("minimum_calls"), settings.get("window_calls"), given(args, "minimum_calls"))
        && calls > most
    {
        errors.at(
            &minimum.key,
            "`minimum_calls` must be from 1 to 65535, and no more than the `window` holds",
        );
    }
    if let Some(longest) = given(args, "max_open_duration") {
        check_longest(longest, args, settings, errors);
    }
    if let (Some(_), Some(ignore)) = (given(args, "trip_on"), given(args, "ignore")) {
        errors.at(
            &ignore.key,
            "`trip_on` names all kinds that count, and `ignore` takes some from the transient \
             ones: give one of them",
        );
    }
}

/// Refuses a longest open duration that bounds nothing, or is shorter than the shortest.
fn check_longest(longest: &Arg, args: &Args, settings: &Settings, errors: &mut Errors) {
    let leaves_it = |key, neutral| match settings.get(key) {
        Some(Setting::Number(number)) => *number <= neutral,
        _ => given(args, key).is_none(),
    };
    if leaves_it("open_growth", 1.0) && leaves_it("open_jitter", 0.0) {
        errors.at(
            &longest.key,
            "`max_open_duration` bounds `open_growth` and `open_jitter`: give one of them",
        );
        return;
    }
    let open = match settings.get("open_duration") {
        Some(Setting::Time(open)) => Some(*open),
        _ => given(args, "open_duration").is_none().then_some(OPEN_DURATION),
    };
    if let (Some(Setting::Time(longest_time)), Some(open)) =
        (settings.get("max_open_duration"), open)
        && *longest_time < open
    {
        errors.at(
            &longest.key,
            "`max_open_duration` is shorter than `open_duration`, which is 30 s where it is not \
             given",
        );
    }
}
