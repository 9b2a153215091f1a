//! The validated configuration: every rule about what may be written lives here.

use std::time::Duration;

use proc_macro2::Span;
use syn::{Expr, Ident, Lit, LitStr, Path};

use crate::args::{Arg, Args, SKIP, Value};
use crate::duration;
use crate::errors::Errors;
use crate::kinds::{self, variant};
use crate::suggest::{self, all_of, did_you_mean, one_of};
use crate::values::{expression, literal, runtime, string};

/// What the attribute asks for.
pub struct Config {
    pub retry: Option<Retry>,
    pub breaker: Option<Breaker>,
    /// Where the runtime is, if not at `::resilient_runtime`.
    pub runtime: Option<Path>,
}

/// The key `retry`.
pub struct Retry {
    pub rows: Rows,
    /// Whether another attempt may ever follow the first.
    pub repeats: bool,
}

/// By which rows errors are retried.
pub enum Rows {
    /// By that of each error's own kind.
    ByKind,
    /// By one, with changes to it.
    One { kind: Option<Ident>, settings: Settings },
}

/// The key `breaker`.
pub struct Breaker {
    pub name: LitStr,
    pub settings: Settings,
    /// The variant of `Scope`.
    pub scope: Ident,
}

/// What the attribute changes in a default: each key, which is also the name of a builder's
/// setter, with its value.
pub struct Settings {
    pub changes: Vec<(Ident, Setting)>,
    /// Where to point at if the numbers do not go together.
    pub span: Span,
}

/// The value of a setting.
pub enum Setting {
    Count(u32),
    Time(Duration),
    Share(f64),
    /// The variant of `Backoff`.
    Backoff(Ident),
}

impl Settings {
    const fn none(span: Span) -> Self {
        Self { changes: Vec::new(), span }
    }
}

const KEYS: &[&str] = &["retry", "breaker", "crate"];
const RETRY_KEYS: &[&str] =
    &["row", "max_attempts", "base_delay", "max_delay", "jitter", "backoff"];
const BREAKER_KEYS: &[&str] = &[
    "name",
    "failure_threshold",
    "success_threshold",
    "half_open_max_calls",
    "open_duration",
    "scope",
];

const AUTO: &str = "auto";

const BACKOFFS: &[&str] = &["exponential", "linear"];
const SCOPES: &[&str] = &["call", "attempt"];

/// The largest count that a breaker's state has room for.
const MAX_COUNT: u32 = u16::MAX as u32;

/// Reads the arguments. What is wrong goes to `errors`, all of it.
pub fn read(args: &Args, errors: &mut Errors) -> Config {
    let mut config = Config { retry: None, breaker: None, runtime: None };
    if args.0.iter().all(|arg| arg.key == "crate") {
        errors.push(syn::Error::new(
            Span::call_site(),
            "`#[resilient]` names no policy; write `#[resilient(retry = \"auto\")]`, \
             `#[resilient(breaker = \"…\")]` or both: the keys are `retry` and `breaker`",
        ));
    }
    for (key, arg) in distinct(args, KEYS, errors) {
        match key {
            "retry" => config.retry = retry(arg, errors),
            "breaker" => config.breaker = breaker(arg, errors),
            _ => config.runtime = runtime(arg, errors),
        }
    }
    if let (None, Some(scope)) = (given(args, "retry"), scope_of(args)) {
        errors.at(
            scope,
            "`scope` says whether the breaker stands outside or inside the retries: it needs \
             `retry`",
        );
    }
    config
}

fn retry(arg: &Arg, errors: &mut Errors) -> Option<Retry> {
    let span = arg.key.span();
    let row =
        |kind| Retry { rows: Rows::One { kind, settings: Settings::none(span) }, repeats: true };
    match &arg.value {
        Value::None => Some(row(None)),
        Value::Expr(value) => {
            let name = string(arg, value, "\"rate_limit_error\"", errors)?;
            if name.value() == AUTO {
                return Some(Retry { rows: Rows::ByKind, repeats: true });
            }
            Some(row(Some(kind(&name, errors)?)))
        }
        Value::List(args, span) => Some(retry_list(args, *span, errors)),
    }
}

