//! Lists of kinds, which decide the errors that count as failures.

use proc_macro2::Ident;
use resilient_config::{ConfigError, KindSet};
use syn::{Expr, ExprArray, Lit, LitStr, Stmt};

use crate::diagnose::errors::Errors;
use crate::parse::args::{Arg, Value};
use crate::parse::kinds::{self, Kind};
use crate::parse::values::{literal, ungrouped};

/// Reads a list of kinds that are `allowed`.
pub fn read(arg: &Arg, allowed: KindSet, errors: &mut Errors) -> Option<Vec<Kind>> {
    let before = errors.count();
    let mut kinds: Vec<Kind> = Vec::new();
    for name in names(arg, allowed, errors)? {
        let Some(kind) = kinds::read(&name, errors) else { continue };
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

/// Returns the strings in the list. An element that is not a string is reported and left out.
fn names(arg: &Arg, allowed: KindSet, errors: &mut Errors) -> Option<Vec<LitStr>> {
    let key = &arg.key;
    let list = list(arg, allowed, errors)?;
    if list.elems.is_empty() {
        errors.at(list, ConfigError::NoKinds);
        return None;
    }
    let mut names = Vec::new();
    for element in &list.elems {
        let meant = meant(element);
        match literal(element) {
            // A misspelling is reported as an unknown kind.
            Some(Lit::Str(name)) if meant.as_ref().is_none_or(|kinds| kinds.len() <= 1) => {
                names.push(name.clone());
            }
            _ => {
                let advice = written(meant, allowed);
                let message = format_args!("`{key}` lists kinds as strings: write `{advice}`");
                errors.at(element, message);
            }
        }
    }
    Some(names)
}

/// Returns the list in the argument.
fn list<'a>(arg: &'a Arg, allowed: KindSet, errors: &mut Errors) -> Option<&'a ExprArray> {
    let meant = match &arg.value {
        Value::Expr(value) => match ungrouped(value) {
            Expr::Array(list) => return Some(list),
            other => meant(other),
        },
        Value::Values(values) => all_meant(values),
        Value::List(args, _) => args.0.iter().map(meant_by_key).collect(),
        Value::None => None,
    };
    let (key, advice) = (&arg.key, arg.with(format_args!("[{}]", written(meant, allowed))));
    let message = format_args!("`{key}` takes a list of kinds: write `{advice}`");
    match &arg.value {
        Value::Expr(value) => errors.at(value, message),
        Value::Values(values) => errors.at(values, message),
        Value::List(..) | Value::None => errors.at(key, message),
    }
    None
}

/// Returns the kinds that an expression means, if it is not a list or not a string in one. `None`
/// unless each of them is certain.
fn meant(value: &Expr) -> Option<Vec<&'static str>> {
    match ungrouped(value) {
        Expr::Array(list) => all_meant(&list.elems),
        Expr::Tuple(list) => all_meant(&list.elems),
        Expr::Paren(within) => meant(&within.expr),
        Expr::Reference(to) => meant(&to.expr),
        Expr::Repeat(repeated) => meant(&repeated.expr),
        Expr::Block(block) => match &block.block.stmts[..] {
            [Stmt::Expr(only, None)] => meant(only),
            _ => None,
        },
        Expr::Path(path) => Some(vec![meant_by_word(&path.path.segments.last()?.ident)?]),
        other => match literal(other)? {
            Lit::Str(text) => {
                let text = text.value();
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                words.map(kinds::meant).collect()
            }
            _ => None,
        },
    }
}

fn all_meant<'a>(values: impl IntoIterator<Item = &'a Expr>) -> Option<Vec<&'static str>> {
    let kinds: Option<Vec<_>> = values.into_iter().map(meant).collect();
    kinds.map(|kinds| kinds.concat())
}

/// The kind in `trip_on(timeout_error)`, which looks like a key.
fn meant_by_key(arg: &Arg) -> Option<&'static str> {
    matches!(arg.value, Value::None).then(|| meant_by_word(&arg.key))?
}

/// A name without its quotes, or a variant. In capitals it is a constant, which may hold anything.
fn meant_by_word(word: &Ident) -> Option<&'static str> {
    let word = word.to_string();
    if word.contains(char::is_lowercase) { kinds::meant(&word) } else { None }
}

/// Writes kinds as in a list, each once. `"…"` unless all of them are known and allowed.
fn written(kinds: Option<Vec<&str>>, allowed: KindSet) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for kind in kinds.unwrap_or_default() {
        if !kind.parse().is_ok_and(|kind| allowed.contains(kind)) {
            distinct.clear();
            break;
        }
        let kind = format!("\"{kind}\"");
        if !distinct.contains(&kind) {
            distinct.push(kind);
        }
    }
    if distinct.is_empty() { "\"…\"".to_owned() } else { distinct.join(", ") }
}

