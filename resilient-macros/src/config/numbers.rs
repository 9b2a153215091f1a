//! The numbers that an attribute gives, and what each may be.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Expr, Lit};

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
    Share(f64),
    /// The variant of `Backoff`.
    Backoff(Ident),
}

impl Settings {
    pub const fn none(span: Span) -> Self {
        Self { changes: Vec::new(), span }
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
    let Some(Lit::Int(number)) = literal(value) else {
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

pub fn share(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<f64> {
    let key = &arg.key;
    let number: Option<f64> = match literal(value) {
        Some(Lit::Float(number)) => number.base10_parse().ok(),
        Some(Lit::Int(number)) => number.base10_parse().ok(),
        _ => None,
    };
    let share = number.filter(|number| (0.0..=1.0).contains(number));
    if share.is_none() {
        errors.at(
            value,
            format_args!(
                "`{key}` is a share of the delay, a number from 0 to 1: write `{}`",
                arg.with(0.2)
            ),
        );
    }
    share
}

pub fn time(arg: &Arg, value: &Expr, errors: &mut Errors) -> Option<Duration> {
    let text = string(arg, value, "\"500ms\"", errors)?;
    duration::parse(&text.value()).map_err(|message| errors.at(text, message)).ok()
}
