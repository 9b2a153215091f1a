//! The values of keys: one reader for each type.

use quote::ToTokens;
use syn::{Expr, ExprLit, ExprPath, Lit, LitStr, Path};

use super::args::{Arg, Value};
use super::kinds;
use crate::diagnose::errors::Errors;

/// Reads an argument with `read`. `key("value")` is read as `key = "value"`: if its value is wrong
/// too, `read` reports that; otherwise, `key = "value"` is the advice.
pub fn read<T>(
    arg: &Arg,
    takes_arguments: bool,
    errors: &mut Errors,
    read: impl FnOnce(&Arg, &mut Errors) -> T,
) -> T {
    let Some((with_equals, value)) = arg.with_equals(takes_arguments) else {
        return read(arg, errors);
    };
    let before = errors.count();
    let found = read(&with_equals, errors);
    if errors.count() == before {
        let advice = arg.with(value.to_token_stream());
        errors.at(value, format_args!("write `{advice}`"));
    }
    found
}

/// The value of `key = value`.
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

/// An expression without the group that `macro_rules!` puts around `$value:expr`.
pub fn ungrouped(value: &Expr) -> &Expr {
    if let Expr::Group(group) = value { ungrouped(&group.expr) } else { value }
}

/// Reads a string.
pub fn string(arg: &Arg, value: &Expr, example: &str, errors: &mut Errors) -> Option<LitStr> {
    if let Some(Lit::Str(text)) = literal(value) {
        return Some(text.clone());
    }
    let key = &arg.key;
    errors.at(value, format_args!("`{key}` takes a string: write `{}`", arg.with(example)));
    None
}

/// Reads `true` or `false`.
pub fn flag(arg: &Arg, errors: &mut Errors) -> Option<bool> {
    let value = expression(arg, errors)?;
    if let Some(Lit::Bool(flag)) = literal(value) {
        return Some(flag.value);
    }
    let key = &arg.key;
    let meant = matches!(literal(value), Some(Lit::Str(text)) if text.value() == "true");
    errors.at(value, format_args!("`{key}` takes `true` or `false`: write `{}`", arg.with(meant)));
    None
}

/// The path of the runtime crate.
pub fn runtime(arg: &Arg, errors: &mut Errors) -> Option<Path> {
    let value = expression(arg, errors)?;
    let path = path(value);
    if path.is_some() {
        return path;
    }
    let advice = arg.with(runtime_in(value));
    errors.at(
        value,
        format_args!("`crate` takes the path of the runtime, without quotes: write `{advice}`"),
    );
    None
}

/// Returns the path of the runtime that a string means.
pub fn runtime_in(value: &Expr) -> String {
    let path = match literal(value) {
        Some(Lit::Str(text)) => text.parse_with(Path::parse_mod_style).ok(),
        _ => None,
    };
    path.map_or_else(
        || "::resilient_runtime".to_owned(),
        |path| path.to_token_stream().to_string().replace(' ', ""),
    )
}

/// Returns the path in an expression.
pub fn path(value: &Expr) -> Option<Path> {
    match ungrouped(value) {
        Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
        _ => None,
    }
}

/// A string, or the constant that holds one.
pub enum Text {
    Literal(LitStr),
    Constant(Path),
}

/// Reads a string, or a constant: a path that ends in capitals. Any other path is a string whose
/// quotes are missing. The constants of an attribute are used in a static, where `Self` means
/// nothing.
pub fn text(arg: &Arg, value: &Expr, example: &str, errors: &mut Errors) -> Option<Text> {
    if let Expr::Path(ExprPath { qself: Some(_), .. }) = ungrouped(value) {
        let key = &arg.key;
        let message = format_args!(
            "`{key}` takes a string, or a constant by a path without `<…>`: declare one, `const \
             NAME: &str = …;`, with what stands here, and write `{}`; a type parameter cannot be \
             part of it",
            arg.with("NAME")
        );
        errors.at(value, message);
        return None;
    }
    let Some(path) = path(value) else {
        return string(arg, value, example, errors).map(Text::Literal);
    };
    let segments = &path.segments;
    let is_constant = segments
        .last()
        .is_some_and(|last| !last.ident.to_string().contains(|c: char| c.is_lowercase()));
    if is_constant && segments.first().is_some_and(|first| first.ident == "Self") {
        errors.at(&path, "`Self` cannot be named here: write the name of the type");
        return None;
    }
    if is_constant {
        return Some(Text::Constant(path));
    }
    let key = &arg.key;
    // One lowercase word is a string without its quotes, and `ErrorKind::TimeoutError` is a kind.
    let word = path.get_ident().map(ToString::to_string);
    let word = word.filter(|word| !word.contains(char::is_uppercase)).or_else(|| {
        let last = path.segments.last()?.ident.to_string();
        ["retry", "row"]
            .iter()
            .any(|of_kind| key == of_kind)
            .then(|| kinds::meant(&last))?
            .map(str::to_owned)
    });
    let example = word.map_or_else(|| example.to_owned(), |word| format!("\"{word}\""));
    errors.at(
        &path,
        format_args!(
            "`{key}` takes a string: write `{}`; or a constant that holds one, in capitals",
            arg.with(example)
        ),
    );
    None
}
