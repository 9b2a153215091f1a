//! The values behind keys, whatever the attribute: one reader for each type.

use syn::{Expr, ExprLit, Lit, LitStr, Path};

use crate::args::{Arg, Value};
use crate::errors::Errors;

/// The value of `key = value`.
pub fn expression<'a>(arg: &'a Arg, errors: &mut Errors) -> Option<&'a Expr> {
    if let Value::Expr(value) = &arg.value {
        return Some(value);
    }
    let key = &arg.key;
    errors.at(key, format_args!("`{key}` takes a value: write `{}`", arg.with("…")));
    None
}

/// The literal that stands there.
pub fn literal(value: &Expr) -> Option<&Lit> {
    match ungrouped(value) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// What `macro_rules!` pass on as `$value:expr`, without the group around it.
pub fn ungrouped(value: &Expr) -> &Expr {
    if let Expr::Group(group) = value { ungrouped(&group.expr) } else { value }
}

/// The string that stands there.
pub fn string(arg: &Arg, value: &Expr, example: &str, errors: &mut Errors) -> Option<LitStr> {
    if let Some(Lit::Str(text)) = literal(value) {
        return Some(text.clone());
    }
    let key = &arg.key;
    errors.at(value, format_args!("`{key}` takes a string: write `{}`", arg.with(example)));
    None
}

pub fn runtime(arg: &Arg, errors: &mut Errors) -> Option<Path> {
    let value = expression(arg, errors)?;
    let path = path(value);
    if path.is_some() {
        return path;
    }
    errors.at(
        value,
        "`crate` takes the path of the runtime, without quotes: write \
         `crate = ::resilient_runtime`",
    );
    None
}

/// The path that stands there, as that of a constant.
pub fn path(value: &Expr) -> Option<Path> {
    match ungrouped(value) {
        Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
        _ => None,
    }
}
