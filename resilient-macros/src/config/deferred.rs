//! Rules between settings, for values that constants hold: the compiler checks them when it evaluates
//! the constants.

use proc_macro2::{Ident, Span};

/// A rule that is left to the compiler.
pub struct Deferred {
    /// The function of the runtime that checks it.
    pub rule: &'static str,
    /// Where its error is reported.
    pub place: Span,
}

impl Deferred {
    pub fn at(key: &Ident, rule: &'static str) -> Self {
        Self { rule, place: key.span() }
    }
}
