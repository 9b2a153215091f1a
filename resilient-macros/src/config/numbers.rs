//! The numbers that an attribute gives, and what each may be.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Expr, Lit, LitInt};

use crate::args::Arg;
use crate::duration;
use crate::errors::Errors;
use crate::kinds::variant;
use crate::suggest::one_of;
use crate::values::{literal, string};

/// What an attribute changes in a default: each key, which is also the name of a builder's
/// setter, with its value.
pub struct Settings {
    pub changes: Vec<(Ident, Setting)>,
    /// Where to point at if the numbers do not go together.
    pub span: Span,
}

/// The value of a setting.
pub enum Setting {
    Count(u32),
    Time(Duration),
    Number(f64),
    /// The variant of `Backoff`.
    Backoff(Ident),
    /// The variants of `ErrorKind`.
    Kinds(Vec<Ident>),
}

impl Settings {
    pub const fn none(span: Span) -> Self {
        Self { changes: Vec::new(), span }
    }

    /// What the setter of this name is given, if anything.
    pub fn get(&self, setter: &str) -> Option<&Setting> {
        self.changes.iter().find(|(key, _)| key == setter).map(|(_, setting)| setting)
    }
}

pub fn word(arg: &Arg, value: &Expr, words: &[&str], errors: &mut Errors) -> Option<Ident> {
    let example = format!("\"{}\"", words[0]);
    let text = string(arg, value, &example, errors)?;
    if words.contains(&text.value().as_str()) {
        return Some(variant(&text.value(), text.span()));
    }
    let key = &arg.key;
    errors.at(&text, format_args!("`{key}` is {}, not `{}`", one_of(words), text.value()));
    None
}

pub fn count(arg: &Arg, value: &Expr, max: u32, errors: &mut Errors) -> Option<u32> {
    let key = &arg.key;
    let Some(number) = whole(value) else {
        errors.at(value, format_args!("`{key}` takes a whole number: write `{}`", arg.with(3)));
        return None;
    };
    let number = number.base10_parse().ok().filter(|number| (1..=max).contains(number));
    if number.is_none() {
        let range = if max == u32::MAX { "1 or more".into() } else { format!("from 1 to {max}") };
        errors.at(value, format_args!("`{key}` must be {range}"));
    }
    number
}

/// A number from 0 to 1, which is a share of what `of` says.
pub fn share(arg: &Arg, value: &Expr, of: &str, errors: &mut Errors) -> Option<f64> {
    let share = number(value).filter(|number| (0.0..=1.0).contains(number));
    if share.is_none() {
        let (key, advice) = (&arg.key, arg.with(0.2));
        errors.at(
            value,
            format_args!("`{key}` is a share of {of}, a number from 0 to 1: write `{advice}`"),
        );
    }
    share
}

/// A number of 1 or more.
pub fn factor(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<f64> {
    let factor = number(value).filter(|number| *number >= 1.0 && number.is_finite());
    if factor.is_none() {
        let (key, advice) = (&arg.key, arg.with("2.0"));
        errors.at(
            value,
            format_args!("`{key}` is a factor, a number of 1 or more: write `{advice}`"),
        );
    }
    factor
}

/// The whole number that stands there. One with letters behind it is none: `60s` is a time without
/// its quotes.
pub fn whole(value: &Expr) -> Option<&LitInt> {
    match literal(value) {
        Some(Lit::Int(number)) if number.suffix().is_empty() => Some(number),
        _ => None,
    }
}

/// The number that stands there, with a point or without.
fn number(value: &Expr) -> Option<f64> {
    match literal(value) {
        Some(Lit::Float(number)) if number.suffix().is_empty() => number.base10_parse().ok(),
        _ => whole(value)?.base10_parse().ok(),
    }
}

pub fn time(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let text = string(arg, value, "\"500ms\"", errors)?;
    duration::parse(&text.value()).map_err(|message| errors.at(text, message)).ok()
}
