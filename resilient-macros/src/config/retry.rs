//! The key `retry`, and the rows that `policies!` declares.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use resilient_config::retry::{AUTO, DEFAULT, KEYS};
use resilient_config::spelling::misspelt;
use resilient_config::{ErrorKind, KindSet, RetryPolicy, RetryPolicyBuilder, backoff};
use syn::{Expr, Lit, LitStr, Path};

use super::keys::{self, distinct, given};
use super::settings::{Settings, Value as SettingValue, whole};
use super::{contradictions, names};
use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::all_of;
use crate::parse::args::{Arg, Args, Value};
use crate::parse::kinds::{Kind, LASTING};
use crate::parse::values::{self, Text, expression, literal, text, ungrouped};

/// The key `retry`.
pub struct Retry {
    pub rows: RetrySpec,
    /// Whether another attempt may follow the first.
    pub repeats: bool,
}

impl Retry {
    /// Returns the shortest delay that the given base delay and the jitter allow, with the key of the
    /// base delay. `None` if no base delay is given, or if the jitter is that of a declared row.
    pub fn shortest_delay(&self) -> Option<(&Ident, Duration)> {
        let RetrySpec::Row { row, settings } = &self.rows else { return None };
        let (key, base) = settings.time("base_delay").filter(|_| self.repeats)?;
        let jitter = match (settings.get("jitter"), row) {
            (Some(SettingValue::Number(jitter)), _) => *jitter,
            (None, RowRef::Default | RowRef::Kind(_)) => RetryPolicy::DEFAULT.jitter(),
            _ => return None,
        };
        let shortest = Duration::try_from_secs_f64(base.as_secs_f64() * (1.0 - jitter)).ok()?;
        Some((key, shortest))
    }
}

/// The rows by which errors are retried.
pub enum RetrySpec {
    /// The row of each error's own kind.
    ByKind,
    /// One row, with numbers that replace its own.
    Row { row: RowRef, settings: Settings },
}

/// The row that a policy starts from.
pub enum RowRef {
    /// The row of the kinds without one of their own.
    Default,
    /// The row of this kind.
    Kind(Kind),
    /// A row that `policies!` declares.
    Named(LitStr),
    /// The row that this constant names.
    Constant(Path),
}

/// The keys about delays.
const DELAYS: &[&str] = &["base_delay", "max_delay", "jitter", "backoff"];

/// Reads `retry`, `retry = …` or `retry(…)`.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Retry> {
    let span = arg.key.span();
    let one = |row| {
        let rows = RetrySpec::Row { row, settings: Settings::none(span) };
        Retry { rows, repeats: true }
    };
    match &arg.value {
        Value::None => Some(one(RowRef::Default)),
        Value::Values(values) if values.len() > 1 => {
            errors.at(values, format_args!("`retry` takes no list: {ONE_ROW}"));
            None
        }
        Value::Expr(_) | Value::Values(_) => {
            let value = expression(arg, errors)?;
            if let Some(advice) = meant_otherwise(value) {
                errors.at(value, advice);
                return None;
            }
            match text(arg, value, "\"rate_limit_error\"", errors)? {
                Text::Literal(name) if name.value() == AUTO => {
                    Some(Retry { rows: RetrySpec::ByKind, repeats: true })
                }
                Text::Literal(name) => {
                    refuse_setting(&name, Place::Retry, errors)?;
                    named(&name, errors).map(one)
                }
                Text::Constant(path) => Some(one(RowRef::Constant(path))),
            }
        }
        Value::List(args, span) => {
            let Numbers { row, settings, max_attempts } = numbers(args, *span, errors);
            if max_attempts == Some(1) {
                refuse_delays(args, errors);
            }
            let row = row.unwrap_or(RowRef::Default);
            Some(Retry { rows: RetrySpec::Row { row, settings }, repeats: max_attempts != Some(1) })
        }
    }
}

