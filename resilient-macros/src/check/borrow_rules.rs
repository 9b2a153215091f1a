//! What a function must not return if its body may run again.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, Lifetime, Signature, WherePredicate};

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

/// Returns the `&mut` parameter that the return type borrows from, as far as its lifetimes show. If
/// something else may lend it as well, the compiler decides.
fn lender(signature: &Signature, returns: &TokenStream) -> Option<TokenStream> {
    let borrowed = Lifetimes::of(returns.clone());
    let references: Vec<_> = signature.inputs.iter().filter_map(reference_of).collect();
    let receiver = references.iter().find(|reference| reference.is_receiver);
    // The rules of elision: the receiver lends, or otherwise the only reference.
    let elided_from = match (borrowed.elided, receiver, &references[..]) {
        (true, Some(receiver), _) | (true, None, [receiver]) => Some(receiver),
        _ => None,
    };
    let named_from = references.iter().find(|reference| {
        let lifetime = reference.lifetime.as_ref().map(|lifetime| lifetime.ident.to_string());
        reference.exclusive
            && lifetime.is_some_and(|lifetime| {
                let lends = borrowed.named.contains(&lifetime);
                let lends_all = borrowed.exclusive.contains(&lifetime);
                lends && (lends_all || !others_may_lend(signature, &lifetime))
            })
    });
    let lender = elided_from.filter(|reference| reference.exclusive).or(named_from)?;
    Some(lender.tokens.clone())
}

/// Whether something of this lifetime may come from elsewhere than a `&mut`: from a constant, from a
/// parameter that is shared or holds it, or from the value behind a `&mut`.
fn others_may_lend(signature: &Signature, lifetime: &str) -> bool {
    let declared =
        |name: &str| signature.generics.lifetimes().any(|declared| declared.lifetime.ident == name);
    // The type of `self` may hold a lifetime of the `impl` block.
    if lifetime == "static" || (signature.receiver().is_some() && !declared(lifetime)) {
        return true;
    }
    let long_enough = outliving(signature, lifetime);
    signature.inputs.iter().any(|input| {
        let held = match input {
            FnArg::Receiver(receiver) => match receiver_reference(receiver) {
                Some((_, true)) => return false,
                _ => receiver.to_token_stream(),
            },
            FnArg::Typed(parameter) => match reference(&parameter.ty) {
                Some(of) if of.mutability.is_some() => of.elem.to_token_stream(),
                _ => parameter.ty.to_token_stream(),
            },
        };
        Lifetimes::of(held).named.iter().any(|held| long_enough.contains(held))
    })
}

/// The lifetime, and those that are declared to outlive it.
fn outliving(signature: &Signature, lifetime: &str) -> Vec<String> {
    let generics = &signature.generics;
    let declared = generics.lifetimes().map(|param| (&param.lifetime, &param.bounds));
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let bounded = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Lifetime(of) => Some((&of.lifetime, &of.bounds)),
        _ => None,
    });
    let longer = declared
        .chain(bounded)
        .filter(|(_, bounds)| bounds.iter().any(|bound| bound.ident == lifetime));
    let longer = longer.map(|(longer, _)| longer.ident.to_string());
    longer.chain([lifetime.to_owned(), "static".to_owned()]).collect()
}

/// A parameter that is a reference.
struct Reference {
    tokens: TokenStream,
    lifetime: Option<Lifetime>,
    exclusive: bool,
    is_receiver: bool,
}

fn reference_of(input: &FnArg) -> Option<Reference> {
    let tokens = input.to_token_stream();
    match input {
        FnArg::Receiver(receiver) => {
            let (lifetime, exclusive) = receiver_reference(receiver)?;
            Some(Reference { tokens, lifetime, exclusive, is_receiver: true })
        }
        FnArg::Typed(parameter) => {
            let of = reference(&parameter.ty)?;
            let (lifetime, exclusive) = (of.lifetime.clone(), of.mutability.is_some());
            Some(Reference { tokens, lifetime, exclusive, is_receiver: false })
        }
    }
}

/// The lifetimes in a type.
#[derive(Default)]
struct Lifetimes {
    named: Vec<String>,
    /// The named ones that belong to a `&mut`.
    exclusive: Vec<String>,
    /// Whether there is an elided one.
    elided: bool,
}

impl Lifetimes {
    fn of(of: TokenStream) -> Self {
        let mut lifetimes = Self::default();
        lifetimes.collect(of);
        lifetimes
    }

    fn collect(&mut self, of: TokenStream) {
        let mut tokens = of.into_iter().peekable();
        let mut is_reference = false;
        while let Some(token) = tokens.next() {
            let is_quote =
                |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == '\'');
            let is_behind_reference = is_reference;
            is_reference = false;
            match token {
                TokenTree::Group(group) => self.collect(group.stream()),
                TokenTree::Ident(word) if is_function(&word) => skip_signature(&mut tokens),
                TokenTree::Punct(punct) if punct.as_char() == '&' => {
                    is_reference = true;
                    self.elided |= !tokens.peek().is_some_and(is_quote);
                }
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    if let Some(TokenTree::Ident(name)) = tokens.next() {
                        let is_mut = |next: &TokenTree| matches!(next, TokenTree::Ident(word) if word == "mut");
                        self.elided |= name == "_";
                        if is_behind_reference && tokens.peek().is_some_and(is_mut) {
                            self.exclusive.push(name.to_string());
                        }
                        self.named.push(name.to_string());
                    }
                }
                _ => {}
            }
        }
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
            assert!(!Lifetimes::of(of.clone()).elided, "{of}");
        }
        for of in [quote!(Result<&u32, Error>), quote!(Result<(fn() -> u32, Iter<'_, u32>), Error>)]
        {
            assert!(Lifetimes::of(of.clone()).elided, "{of}");
        }
    }
}
