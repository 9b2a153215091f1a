//! The key `breaker`, and the breakers that `policies!` declares.

mod kinds;
mod rules;
mod settings;

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Expr, LitStr, Path};

use super::numbers::{Settings, count, word};
use super::{distinct, given};
use crate::args::{Arg, Args, Value};
use crate::errors::Errors;
use crate::names;
use crate::template::{self, Template};
use crate::values::{self, Text, expression, text};

/// The key `breaker`.
pub struct Breaker {
    pub name: Named,
    pub settings: BreakerSettings,
    /// The variant of `Scope`.
    pub scope: Ident,
}

/// Which breaker.
pub enum Named {
    /// The one of this name.
    Literal(LitStr),
    /// One for each value of the arguments.
    Keyed(LitStr, Template),
    /// What this constant names, or this static one.
    Path(Path),
}

impl Named {
    /// The name as it stands in source; none where a constant stands there.
    pub const fn literal(&self) -> Option<&LitStr> {
        match self {
            Self::Literal(name) | Self::Keyed(name, _) => Some(name),
            Self::Path(_) => None,
        }
    }
}

/// What is said of how a breaker behaves, or those of one template.
pub struct BreakerSettings {
    /// What the builder of its configuration is told.
    pub config: Settings,
    pub max_keys: Option<u32>,
}

impl BreakerSettings {
    const fn none(span: Span) -> Self {
        Self { config: Settings::none(span), max_keys: None }
    }

    /// How long a call takes that is slow, with its key.
    pub fn slow_call_duration(&self) -> Option<(&Ident, Duration)> {
        self.config.time("slow_call_duration")
    }

    /// Whether nothing is given.
    pub const fn is_empty(&self) -> bool {
        self.config.changes.is_empty() && self.max_keys.is_none()
    }

    /// Refuses a number of breakers where there is only one of this name.
    fn check_max_keys(&self, args: &Args, name: &Named, errors: &mut Errors) {
        if let (Some(_), Some(arg)) = (self.max_keys, given(args, "max_keys"))
            && !matches!(name, Named::Keyed(..))
        {
            errors.at(
                &arg.key,
                "`max_keys` is the most breakers that a name with a placeholder may have, as in \
                 \"search/{collection}\": this name has one breaker only",
            );
        }
    }
}

pub const KEYS: &[&str] = &[
    "name",
    "failure_threshold",
    "window",
    "failure_rate",
    "minimum_calls",
    "slow_call_duration",
    "slow_call_rate",
    "trip_on",
    "ignore",
    "open_duration",
    "open_duration_multiplier",
    "max_open_duration",
    "open_jitter",
    "success_threshold",
    "half_open_max_calls",
    "probe_timeout",
    "max_keys",
    "scope",
];

const SCOPES: &[&str] = &["call", "attempt"];

/// Reads `breaker = …` or `breaker(…)`.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Breaker> {
    let call = |span| Ident::new("Call", span);
    match &arg.value {
        Value::None => {
            errors.at(&arg.key, "`breaker` needs a name: write `breaker = \"search\"`");
            None
        }
        Value::Expr(_) | Value::Values(_) => {
            let value = expression(arg, errors)?;
            let name = named(arg, value, errors)?;
            let span = arg.key.span();
            Some(Breaker { name, settings: BreakerSettings::none(span), scope: call(span) })
        }
        Value::List(args, span) => {
            let mut name = None;
            let mut scope = call(*span);
            let settings = settings_in(args, *span, KEYS, errors, |key, arg, errors| {
                values::read(arg, false, errors, |arg, errors| {
                    let Some(value) = expression(arg, errors) else { return };
                    match key {
                        "name" => name = named(arg, value, errors),
                        _ => {
                            scope = word(arg, value, SCOPES, errors).unwrap_or_else(|| call(*span));
                        }
                    }
                });
            });
            if given(args, "name").is_none() {
                errors.at(
                    &arg.key,
                    "`breaker(…)` needs a name: write `breaker(name = \"search\", …)`",
                );
            }
            let name = name?;
            settings.check_max_keys(args, &name, errors);
            Some(Breaker { name, settings, scope })
        }
    }
}

/// Reads the declaration of a breaker, or of those of a template.
pub fn declared_breaker(
    name: &LitStr,
    args: &Args,
    span: Span,
    errors: &mut Errors,
) -> Option<(Named, BreakerSettings)> {
    let known: Vec<_> =
        KEYS.iter().copied().filter(|key| !["name", "scope"].contains(key)).collect();
    let settings = settings_in(args, span, &known, errors, |_, _, _| {});
    let name = literal(name, errors)?;
    settings.check_max_keys(args, &name, errors);
    Some((name, settings))
}

/// Reads what is said of how it behaves, and hands any other key on.
fn settings_in(
    args: &Args,
    span: Span,
    known: &[&'static str],
    errors: &mut Errors,
    mut other: impl FnMut(&str, &Arg, &mut Errors),
) -> BreakerSettings {
    let mut found = BreakerSettings::none(span);
    for (key, arg) in distinct(args, known, errors) {
        match key {
            "name" | "scope" => other(key, arg, errors),
            "max_keys" => {
                found.max_keys = values::read(arg, false, errors, |arg, errors| {
                    count(arg, expression(arg, errors)?, u32::MAX, errors)
                });
            }
            _ => found.config.changes.extend(settings::read(key, arg, errors)),
        }
    }
    // One that is unknown may be meant for what another needs.
    if args.0.iter().all(|arg| known.iter().any(|key| arg.key == key)) {
        rules::check(args, &found.config, errors);
    }
    found
}

fn named(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Named> {
    match text(arg, value, "\"search\"", errors)? {
        Text::Literal(name) => literal(&name, errors),
        Text::Constant(path) => Some(Named::Path(path)),
    }
}

fn literal(name: &LitStr, errors: &mut Errors) -> Option<Named> {
    if name.value().trim().is_empty() {
        errors.at(name, "the name of a breaker is empty: write what it guards, as in \"search\"");
        return None;
    }
    names::check("a breaker", name, errors)?;
    let template =
        template::parse(&name.value()).map_err(|message| errors.at(name, message)).ok()?;
    Some(match template.plain() {
        Some(plain) => Named::Literal(LitStr::new(&plain, name.span())),
        None => Named::Keyed(name.clone(), template),
    })
}