/// Reads the declaration of a row: the row that it starts from, and its numbers.
pub fn declared_row(
    name: &LitStr,
    args: &Args,
    span: Span,
    errors: &mut Errors,
) -> Option<(RowRef, Settings)> {
    let numbers = numbers(args, span, errors);
    if name.value() == AUTO {
        errors.at(name, "`auto` takes the row of each error's own kind, and is none itself");
        return None;
    }
    if let Some(kind) = meant(&name.value()) {
        errors.at(
            name,
            format_args!(
                "`{}` could be taken for `{kind}`: write that, or another name",
                name.value()
            ),
        );
        return None;
    }
    refuse_setting(name, Place::Declaration, errors)?;
    names::refuse_placeholders("a row", name, errors)?;
    // The name of a kind declares the row of that kind, which starts from the default one.
    let own = match named(name, errors)? {
        kind @ RowRef::Kind(_) => kind,
        _ => RowRef::Default,
    };
    let from = match (numbers.row, given(args, "row").map(|row| &row.value)) {
        (Some(RowRef::Named(_) | RowRef::Constant(_)), Some(Value::Expr(row))) => {
            errors.at(
                row,
                "a declared row starts from the row of a kind, as the default table has it: \
                 write the name of that kind, or give all numbers here",
            );
            return None;
        }
        (row, _) => row,
    };
    Some((from.unwrap_or(own), numbers.settings))
}

/// The numbers of a row, and the row that they start from.
struct Numbers {
    row: Option<RowRef>,
    settings: Settings,
    max_attempts: Option<u32>,
}

fn numbers(args: &Args, span: Span, errors: &mut Errors) -> Numbers {
    let mut numbers = Numbers { row: None, settings: Settings::none(span), max_attempts: None };
    for (key, arg) in distinct(args, &keys::retry(), errors) {
        if key == "row" {
            numbers.row = values::read(arg, false, errors, |arg, errors| {
                starting_row(arg, expression(arg, errors)?, errors)
            });
        } else {
            numbers.read(key, arg, errors);
        }
    }
    // A delay that is given alone changes the row's other one.
    if ["base_delay", "max_delay"].iter().all(|key| numbers.settings.get(key).is_some()) {
        let (builder, build) = (RetryPolicy::builder(), RetryPolicyBuilder::build);
        contradictions::check(&KEYS, builder, build, args, &numbers.settings, errors);
    }
    numbers
}

impl Numbers {
    fn read(&mut self, key: &str, arg: &Arg, errors: &mut Errors) {
        self.settings.read(&KEYS, key, arg, errors);
        if let ("max_attempts", Some(SettingValue::Count(attempts))) = (key, self.settings.get(key))
        {
            self.max_attempts = Some(*attempts);
        }
    }
}

/// Rejects keys about delays, if there is no delay.
fn refuse_delays(args: &Args, errors: &mut Errors) {
    for arg in &args.0 {
        if DELAYS.iter().any(|key| arg.key == key) {
            errors.at(
                &arg.key,
                format_args!(
                    "`{}` is about the delay between two attempts, and `max_attempts = 1` allows \
                     one: raise `max_attempts`, or leave `{0}` out",
                    arg.key
                ),
            );
        }
    }
}

