//! The values behind keys, whatever the attribute: one reader for each type.

use syn::{Expr, ExprLit, Lit, LitStr, Path};

use crate::args::{Arg, Value, takes_a_value};
use crate::errors::Errors;

/// The value of `key = value`.
pub fn expression<'a>(arg: &'a Arg, errors: &mut Errors) -> Option<&'a Expr> {
    if let Value::Expr(value) = &arg.value {
        return Some(value);
    }
    errors.at(&arg.key, takes_a_value(&arg.key));
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
    errors.at(value, format_args!("`{key}` takes a string: write `{key} = {example}`"));
    None
}

pub fn runtime(arg: &Arg, errors: &mut Errors) -> Option<Path> {
    let value = expression(arg, errors)?;
    if let Expr::Path(path) = ungrouped(value)
        && path.qself.is_none()
    {
        return Some(path.path.clone());
    }
    errors.at(
        value,
        "`crate` takes the path of the runtime, without quotes: write \
         `crate = ::resilient_runtime`",
    );
    None
}
