//! The key `retry`, and the rows that `policies!` declares.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use resilient_config::call::DELAY_OF_SINGLE_ATTEMPT;
use resilient_config::retry::{AUTO, DEFAULT, KEYS};
use resilient_config::{ErrorKind, KindSet, RetryPolicy, RetryPolicyBuilder};
use syn::{LitStr, Path};

use super::deferred::Deferred;
use super::keys::{self, distinct, given};
use super::settings::{Settings, Value as SettingValue};
use super::{contradictions, names};
use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::{all_of, did_you_mean};
use crate::parse::args::{Arg, Args, Value};
use crate::parse::kinds::Kind;
use crate::parse::values::{Given, Text, expression, text};

/// The key `retry`.
pub struct Retry {
    pub rows: RetrySpec,
    /// Whether another attempt may follow the first.
    pub repeats: bool,
}

impl Retry {
    /// Returns the settings that replace those of a row.
    pub const fn settings(&self) -> Option<&Settings> {
        match &self.rows {
            RetrySpec::ByKind => None,
            RetrySpec::Row { settings, .. } => Some(settings),
        }
    }

    /// Whether a constant holds the number of attempts, which may be 1.
    pub fn has_constant_attempts(&self) -> bool {
        self.settings().is_some_and(|settings| settings.is_constant("max_attempts"))
    }

    /// Returns the given base delay with its key, and the jitter that shortens it. `None` if no base
    /// delay is given, or if the jitter is that of a declared row.
    pub fn base_delay(&self) -> Option<(&Ident, &Given<Duration>, Given<f64>)> {
        let RetrySpec::Row { row, settings } = &self.rows else { return None };
        let (key, base_delay) = settings.time("base_delay").filter(|_| self.repeats)?;
        let jitter = match (settings.get("jitter"), row) {
            (Some(SettingValue::Number(jitter)), _) => jitter.clone(),
            (None, RowRef::Default | RowRef::Kind(_)) => {
                Given::Literal(RetryPolicy::DEFAULT.jitter())
            }
            _ => return None,
        };
        Some((key, base_delay, jitter))
    }

    /// Returns the rule about delays beside a single attempt, if a constant may say that there is
    /// one.
    pub fn deferred(&self) -> Option<Deferred> {
        let settings = self.settings().filter(|_| self.has_constant_attempts())?;
        let is_delay = |key: &&Ident| DELAYS.iter().any(|delay| *key == delay);
        let delay = settings.changes.iter().map(|change| &change.key).find(is_delay)?;
        Some(Deferred::at(delay, "several_attempts_with_delays"))
    }
}

/// The rows that decide how errors are retried.
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
        Value::Expr(value) => match text(arg, value, "rate_limit_error", errors)? {
            Text::Literal(name) if name.value() == AUTO => {
                Some(Retry { rows: RetrySpec::ByKind, repeats: true })
            }
            Text::Literal(name) => named(&name, errors).map(one),
            Text::Constant(path) => Some(one(RowRef::Constant(path))),
        },
        Value::List(args, span) => {
            let (row, settings) = row_in(args, *span, errors);
            let row = row.unwrap_or(RowRef::Default);
            let repeats = !matches!(
                settings.get("max_attempts"),
                Some(SettingValue::Count(Given::Literal(1)))
            );
            if !repeats {
                refuse_delays(args, errors);
            }
            Some(Retry { rows: RetrySpec::Row { row, settings }, repeats })
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
    let (from, settings) = row_in(args, span, errors);
    if name.value() == AUTO {
        errors.at(name, "`auto` takes the row of each error's own kind: write another name");
        return None;
    }
    // The name of a kind declares the row of that kind, which starts from the default one.
    let own = match named(name, errors)? {
        kind @ RowRef::Kind(_) => kind,
        RowRef::Default | RowRef::Named(_) | RowRef::Constant(_) => RowRef::Default,
    };
    if let Some(RowRef::Named(_) | RowRef::Constant(_)) = from
        && let Some(arg) = given(args, "row")
    {
        errors.at(
            &arg.key,
            "a declared row starts from a row of the default table: write the name of a kind, or \
             give all numbers here",
        );
        return None;
    }
    Some((from.unwrap_or(own), settings))
}