fn starting_row(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<RowRef> {
    match text(arg, value, "\"rate_limit_error\"", errors)? {
        Text::Literal(name) if name.value() == AUTO => {
            errors.at(
                name,
                "`auto` is not one row but the row of each error's own kind, and takes no other \
                 numbers: write `retry = \"auto\"`, or name the row to start from",
            );
            None
        }
        Text::Literal(name) => {
            refuse_setting(&name, Place::Row, errors)?;
            named(&name, errors)
        }
        Text::Constant(path) => Some(RowRef::Constant(path)),
    }
}

/// Where the name of a row is used.
#[derive(Clone, Copy)]
enum Place {
    /// `retry = "…"`
    Retry,
    /// `retry(row = "…")`
    Row,
    /// `retry "…" { … }`
    Declaration,
}

/// Returns what to write instead of a value that is not a name, if its meaning is clear.
fn meant_otherwise(value: &Expr) -> Option<String> {
    if let Some(number) = whole(value) {
        let attempts = number.base10_parse().ok().filter(|attempts: &u32| *attempts > 0);
        return Some(format!(
            "`retry` takes a number of attempts in parentheses: write `retry(max_attempts = {})`",
            attempts.unwrap_or(3)
        ));
    }
    if let Expr::Array(_) | Expr::Tuple(_) = ungrouped(value) {
        return Some(format!("`retry` takes no list: {ONE_ROW}"));
    }
    match literal(value)? {
        Lit::Bool(flag) if flag.value => {
            Some("`retry` takes no value for the default row: write `retry`".to_owned())
        }
        Lit::Bool(_) => Some(NEVER.to_owned()),
        _ => None,
    }
}

const ONE_ROW: &str = "one row is for all transient errors: name one row, or write `retry = \"auto\"` \
                       for the row of each error's own kind";

const NEVER: &str = "to retry nothing, leave `retry` out, or write `retry(max_attempts = 1)` on a \
                     method whose `impl` block has one";

/// Rejects a name that means a setting, or several rows: no row has such a name.
fn refuse_setting(name: &LitStr, place: Place, errors: &mut Errors) -> Option<()> {
    let text = name.value();
    let word = text.trim().to_lowercase();
    let is_one_of = |words: &[&str]| words.contains(&word.as_str());
    let advice = if text.contains([',', '|', ';']) || kinds_in(&text) > 1 {
        match place {
            Place::Retry => ONE_ROW.to_owned(),
            _ => "name one row".to_owned(),
        }
    } else if is_one_of(&["none", "no", "never", "off", "false", "disabled", "nothing"]) {
        match place {
            Place::Retry => NEVER.to_owned(),
            _ => "write `max_attempts = 1` instead to retry nothing".to_owned(),
        }
    } else if is_one_of(&[
        "all",
        "any",
        "always",
        "every",
        "on",
        "yes",
        "true",
        "enabled",
        "transient",
        "*",
    ]) {
        match place {
            Place::Retry => "any row is for every transient error: write `retry` for \
                             the default row, or `retry = \"auto\"` for the row of each error's own \
                             kind"
                .to_owned(),
            _ => "leave `row` out for the default row".to_owned(),
        }
    } else if let Some(backoff) = backoff_in(&word) {
        match place {
            Place::Retry => format!("write `retry(backoff = \"{backoff}\")`"),
            _ => format!("write `backoff = \"{backoff}\"`"),
        }
    } else if is_one_of(&["constant", "fixed"]) {
        let delays = "base_delay = \"1s\", max_delay = \"1s\"";
        match place {
            Place::Retry => format!("write `retry({delays})`"),
            _ => format!("write `{delays}`"),
        }
    } else if let Ok(attempts) = word.parse::<u32>() {
        let attempts = attempts.max(1);
        match place {
            Place::Retry => format!("write `retry(max_attempts = {attempts})`"),
            _ => format!("write `max_attempts = {attempts}`"),
        }
    } else {
        return Some(());
    };
    match place {
        Place::Declaration => errors.at(
            name,
            format_args!(
                "`{text}` cannot be the name of a row, since no function can name it: write what \
                 the row is for, as in \"nightly_import\""
            ),
        ),
        Place::Retry | Place::Row => {
            errors.at(name, format_args!("`{text}` is not the name of a row\n{advice}"));
        }
    }
    None
}

/// Returns the backoff that a word names: `exponential`, or `linear_backoff`.
fn backoff_in(word: &str) -> Option<&'static str> {
    let word = word.trim_end_matches("backoff").trim_end_matches(['_', '-', ' ']);
    backoff::NAMES.iter().map(|(name, _)| *name).find(|name| *name == word)
}

/// Counts the kinds in a text.
fn kinds_in(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.parse::<ErrorKind>().is_ok()).count()
}

/// Returns the row of this name. A name that is not a kind may be declared anywhere in the program,
/// unless it can only be a misspelling of a kind: `policies!` rejects such a name.
fn named(name: &LitStr, errors: &mut Errors) -> Option<RowRef> {
    let text = name.value();
    if text == DEFAULT {
        return Some(RowRef::Default);
    }
    let kind = text.parse();
    if let Ok(kind) = kind
        && ErrorKind::is_transient(kind)
    {
        return Some(RowRef::Kind(Kind { kind, span: name.span() }));
    }
    let all = all_of(&KindSet::TRANSIENT.names());
    if kind.is_ok() {
        errors.at(
            name,
            format_args!(
                "`{text}` is never retried: the same request would fail again\nthe rows are {all}"
            ),
        );
        return None;
    }
    if let Some(meant) = meant(&text) {
        errors.at(
            name,
            format_args!(
                "unknown row `{text}`; did you mean `{meant}`?\nthe rows are {all}; `auto` takes \
                 the row of each error's own kind, and `policies!` declares others under names of \
                 their own"
            ),
        );
        return None;
    }
    if text.trim().is_empty() {
        errors.at(name, format_args!("the name of a row is empty\nthe rows are {all}"));
        return None;
    }
    names::check("a row", name, errors)?;
    names::refuse_placeholders("a row", name, errors)?;
    Some(RowRef::Named(name.clone()))
}

/// Returns the name that a row's name can only be a misspelling of.
fn meant(name: &str) -> Option<&'static str> {
    let known = [KindSet::TRANSIENT.names(), LASTING.names(), vec![AUTO, DEFAULT]].concat();
    misspelt(name, &known).filter(|meant| *meant != name)
}