#[cfg(test)]
mod tests {
    use syn::parse::Parser;
    use syn::parse_str;

    use super::*;
    use crate::parse::args::Args;

    /// The messages for a list of kinds.
    fn told(arg: &Arg) -> String {
        let mut errors = Errors::default();
        read(arg, KindSet::ALL, &mut errors);
        errors.finish().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_list_that_is_written_otherwise_is_recognized() {
        for (written, meant) in [
            (" = \"unknown\"", "\"unknown\""),
            (" = \"timeout_error, unknown\"", "\"timeout_error\", \"unknown\""),
            (" = &[\"unknown\"]", "\"unknown\""),
            (" = ([\"unknown\"])", "\"unknown\""),
            (" = {\"unknown\"}", "\"unknown\""),
            (" = [\"unknown\"; 2]", "\"unknown\""),
            (" = (\"unknown\", \"timeout_error\", unknown)", "\"unknown\", \"timeout_error\""),
            (" = ErrorKind::NotFoundError", "\"not_found_error\""),
            (" = RateLimit", "\"rate_limit_error\""),
            ("(\"timeout_error\", \"unknown\")", "\"timeout_error\", \"unknown\""),
            ("([\"unknown\"])", "\"unknown\""),
            ("(timeout_error, unknown)", "\"timeout_error\", \"unknown\""),
            ("(timeout_error, \"unknown\")", "\"timeout_error\", \"unknown\""),
            ("(ErrorKind::Unknown, kinds::TimeoutError)", "\"unknown\", \"timeout_error\""),
            (" = \"x\"", "\"…\""),
            (" = \"unknown, x\"", "\"…\""),
            (" = \"\"", "\"…\""),
            (" = TIMEOUT", "\"…\""),
            (" = 3", "\"…\""),
            (" = &[]", "\"…\""),
            (" = {}", "\"…\""),
            (" = vec![\"unknown\"]", "\"…\""),
            ("()", "\"…\""),
            ("(timeout_error = true)", "\"…\""),
            ("(\"auto\")", "\"…\""),
            ("", "\"…\""),
        ] {
            let message = told(&parse_str(&format!("trip_on{written}")).unwrap());
            let advice = format!("`trip_on` takes a list of kinds: write `trip_on = [{meant}]`");
            assert_eq!(message, advice, "trip_on{written}");
        }
    }

    #[test]
    fn a_declaration_is_advised_in_its_own_form() {
        for written in ["(\"unknown\")", "([\"unknown\"])", "(unknown)", ": \"unknown\""] {
            let args = Args::parse_declared.parse_str(&format!("trip_on{written}")).unwrap();
            let message = told(&args.0[0]);
            assert!(message.ends_with(": write `trip_on: [\"unknown\"]`"), "{written}: {message}");
        }
    }

    #[test]
    fn what_is_no_string_is_advised_by_what_it_means() {
        for (element, meant) in [
            ("unknown", "\"unknown\""),
            ("(\"unknown\")", "\"unknown\""),
            ("[\"unknown\"]", "\"unknown\""),
            ("ErrorKind::Unknown", "\"unknown\""),
            ("\"timeout_error, unknown\"", "\"timeout_error\", \"unknown\""),
            ("3", "\"…\""),
            ("KIND", "\"…\""),
            ("x", "\"…\""),
        ] {
            let message = told(&parse_str(&format!("trip_on = [{element}]")).unwrap());
            let advice = format!("`trip_on` lists kinds as strings: write `{meant}`");
            assert_eq!(message, advice, "{element}");
        }
        assert!(told(&parse_str("trip_on = [\"x\"]").unwrap()).starts_with("unknown kind"));
    }

    #[test]
    fn no_kind_is_advised_that_would_be_refused() {
        for (written, meant) in [
            ("ignore = \"timeout_error\"", "\"timeout_error\""),
            ("ignore = \"unknown\"", "\"…\""),
            ("ignore(\"timeout_error\", \"unknown\")", "\"…\""),
        ] {
            let mut errors = Errors::default();
            read(&parse_str(written).unwrap(), KindSet::TRANSIENT, &mut errors);
            let message = errors.finish().unwrap_err().to_string();
            assert!(message.ends_with(&format!("write `ignore = [{meant}]`")), "{message}");
        }
    }
}
