//! The key `budget`, and the budgets that `policies!` declares.

use proc_macro2::Span;
use syn::LitStr;

use super::numbers::{Setting, Settings, count_from};
use super::{distinct, given};
use crate::args::{Arg, Args, Value};
use crate::errors::Errors;
use crate::names;
use crate::values::{self, Text, expression, text};

const KEYS: &[&str] = &[CAPACITY, RETRY_COST, TIMEOUT_COST, RATE_LIMIT_COST, SUCCESS_REFUND];

const CAPACITY: &str = "capacity";
const RETRY_COST: &str = "retry_cost";
const TIMEOUT_COST: &str = "timeout_cost";
const RATE_LIMIT_COST: &str = "rate_limit_cost";
const SUCCESS_REFUND: &str = "success_refund";

/// The runtime's defaults.
const DEFAULT_CAPACITY: u32 = 500;
const DEFAULT_RETRY_COST: u32 = 5;

/// Reads `budget = …`.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Text> {
    if let Value::List(..) = arg.value {
        errors.at(
            &arg.key,
            "`budget` takes a name alone: write `budget = \"qdrant\"`, and its settings in `policies!`",
        );
        return None;
    }
    let value = expression(arg, errors)?;
    let name = text(arg, value, "\"qdrant\"", errors)?;
    if let Text::Literal(name) = &name {
        check_name(name, errors)?;
    }
    Some(name)
}

/// Reads the declaration of a budget.
pub fn declared_budget(
    name: &LitStr,
    args: &Args,
    span: Span,
    errors: &mut Errors,
) -> Option<Settings> {
    let mut settings = Settings::none(span);
    for (key, arg) in distinct(args, KEYS, errors) {
        let least = u32::from(key != RATE_LIMIT_COST);
        let tokens = values::read(arg, false, errors, |arg, errors| {
            let value = expression(arg, errors)?;
            count_from(least, arg, value, u32::MAX, errors).map(Setting::Count)
        });
        settings.changes.extend(tokens.map(|tokens| (arg.key.clone(), tokens)));
    }
    check(args, &settings, errors);
    check_name(name, errors)?;
    Some(settings)
}

/// Refuses numbers that do not go together, in the words of the runtime's builder. One that is wrong
/// by itself has been told of, and contradicts nothing. A capacity below a cost is left to the
/// builder.
fn check(args: &Args, settings: &Settings, errors: &mut Errors) {
    let sound = |key, default: Option<u32>| match settings.get(key) {
        Some(Setting::Count(tokens)) => Some(*tokens),
        _ => default.filter(|_| given(args, key).is_none()),
    };
    let note = |key, default: u32| match given(args, key) {
        Some(_) => String::new(),
        None => format!("\n`{key}` is {default} where it is not given"),
    };
    let mut refuse = |key, message: &str, note: String| {
        if let Some(value) = given(args, key).and_then(|arg| expression(arg, errors)) {
            errors.at(value, format_args!("{message}{note}"));
        }
    };
    if let (Some(timeout), Some(retry)) =
        (sound(TIMEOUT_COST, None), sound(RETRY_COST, Some(DEFAULT_RETRY_COST)))
        && timeout < retry
    {
        refuse(
            TIMEOUT_COST,
            "`timeout_cost` is less than `retry_cost`: raise it, or lower `retry_cost`",
            note(RETRY_COST, DEFAULT_RETRY_COST),
        );
    }
    if let (Some(refund), Some(capacity)) =
        (sound(SUCCESS_REFUND, None), sound(CAPACITY, Some(DEFAULT_CAPACITY)))
        && refund > capacity
    {
        refuse(
            SUCCESS_REFUND,
            "`success_refund` is more than `capacity` holds: lower it, or raise `capacity`",
            note(CAPACITY, DEFAULT_CAPACITY),
        );
    }
}

fn check_name(name: &LitStr, errors: &mut Errors) -> Option<()> {
    if name.value().trim().is_empty() {
        errors.at(
            name,
            "the name of a budget is empty: write whose load it limits, as in \"qdrant\"",
        );
        return None;
    }
    names::check("a budget", name, errors)?;
    names::refuse_placeholders("a budget", name, errors)
}
