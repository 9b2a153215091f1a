//! The key `budget`, and the budgets that `policies!` declares.

use proc_macro2::Span;
use syn::LitStr;

use super::distinct;
use super::numbers::{Setting, Settings, count};
use crate::args::{Arg, Args};
use crate::errors::Errors;
use crate::values::{Text, expression, text};

const KEYS: &[&str] = &["capacity", "retry_cost", "timeout_cost", "success_refund"];

/// Reads `budget = …`.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Text> {
    let value = expression(arg, errors)?;
    let name = text(arg, value, "\"qdrant\"", errors)?;
    if let Text::Literal(name) = &name {
        refuse_empty(name, errors)?;
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
    for (_, arg) in distinct(args, KEYS, errors) {
        let Some(value) = expression(arg, errors) else { continue };
        let tokens = count(arg, value, u32::MAX, errors).map(Setting::Count);
        settings.changes.extend(tokens.map(|tokens| (arg.key.clone(), tokens)));
    }
    refuse_empty(name, errors)?;
    Some(settings)
}

fn refuse_empty(name: &LitStr, errors: &mut Errors) -> Option<()> {
    if name.value().trim().is_empty() {
        errors.at(
            name,
            "the name of a budget is empty: write whose load it limits, as in \"qdrant\"",
        );
        return None;
    }
    Some(())
}
