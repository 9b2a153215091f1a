//! Lint expectations.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{Attribute, Meta};

use crate::hygiene::mixed;

/// Turns `#[expect(clippy::…)]` into `#[allow(clippy::…)]`. Clippy ignores much of what generated
/// code does, so an expectation that the plain function fulfills would be reported as unfulfilled.
pub fn allow_what_is_expected(attributes: &mut [Attribute]) {
    for attribute in attributes {
        if let Meta::List(expect) = &mut attribute.meta
            && expect.path.is_ident("expect")
            && names_clippy(&expect.tokens)
        {
            let place = mixed().located_at(attribute.bracket_token.span.join());
            expect.path = Ident::new("allow", place).into();
        }
    }
}

fn names_clippy(lints: &TokenStream) -> bool {
    let is_clippy = |token| matches!(token, TokenTree::Ident(word) if word == "clippy");
    lints.clone().into_iter().any(is_clippy)
}
