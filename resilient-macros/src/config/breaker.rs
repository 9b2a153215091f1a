//! The key `breaker`, and the breakers that `policies!` declares.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use resilient_config::breaker::KEYS;
use resilient_config::call::MAX_KEYS;
use syn::{Expr, LitStr, Path};

use super::keys::{self, distinct, given};
use super::settings::{Settings, whole_number, word};
use super::{contradictions, names};
use crate::diagnose::errors::Errors;
use crate::parse::args::{Arg, Args, Value};
use crate::parse::template::{self, Template};
use crate::parse::values::{Given, Text, constant_or, expression, text};

/// The key `breaker`.
pub struct Breaker {
    pub name: BreakerSource,
    pub settings: BreakerSettings,
    /// The variant of `Scope`.
    pub scope: Ident,
}

/// Where a breaker comes from.
pub enum BreakerSource {
    /// The breaker of this name.
    Literal(LitStr),
    /// One breaker for each value of the placeholders.
    Keyed(LitStr, Template),
    /// A constant that holds the name, or a static breaker.
    Path(Path),
}

impl BreakerSource {
    /// Returns the name as written. `None` for a path.
    pub const fn literal(&self) -> Option<&LitStr> {
        match self {
            Self::Literal(name) | Self::Keyed(name, _) => Some(name),
            Self::Path(_) => None,
        }
    }
}

/// The settings of a breaker, or of all breakers of a template.
pub struct BreakerSettings {
    /// The settings of its configuration.
    pub config: Settings,
    pub max_keys: Option<Given<u32>>,
}

impl BreakerSettings {
    const fn none(span: Span) -> Self {
        Self { config: Settings::none(span), max_keys: None }
    }

    /// Returns `slow_call_duration`, with its key.
    pub fn slow_call_duration(&self) -> Option<(&Ident, &Given<Duration>)> {
        self.config.time("slow_call_duration")
    }

    /// Returns the constants that hold values.
    pub fn constants(&self) -> impl Iterator<Item = &Path> {
        let max_keys = self.max_keys.as_ref().and_then(Given::constant);
        self.config.constants().chain(max_keys)
    }

    /// Whether no setting is given.
    pub const fn is_empty(&self) -> bool {
        self.config.changes.is_empty() && self.max_keys.is_none()
    }

    /// Rejects `max_keys` for a name without placeholders.
    fn check_max_keys(&self, args: &Args, name: &BreakerSource, errors: &mut Errors) {
        if let (Some(_), Some(arg)) = (&self.max_keys, given(args, "max_keys"))
            && !matches!(name, BreakerSource::Keyed(..))
        {
            errors.at(
                &arg.key,
                "`max_keys` needs a name with a placeholder, as in \"search/{collection}\": this name \
                 has only one breaker",
            );
        }
    }
}

/// The values of `scope`, with the variants of `Scope`.
const SCOPES: &[(&str, &str)] = &[("call", CALL), ("attempt", "Attempt")];
const CALL: &str = "Call";

/// Reads `breaker = …` or `breaker(…)`.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Breaker> {
    let call = |span| Ident::new(CALL, span);
    match &arg.value {
        Value::None => {
            errors.at(&arg.key, "`breaker` needs a name: write `breaker = \"search\"`");
            None
        }
        Value::Expr(value) => {
            let name = named(arg, value, errors)?;
            let span = arg.key.span();
            Some(Breaker { name, settings: BreakerSettings::none(span), scope: call(span) })
        }
        Value::List(args, span) => {
            let settings = settings_in(args, *span, &keys::breaker(), errors);
            let scope = given(args, "scope")
                .and_then(|arg| word(arg, expression(arg, errors)?, SCOPES, errors))
                .map_or_else(|| call(*span), |(scope, span)| Ident::new(scope, span));
            let name = if let Some(arg) = given(args, "name") {
                expression(arg, errors).and_then(|value| named(arg, value, errors))
            } else {
                errors.at(
                    &arg.key,
                    "`breaker(…)` needs a name: write `breaker(name = \"search\", …)`",
                );
                None
            };
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
) -> Option<(BreakerSource, BreakerSettings)> {
    let settings = settings_in(args, span, &keys::declared_breaker(), errors);
    let name = literal(name, errors)?;
    settings.check_max_keys(args, &name, errors);
    Some((name, settings))
}

/// Reads the settings. `name` and `scope` are left to the caller.
fn settings_in(
    args: &Args,
    span: Span,
    known: &[&'static str],
    errors: &mut Errors,
) -> BreakerSettings {
    let mut found = BreakerSettings::none(span);
    for (key, arg) in distinct(args, known, errors) {
        match key {
            "name" | "scope" => {}
            "max_keys" => found.max_keys = max_keys(arg, errors),
            _ => found.config.read(&KEYS, key, arg, errors),
        }
    }
    // An unknown key may be a misspelling of a key that another one needs.
    if args.0.iter().all(|arg| known.iter().any(|key| arg.key == key)) {
        contradictions::check_breaker(args, &found.config, errors);
    }
    found
}

fn max_keys(arg: &Arg, errors: &mut Errors) -> Option<Given<u32>> {
    let value = expression(arg, errors)?;
    constant_or(value, errors, |errors| {
        let number = whole_number(arg, value, errors)?;
        if number == 0 {
            errors.at(value, MAX_KEYS);
            return None;
        }
        Some(number)
    })
}

fn named(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<BreakerSource> {
    match text(arg, value, "search", errors)? {
        Text::Literal(name) => literal(&name, errors),
        Text::Constant(path) => Some(BreakerSource::Path(path)),
    }
}

fn literal(name: &LitStr, errors: &mut Errors) -> Option<BreakerSource> {
    if name.value().trim().is_empty() {
        errors.at(name, "the name of a breaker is empty: write what it guards, as in \"search\"");
        return None;
    }
    names::check("a breaker", name, errors)?;
    let template =
        template::parse(&name.value()).map_err(|message| errors.at(name, message)).ok()?;
    Some(match template.plain() {
        Some(plain) => BreakerSource::Literal(LitStr::new(plain, name.span())),
        None => BreakerSource::Keyed(name.clone(), template),
    })
}