fn retry_list(args: &Args, span: Span, errors: &mut Errors) -> Retry {
    let mut row = None;
    let mut changes = Vec::new();
    let mut repeats = true;
    let mut delays = (None, None);
    for (key, arg) in distinct(args, RETRY_KEYS, errors) {
        let Some(value) = expression(arg, errors) else { continue };
        let setting = match key {
            "row" => {
                row = named_row(arg, value, errors);
                continue;
            }
            "max_attempts" => {
                let attempts = count(arg, value, u32::MAX, errors);
                repeats = attempts != Some(1);
                attempts.map(Setting::Count)
            }
            "base_delay" => {
                delays.0 = time(arg, value, errors);
                delays.0.map(Setting::Time)
            }
            "max_delay" => {
                delays.1 = time(arg, value, errors).map(|max| (max, value));
                delays.1.map(|(max, _)| Setting::Time(max))
            }
            "jitter" => share(arg, value, errors).map(Setting::Share),
            _ => word(arg, value, BACKOFFS, errors).map(Setting::Backoff),
        };
        changes.extend(setting.map(|value| (arg.key.clone(), value)));
    }
    if let (Some(base), Some((max, value))) = delays
        && max < base
    {
        errors
            .at(value, "`max_delay` is shorter than `base_delay`: raise it, or lower `base_delay`");
    }
    Retry { rows: Rows::One { kind: row, settings: Settings { changes, span } }, repeats }
}

fn named_row(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Ident> {
    let name = string(arg, value, "\"rate_limit_error\"", errors)?;
    if name.value() == AUTO {
        errors.at(
            name,
            "`auto` is not one row but the row of each error's own kind, and takes no other \
             numbers: write `retry = \"auto\"`, or name the row to start from",
        );
        return None;
    }
    kind(&name, errors)
}

fn breaker(arg: &Arg, errors: &mut Errors) -> Option<Breaker> {
    let call = |span| Ident::new("Call", span);
    match &arg.value {
        Value::None => {
            errors.at(&arg.key, "`breaker` needs a name: write `breaker = \"search\"`");
            None
        }
        Value::Expr(value) => {
            let name = breaker_name(arg, value, errors)?;
            let settings = Settings::none(name.span());
            Some(Breaker { scope: call(name.span()), name, settings })
        }
        Value::List(args, span) => {
            let mut name = None;
            let mut scope = call(*span);
            let mut changes = Vec::new();
            for (key, arg) in distinct(args, BREAKER_KEYS, errors) {
                let Some(value) = expression(arg, errors) else { continue };
                let setting = match key {
                    "name" => {
                        name = breaker_name(arg, value, errors);
                        continue;
                    }
                    "scope" => {
                        scope = word(arg, value, SCOPES, errors).unwrap_or(scope);
                        continue;
                    }
                    "open_duration" => open_duration(arg, value, errors).map(Setting::Time),
                    _ => count(arg, value, MAX_COUNT, errors).map(Setting::Count),
                };
                changes.extend(setting.map(|value| (arg.key.clone(), value)));
            }
            if given(args, "name").is_none() {
                errors.at(
                    &arg.key,
                    "`breaker(…)` needs a name: write `breaker(name = \"search\", …)`",
                );
            }
            Some(Breaker { name: name?, settings: Settings { changes, span: *span }, scope })
        }
    }
}

/// The arguments whose keys are known and not given before, each with its key as a string.
fn distinct<'a>(
    args: &'a Args,
    known: &[&'static str],
    errors: &mut Errors,
) -> Vec<(&'static str, &'a Arg)> {
    let mut distinct: Vec<(&str, &Arg)> = Vec::new();
    for arg in &args.0 {
        let name = arg.key.to_string();
        let Some(key) = known.iter().find(|known| **known == name) else {
            errors.at(&arg.key, unknown_key(&name, known));
            continue;
        };
        if distinct.iter().any(|(before, _)| before == key) {
            errors.at(&arg.key, format_args!("`{name}` is given twice: keep one"));
            continue;
        }
        distinct.push((*key, arg));
    }
    distinct
}

fn unknown_key(name: &str, known: &[&str]) -> String {
    if name == SKIP {
        return "`skip` stands alone, on a method in an `impl` block that has `#[resilient(…)]`: \
                it leaves the method out"
            .to_owned();
    }
    for (outer, keys) in [("retry", RETRY_KEYS), ("breaker", BREAKER_KEYS)] {
        if keys.contains(&name) {
            return format!("`{name}` is a key of `{outer}`: write `{outer}({name} = …)`");
        }
    }
    suggest::unknown_key(name, known)
}

fn given<'a>(args: &'a Args, key: &str) -> Option<&'a Arg> {
    args.0.iter().find(|arg| arg.key == key)
}

