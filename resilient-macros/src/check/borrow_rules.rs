//! What a function must not return if its body may run again.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, Lifetime, Signature};

use super::passing::{receiver_reference, reference};
use super::signature::Target;
use crate::diagnose::errors::Errors;

/// Rejects a result that only one attempt could return.
pub fn check(target: &Target, errors: &mut Errors) {
    if target.pin.is_none()
        && let Some(lender) = lender(&target.signature, &target.returns)
    {
        errors.at(
            lender,
            "the result is borrowed from this `&mut`, which `retry` needs for the next attempt: return \
             an owned value, or set `max_attempts = 1`; if the result is borrowed from something \
             else, give that a lifetime of its own, and use it in the return type",
        );
    }
}

/// Returns the `&mut` parameter that the return type certainly borrows from. If something else may
/// lend it as well, the compiler decides.
fn lender(signature: &Signature, returns: &TokenStream) -> Option<TokenStream> {
    let borrowed = Lifetimes::of(returns.clone());
    let references: Vec<_> = signature.inputs.iter().filter_map(reference_of).collect();
    let receiver = references.iter().find(|reference| reference.is_receiver);
    // The rules of elision: the receiver lends; without one, the only reference does.
    let elided_from = match (borrowed.is_elided, receiver, &references[..]) {
        (true, Some(receiver), _) | (true, None, [receiver]) => Some(receiver),
        _ => None,
    };
    // A lifetime that occurs twice is in its declaration and in one reference.
    let all = Lifetimes::of(signature.generics.to_token_stream());
    let all = all.and(signature.inputs.to_token_stream());
    let all = all.and(signature.generics.where_clause.to_token_stream());
    let lends_alone = |reference: &&Reference| {
        let lifetime = reference.lifetime.as_ref().map(|lifetime| lifetime.ident.to_string());
        lifetime.is_some_and(|of| borrowed.count(&of) > 0 && all.count(&of) == 2)
    };
    let named_from = || references.iter().find(lends_alone);
    let lender = elided_from.or_else(named_from).filter(|reference| reference.is_exclusive)?;
    Some(lender.tokens.clone())
}

/// A parameter that is a reference.
struct Reference {
    tokens: TokenStream,
    lifetime: Option<Lifetime>,
    is_exclusive: bool,
    is_receiver: bool,
}

fn reference_of(input: &FnArg) -> Option<Reference> {
    let tokens = input.to_token_stream();
    match input {
        FnArg::Receiver(receiver) => {
            let (lifetime, is_exclusive) = receiver_reference(receiver)?;
            Some(Reference { tokens, lifetime, is_exclusive, is_receiver: true })
        }
        FnArg::Typed(parameter) => {
            let of = reference(&parameter.ty)?;
            let (lifetime, is_exclusive) = (of.lifetime.clone(), of.mutability.is_some());
            Some(Reference { tokens, lifetime, is_exclusive, is_receiver: false })
        }
    }
}

/// The lifetimes in a type or in parameters.
#[derive(Default)]
struct Lifetimes {
    named: Vec<String>,
    /// Whether there is an elided one.
    is_elided: bool,
}

impl Lifetimes {
    fn of(of: TokenStream) -> Self {
        Self::default().and(of)
    }

    /// Returns how often the lifetime of this name occurs.
    fn count(&self, name: &str) -> usize {
        self.named.iter().filter(|named| *named == name).count()
    }

    fn and(mut self, of: TokenStream) -> Self {
        let mut tokens = of.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self = self.and(group.stream()),
                TokenTree::Ident(word) if is_function(&word) => skip_signature(&mut tokens),
                TokenTree::Punct(punct) if punct.as_char() == '&' => {
                    let is_named =
                        matches!(tokens.peek(), Some(TokenTree::Punct(it)) if it.as_char() == '\'');
                    self.is_elided |= !is_named;
                }
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    if let Some(TokenTree::Ident(name)) = tokens.next() {
                        self.is_elided |= name == "_";
                        self.named.push(name.to_string());
                    }
                }
                _ => {}
            }
        }
        self
    }
}

/// Whether this begins the type of a function, whose elided lifetimes are its own.
fn is_function(word: &Ident) -> bool {
    ["fn", "Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"]
        .iter()
        .any(|name| word == name)
}

/// Skips the arguments and the return type of such a type.
fn skip_signature(tokens: &mut Peekable<IntoIter>) {
    let is_punct = |token: Option<&TokenTree>, wanted: char| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    if !matches!(tokens.peek(), Some(TokenTree::Group(_))) {
        return;
    }
    tokens.next();
    if !is_punct(tokens.peek(), '-') {
        return;
    }
    // The `>` of the arrow opens nothing.
    tokens.nth(1);
    let mut depth = 0;
    while let Some(token) = tokens.peek() {
        match token {
            TokenTree::Punct(punct) => match punct.as_char() {
                '<' => depth += 1,
                '>' | ',' | '+' if depth == 0 => return,
                '>' => depth -= 1,
                _ => {}
            },
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
        tokens.next();
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn the_lifetimes_of_a_function_type_are_its_own() {
        for of in [
            quote!(Result<Box<dyn Fn(&str) -> bool + Send>, Error>),
            quote!(Result<fn(&u32) -> Option<&u32>, Error>),
            quote!(Result<(Box<dyn FnMut(&u32) -> &u32>, u32), Error>),
        ] {
            assert!(!Lifetimes::of(of.clone()).is_elided, "{of}");
        }
        for of in [quote!(Result<&u32, Error>), quote!(Result<(fn() -> u32, Iter<'_, u32>), Error>)]
        {
            assert!(Lifetimes::of(of.clone()).is_elided, "{of}");
        }
    }
}
