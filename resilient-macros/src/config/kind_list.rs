//! Lists of kinds, which decide the errors that count as failures.

use resilient_config::{ConfigError, KindSet};
use syn::{Expr, Lit};

use crate::diagnose::errors::Errors;
use crate::parse::args::Arg;
use crate::parse::kinds::{self, Kind};
use crate::parse::values::{example, literal, ungrouped};

/// Reads a list of kinds that are `allowed`. Every mistake in it is reported.
pub fn read(arg: &Arg, value: &Expr, allowed: KindSet, errors: &mut Errors) -> Option<Vec<Kind>> {
    let Expr::Array(list) = ungrouped(value) else {
        let (key, example) = (&arg.key, arg.with("[\"timeout_error\"]"));
        errors.at(value, format_args!("`{key}` takes a list of kinds, as in `{example}`"));
        return None;
    };
    if list.elems.is_empty() {
        errors.at(list, ConfigError::NoKinds);
        return None;
    }
    let before = errors.count();
    let mut kinds: Vec<Kind> = Vec::new();
    for element in &list.elems {
        let Some(Lit::Str(name)) = literal(element) else {
            let (key, example) = (&arg.key, example(element, &allowed.names()));
            errors.at(element, format_args!("`{key}` lists kinds as strings, as in \"{example}\""));
            continue;
        };
        let Some(kind) = kinds::read(name, errors) else { continue };
        if kinds.iter().any(|before| before.kind == kind.kind) {
            errors.at(name, ConfigError::KindTwice(kind.kind));
        } else if allowed.contains(kind.kind) {
            kinds.push(kind);
        } else {
            errors.at(name, ConfigError::IgnoreNotTransient);
        }
    }
    (errors.count() == before).then_some(kinds)
}