/// The key `scope`, where the attribute gives it.
fn scope_of(args: &Args) -> Option<&Ident> {
    match &given(args, "breaker")?.value {
        Value::List(args, _) => given(args, "scope").map(|arg| &arg.key),
        Value::None | Value::Expr(_) => None,
    }
}

fn breaker_name(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<LitStr> {
    let name = string(arg, value, "\"search\"", errors)?;
    if name.value().trim().is_empty() {
        errors.at(name, "the name of a breaker is empty: write what it guards, as in \"search\"");
        return None;
    }
    Some(name)
}

/// The variant of `ErrorKind` by this name.
fn kind(name: &LitStr, errors: &mut Errors) -> Option<Ident> {
    let text = name.value();
    if kinds::TRANSIENT.contains(&text.as_str()) {
        return Some(variant(&text, name.span()));
    }
    let all = all_of(kinds::TRANSIENT);
    if kinds::LASTING.contains(&text.as_str()) {
        errors.at(
            name,
            format_args!(
                "`{text}` is never retried: the same request would fail again\nthe rows are {all}"
            ),
        );
    } else {
        let hint = did_you_mean(&text, &[kinds::TRANSIENT, &[AUTO]].concat());
        errors.at(
            name,
            format_args!(
                "unknown row `{text}`{hint}\nthe rows are {all}; `auto` takes the row of each \
                 error's own kind"
            ),
        );
    }
    None
}

fn word(arg: &Arg, value: &Expr, words: &[&str], errors: &mut Errors) -> Option<Ident> {
    let example = format!("\"{}\"", words[0]);
    let text = string(arg, value, &example, errors)?;
    if words.contains(&text.value().as_str()) {
        return Some(variant(&text.value(), text.span()));
    }
    let key = &arg.key;
    errors.at(&text, format_args!("`{key}` is {}, not `{}`", one_of(words), text.value()));
    None
}

fn count(arg: &Arg, value: &Expr, max: u32, errors: &mut Errors) -> Option<u32> {
    let key = &arg.key;
    let Some(Lit::Int(number)) = literal(value) else {
        errors.at(value, format_args!("`{key}` takes a whole number: write `{key} = 3`"));
        return None;
    };
    let number = number.base10_parse().ok().filter(|number| (1..=max).contains(number));
    if number.is_none() {
        let range = if max == u32::MAX { "1 or more".into() } else { format!("from 1 to {max}") };
        errors.at(value, format_args!("`{key}` must be {range}"));
    }
    number
}

fn share(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<f64> {
    let key = &arg.key;
    let number: Option<f64> = match literal(value) {
        Some(Lit::Float(number)) => number.base10_parse().ok(),
        Some(Lit::Int(number)) => number.base10_parse().ok(),
        _ => None,
    };
    let share = number.filter(|number| (0.0..=1.0).contains(number));
    if share.is_none() {
        errors.at(
            value,
            format_args!(
                "`{key}` is a share of the delay, a number from 0 to 1: write `{key} = 0.2`"
            ),
        );
    }
    share
}

fn time(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let text = string(arg, value, "\"500ms\"", errors)?;
    duration::parse(&text.value()).map_err(|message| errors.at(text, message)).ok()
}

fn open_duration(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let open = time(arg, value, errors)?;
    if open.as_millis() == 0 {
        errors.at(value, "`open_duration` must be a millisecond or more");
        return None;
    }
    Some(open)
}
