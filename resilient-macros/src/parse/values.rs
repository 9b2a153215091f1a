//! The values of keys: one reader for each type.

use std::fmt::Display;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
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

/// A value as written, or the constant that holds it.
#[derive(Clone)]
pub enum Given<T> {
    Literal(T),
    Constant(Path),
}

/// A string, or the constant that holds one.
pub type Text = Given<LitStr>;

impl<T> Given<T> {
    /// Returns the value, if it is known at expansion.
    pub const fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(value) => Some(value),
            Self::Constant(_) => None,
        }
    }

    /// Whether the value is known at expansion.
    pub const fn is_literal(&self) -> bool {
        self.literal().is_some()
    }

    /// Returns the constant, if it is one.
    pub const fn constant(&self) -> Option<&Path> {
        match self {
            Self::Literal(_) => None,
            Self::Constant(path) => Some(path),
        }
    }
}

/// Reads a constant, or else what `literal` reads.
pub fn constant_or<T>(
    value: &Expr,
    errors: &mut Errors,
    literal: impl FnOnce(&mut Errors) -> Option<T>,
) -> Option<Given<T>> {
    match constant(value) {
        Some(path) => outside_of_self(path, errors).map(Given::Constant),
        None => literal(errors).map(Given::Literal),
    }
}

/// Returns the constant in an expression: a path that ends in capitals.
pub fn constant(value: &Expr) -> Option<&Path> {
    let path = path(value)?;
    let last = path.segments.last()?.ident.to_string();
    (!last.contains(char::is_lowercase)).then_some(path)
}

/// Whether a path begins with this type or parameter, or has it among its arguments.
pub fn depends(path: &Path, word: &str) -> bool {
    let arguments = path.segments.iter().map(|segment| &segment.arguments);
    let mut arguments = arguments.filter(|arguments| !arguments.is_none());
    path.segments[0].ident == word
        || arguments.any(|arguments| names(arguments.to_token_stream(), word))
}

/// Whether this word is among the tokens.
fn names(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(found) => found == word,
        TokenTree::Group(group) => names(group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Rejects a path that depends on `Self`, which means nothing in the static that uses it.
pub fn outside_of_self(path: &Path, errors: &mut Errors) -> Option<Path> {
    if depends(path, "Self") {
        errors.at(path, "`Self` cannot be named here: write the name of the type");
        return None;
    }
    Some(path.clone())
}

/// Returns the message for a value that is neither of the right kind, which `takes` says with an
/// example, nor a constant. A computed value can be a constant: `kind` and `of` say of which type.
pub fn or_constant(
    arg: &Arg,
    value: &Expr,
    takes: impl Display,
    (kind, of): (&str, &str),
) -> String {
    let (key, name) = (&arg.key, arg.key.to_string().to_uppercase());
    let constant = arg.with(&name);
    if is_computed(value) {
        return format!(
            "`{key}` takes {kind} or a constant: put this expression into a `const {name}: {of}`, \
             and write `{constant}`"
        );
    }
    let example = path(value).map(|_| format!(", as in `{constant}`")).unwrap_or_default();
    format!("`{key}` {takes}, or a constant in capitals{example}")
}

/// Whether an expression computes something, and so could be the value of a constant.
fn is_computed(value: &Expr) -> bool {
    match ungrouped(value) {
        Expr::Unary(unary) => literal(&unary.expr).is_none(),
        Expr::Binary(_)
        | Expr::Block(_)
        | Expr::Call(_)
        | Expr::Cast(_)
        | Expr::Const(_)
        | Expr::Field(_)
        | Expr::If(_)
        | Expr::Index(_)
        | Expr::Macro(_)
        | Expr::Match(_)
        | Expr::MethodCall(_)
        | Expr::Paren(_) => true,
        _ => false,
    }
}

/// Reads a string, or a constant.
pub fn text(arg: &Arg, value: &Expr, example: &str, errors: &mut Errors) -> Option<Text> {
    constant_or(value, errors, |errors| {
        if let Some(Lit::Str(text)) = literal(value) {
            return Some(text.clone());
        }
        let (string, constant) = (arg.with(format_args!("\"{example}\"")), arg.with("NAME"));
        let message = format_args!(
            "`{}` takes a string, as in `{string}`, or a constant in capitals, as in `{constant}`",
            arg.key
        );
        errors.at(value, message);
        None
    })
}
