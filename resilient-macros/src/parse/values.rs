//! The values of keys: one reader for each type.

use syn::{Expr, ExprLit, Lit, LitStr, Path};

use super::args::{Arg, Value};
use crate::diagnose::errors::Errors;

/// Returns the value of `key = value`.
pub fn expression<'a>(arg: &'a Arg, errors: &mut Errors) -> Option<&'a Expr> {
    if let Value::Expr(value) = &arg.value {
        return Some(value);
    }
    errors.at(&arg.key, arg.takes_a_value());
    None
}

/// Returns the literal in an expression.
pub fn literal(value: &Expr) -> Option<&Lit> {
    match ungrouped(value) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// Returns the path in an expression.
pub fn path(value: &Expr) -> Option<&Path> {
    match ungrouped(value) {
        Expr::Path(path) if path.qself.is_none() => Some(&path.path),
        _ => None,
    }
}

/// Returns an expression without the group that `macro_rules!` puts around `$value:expr`.
pub fn ungrouped(value: &Expr) -> &Expr {
    if let Expr::Group(group) = value { ungrouped(&group.expr) } else { value }
}

/// Reads a string that is one of these words.
pub fn string(arg: &Arg, value: &Expr, words: &[&str], errors: &mut Errors) -> Option<LitStr> {
    if let Some(Lit::Str(text)) = literal(value) {
        return Some(text.clone());
    }
    let (key, example) = (&arg.key, arg.with(format_args!("\"{}\"", example(value, words))));
    errors.at(value, format_args!("`{key}` takes a string, as in `{example}`"));
    None
}

/// Returns the word to write instead of a value that is no string: the one that a path to a variant
/// names, as `Backoff::Linear` does, or the first.
pub fn example<'a>(value: &Expr, words: &[&'a str]) -> &'a str {
    let last = path(value).and_then(|path| path.segments.last());
    let last = last.map(|last| last.ident.to_string());
    let is_meant = |word: &&&str| {
        last.as_ref().is_some_and(|last| word.replace('_', "").eq_ignore_ascii_case(last))
    };
    words.iter().find(is_meant).unwrap_or(&words[0])
}

/// Reads `true` or `false`.
pub fn flag(arg: &Arg, errors: &mut Errors) -> Option<bool> {
    let value = expression(arg, errors)?;
    if let Some(Lit::Bool(flag)) = literal(value) {
        return Some(flag.value);
    }
    let (key, example) = (&arg.key, arg.with(false));
    errors.at(value, format_args!("`{key}` takes `true` or `false`, as in `{example}`"));
    None
}

/// Reads the path of the runtime crate.
pub fn runtime(arg: &Arg, errors: &mut Errors) -> Option<Path> {
    let value = expression(arg, errors)?;
    let path = path(value);
    if path.is_none() {
        let message = "`crate` takes the path of the runtime, as in `crate = ::resilient_runtime`";
        errors.at(value, message);
    }
    path.cloned()
}

/// A string, or the constant that holds one.
pub enum Text {
    Literal(LitStr),
    Constant(Path),
}

/// Reads a string, or a constant: a path that ends in capitals. The constant is used in a static,
/// where `Self` means nothing.
pub fn text(arg: &Arg, value: &Expr, example: &str, errors: &mut Errors) -> Option<Text> {
    if let Some(Lit::Str(text)) = literal(value) {
        return Some(Text::Literal(text.clone()));
    }
    let ends_in_capitals = |path: &&Path| {
        let last = path.segments.last().map(|last| last.ident.to_string());
        last.is_some_and(|last| !last.contains(char::is_lowercase))
    };
    let Some(path) = path(value).filter(ends_in_capitals) else {
        let (string, constant) = (arg.with(format_args!("\"{example}\"")), arg.with("NAME"));
        let message = format_args!(
            "`{}` takes a string, as in `{string}`, or a constant in capitals, as in `{constant}`",
            arg.key
        );
        errors.at(value, message);
        return None;
    };
    if path.segments[0].ident == "Self" {
        errors.at(path, "`Self` cannot be named here: write the name of the type");
        return None;
    }
    Some(Text::Constant(path.clone()))
}
