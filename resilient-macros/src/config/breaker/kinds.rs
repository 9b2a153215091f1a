//! The lists of kinds, which say what errors count as failures.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, Lit, LitStr};

use crate::args::Arg;
use crate::errors::Errors;
use crate::kinds;
use crate::values::{literal, path, ungrouped};

/// Reads `trip_on = ["timeout_error", …]`, or `ignore = […]`: the variants of `ErrorKind`.
pub fn read(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Vec<Ident>> {
    let ignoring = arg.key == "ignore";
    let before = errors.count();
    let mut kinds = Vec::new();
    for name in names(arg, value, errors)? {
        let Some(kind) = kinds::read(&name, errors) else { continue };
        let text = name.value();
        if kinds.contains(&kind) {
            errors.at(name, format_args!("`{text}` is given twice: keep one"));
        } else if ignoring && kinds::LASTING.contains(&text.as_str()) {
            errors.at(
                name,
                format_args!("`{text}` is not transient, and never counts: leave it out"),
            );
        } else {
            kinds.push(kind);
        }
    }
    if ignoring && kinds.len() == kinds::TRANSIENT.len() {
        errors.at(value, "`ignore` leaves no kind that counts: name fewer, or give no breaker");
    }
    (errors.count() == before).then_some(kinds)
}

/// The strings of the list that stands there; those that are no strings are left out.
fn names(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Vec<LitStr>> {
    let key = &arg.key;
    let Expr::Array(list) = ungrouped(value) else {
        let advice = arg.with(format_args!("[{}]", meant(value)));
        errors.at(value, format_args!("`{key}` takes a list of kinds: write `{advice}`"));
        return None;
    };
    if list.elems.is_empty() {
        errors.at(
            value,
            format_args!(
                "`{key}` is empty: name one kind or more, or leave it out, and the transient ones \
                 count"
            ),
        );
        return None;
    }
    let mut names = Vec::new();
    for element in &list.elems {
        if let Some(Lit::Str(name)) = literal(element) {
            names.push(name.clone());
        } else {
            let advice = meant(element);
            errors.at(element, format_args!("`{key}` lists kinds as strings: write `{advice}`"));
        }
    }
    Some(names)
}

/// The string that is meant by what stands in the place of one: itself where only the brackets are
/// missing, or the kind whose quotes were forgotten.
fn meant(value: &Expr) -> String {
    if let Some(Lit::Str(name)) = literal(value) {
        return name.to_token_stream().to_string();
    }
    let path = path(value);
    let last = path.as_ref().and_then(|path| path.segments.last());
    let kind = last.and_then(|last| kinds::of_name_or_variant(&last.ident));
    format!("\"{}\"", kind.unwrap_or("timeout_error"))
}
