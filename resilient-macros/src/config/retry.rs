//! The key `retry`, and the rows that `policies!` declares.

use proc_macro2::{Ident, Span};
use syn::{Expr, LitStr, Path};

use super::numbers::{Setting, Settings, count, share, time, word};
use super::{distinct, given};
use crate::args::{Arg, Args, Value};
use crate::errors::Errors;
use crate::kinds::{self, variant};
use crate::suggest::{all_of, misspelt};
use crate::values::{Text, expression, text};

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
    /// By one, with numbers in the place of its own.
    One { row: Row, settings: Settings },
}

/// The row that a policy starts from.
pub enum Row {
    /// That of the kinds without a row of their own.
    Default,
    /// That of this variant of `ErrorKind`.
    Kind(Ident),
    /// One that `policies!` declares.
    Named(LitStr),
    /// What this constant names.
    Constant(Path),
}

pub const KEYS: &[&str] = &["row", "max_attempts", "base_delay", "max_delay", "jitter", "backoff"];

const AUTO: &str = "auto";
const DEFAULT: &str = "default";
const BACKOFFS: &[&str] = &["exponential", "linear"];

/// Reads `retry`, `retry = …` or `retry(…)`.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Retry> {
    let span = arg.key.span();
    let one = |row| {
        let rows = Rows::One { row, settings: Settings::none(span) };
        Retry { rows, repeats: true }
    };
    match &arg.value {
        Value::None => Some(one(Row::Default)),
        Value::Expr(_) | Value::Values(_) => {
            let value = expression(arg, errors)?;
            match text(arg, value, "\"rate_limit_error\"", errors)? {
                Text::Literal(name) if name.value() == AUTO => {
                    Some(Retry { rows: Rows::ByKind, repeats: true })
                }
                Text::Literal(name) => named(&name, errors).map(one),
                Text::Constant(path) => Some(one(Row::Constant(path))),
            }
        }
        Value::List(args, span) => {
            let Numbers { row, settings, max_attempts } = numbers(args, *span, errors);
            let row = row.unwrap_or(Row::Default);
            Some(Retry { rows: Rows::One { row, settings }, repeats: max_attempts != Some(1) })
        }
    }
}

/// Reads the declaration of a row: the one that it starts from, and its numbers.
pub fn declared_row(
    name: &LitStr,
    args: &Args,
    span: Span,
    errors: &mut Errors,
) -> Option<(Row, Settings)> {
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
    // The name of a kind stands for the row of that kind, and starts from it.
    let own = match named(name, errors)? {
        kind @ Row::Kind(_) => kind,
        _ => Row::Default,
    };
    let from = match (numbers.row, given(args, "row").map(|row| &row.value)) {
        (Some(Row::Named(_) | Row::Constant(_)), Some(Value::Expr(row))) => {
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

/// The numbers of a row, and the row that they change.
struct Numbers {
    row: Option<Row>,
    settings: Settings,
    max_attempts: Option<u32>,
}

fn numbers(args: &Args, span: Span, errors: &mut Errors) -> Numbers {
    let mut numbers = Numbers { row: None, settings: Settings::none(span), max_attempts: None };
    let mut delays = (None, None);
    for (key, arg) in distinct(args, KEYS, errors) {
        let Some(value) = expression(arg, errors) else { continue };
        let setting = match key {
            "row" => {
                numbers.row = starting_row(arg, value, errors);
                continue;
            }
            "max_attempts" => {
                numbers.max_attempts = count(arg, value, u32::MAX, errors);
                numbers.max_attempts.map(Setting::Count)
            }
            "base_delay" => {
                delays.0 = time(arg, value, errors);
                delays.0.map(Setting::Time)
            }
            "max_delay" => {
                delays.1 = time(arg, value, errors).map(|max| (max, value));
                delays.1.map(|(max, _)| Setting::Time(max))
            }
            "jitter" => share(arg, value, "the delay", 0.2, errors).map(Setting::Number),
            _ => word(arg, value, BACKOFFS, errors).map(Setting::Backoff),
        };
        numbers.settings.changes.extend(setting.map(|value| (arg.key.clone(), value)));
    }
    if let (Some(base), Some((max, value))) = delays
        && max < base
    {
        errors
            .at(value, "`max_delay` is shorter than `base_delay`: raise it, or lower `base_delay`");
    }
    numbers
}

fn starting_row(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Row> {
    match text(arg, value, "\"rate_limit_error\"", errors)? {
        Text::Literal(name) if name.value() == AUTO => {
            errors.at(
                name,
                "`auto` is not one row but the row of each error's own kind, and takes no other \
                 numbers: write `retry = \"auto\"`, or name the row to start from",
            );
            None
        }
        Text::Literal(name) => named(&name, errors),
        Text::Constant(path) => Some(Row::Constant(path)),
    }
}

/// The row of this name. One that is no kind may be declared anywhere in the program, unless it is
/// so close to a kind that it can only be a misspelling: `policies!` declares no such name.
fn named(name: &LitStr, errors: &mut Errors) -> Option<Row> {
    let text = name.value();
    if kinds::TRANSIENT.contains(&text.as_str()) {
        return Some(Row::Kind(variant(&text, name.span())));
    }
    if text == DEFAULT {
        return Some(Row::Default);
    }
    let all = all_of(kinds::TRANSIENT);
    if kinds::LASTING.contains(&text.as_str()) {
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
    Some(Row::Named(name.clone()))
}

/// The name that a row's name can only be a misspelling of.
fn meant(name: &str) -> Option<&'static str> {
    let known = [kinds::TRANSIENT, kinds::LASTING, &[AUTO, DEFAULT]].concat();
    misspelt(name, &known).filter(|meant| *meant != name)
}