/// Reads the row to start from, and the numbers that replace its own.
fn row_in(args: &Args, span: Span, errors: &mut Errors) -> (Option<RowRef>, Settings) {
    let (mut row, mut settings) = (None, Settings::none(span));
    for (key, arg) in distinct(args, &keys::retry(), errors) {
        if key == "row" {
            row = starting_row(arg, errors);
        } else {
            settings.read(&KEYS, key, arg, errors);
        }
    }
    // A delay that is given alone changes the row's other one.
    if ["base_delay", "max_delay"].iter().all(|key| settings.get(key).is_some()) {
        let (builder, build) = (RetryPolicy::builder(), RetryPolicyBuilder::build);
        contradictions::check(&KEYS, builder, build, args, &settings, errors);
    }
    (row, settings)
}

/// Rejects keys about delays if there is only one attempt.
fn refuse_delays(args: &Args, errors: &mut Errors) {
    for arg in args.0.iter().filter(|arg| DELAYS.iter().any(|key| arg.key == key)) {
        errors.at(&arg.key, DELAY_OF_SINGLE_ATTEMPT);
    }
}

fn starting_row(arg: &Arg, errors: &mut Errors) -> Option<RowRef> {
    match text(arg, expression(arg, errors)?, "rate_limit_error", errors)? {
        Text::Literal(name) if name.value() == AUTO => {
            errors.at(
                name,
                "`auto` is not one row but the row of each error's own kind, and takes no other \
                 numbers: write `retry = \"auto\"`, or name the row to start from",
            );
            None
        }
        Text::Literal(name) => named(&name, errors),
        Text::Constant(path) => Some(RowRef::Constant(path)),
    }
}

/// Returns the row of this name. A name that is not a kind may be declared anywhere in the program,
/// unless it is a misspelling of a kind.
fn named(name: &LitStr, errors: &mut Errors) -> Option<RowRef> {
    let text = name.value();
    if text == DEFAULT {
        return Some(RowRef::Default);
    }
    let rows = all_of(&KindSet::TRANSIENT.names());
    match text.parse() {
        Ok(kind) if ErrorKind::is_transient(kind) => {
            return Some(RowRef::Kind(Kind { kind, span: name.span() }));
        }
        Ok(kind) => {
            let message = format_args!(
                "`{kind}` is never retried: the same request would fail again\nthe rows are {rows}"
            );
            errors.at(name, message);
            return None;
        }
        Err(_) => {}
    }
    let known = [KindSet::ALL.names(), vec![AUTO, DEFAULT]].concat();
    let hint = did_you_mean(&text, &known);
    if !hint.is_empty() || is_setting(&text) {
        let mistake = if hint.is_empty() {
            format!("`{text}` cannot be the name of a row")
        } else {
            format!("unknown row `{text}`{hint}")
        };
        errors.at(
            name,
            format_args!(
                "{mistake}\nthe rows are {rows}; `auto` takes the row of each \
                 error's own kind, and `policies!` declares other rows\nto change the numbers of a \
                 row, write `retry(…)`; to retry nothing, leave `retry` out"
            ),
        );
        return None;
    }
    if text.trim().is_empty() {
        errors.at(name, format_args!("the name of a row is empty\nthe rows are {rows}"));
        return None;
    }
    names::check("a row", name, errors)?;
    names::refuse_placeholders(name, errors)?;
    Some(RowRef::Named(name.clone()))
}

/// Whether a name is a setting or a list by mistake. Otherwise it would be an undeclared row, which
/// is reported only at run time.
fn is_setting(name: &str) -> bool {
    const SETTINGS: &[&str] = &[
        "none",
        "never",
        "off",
        "false",
        "all",
        "any",
        "always",
        "on",
        "true",
        "transient",
        "exponential",
        "linear",
        "constant",
        "fixed",
    ];
    let word = name.trim().to_lowercase();
    SETTINGS.contains(&word.as_str()) || word.contains(',') || word.parse::<u32>().is_ok()
}
