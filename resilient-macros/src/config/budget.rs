//! The key `budget`, and the budgets that `policies!` declares.

use proc_macro2::Span;
use resilient_config::budget::KEYS;
use resilient_config::{BudgetConfig, BudgetConfigBuilder};
use syn::LitStr;

use super::keys::{self, distinct};
use super::settings::Settings;
use super::{contradictions, names};
use crate::diagnose::errors::Errors;
use crate::parse::args::{Arg, Args, Value};
use crate::parse::values::{Text, expression, text};

/// Reads `budget = …`.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Text> {
    if let Value::List(..) = arg.value {
        errors.at(
            &arg.key,
            "`budget` takes only a name: write `budget = \"qdrant\"`, and its settings in `policies!`",
        );
        return None;
    }
    let value = expression(arg, errors)?;
    let name = text(arg, value, "qdrant", errors)?;
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
    let known = keys::budget();
    for (key, arg) in distinct(args, &known, errors) {
        settings.read(&KEYS, key, arg, errors);
    }
    // An unknown key may be a misspelling of a key that another one needs.
    if args.0.iter().all(|arg| known.iter().any(|key| arg.key == key)) {
        let (builder, build) = (BudgetConfig::builder(), BudgetConfigBuilder::build);
        contradictions::check(&KEYS, builder, build, args, &settings, errors);
    }
    check_name(name, errors)?;
    Some(settings)
}

fn check_name(name: &LitStr, errors: &mut Errors) -> Option<()> {
    if name.value().trim().is_empty() {
        errors.at(
            name,
            "the name of a budget is empty: name the service that it protects, as in \"qdrant\"",
        );
        return None;
    }
    names::check("a budget", name, errors)?;
    names::refuse_placeholders(name, errors)
}
