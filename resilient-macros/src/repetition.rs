//! What a function must not do if its body may run again.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, Lifetime, Signature, Type};

use crate::errors::Errors;
use crate::receiver;
use crate::signature::Target;

/// Refuses what can serve one attempt only.
pub fn check(target: &Target, errors: &mut Errors) {
    let receiver = target.signature.receiver();
    if receiver.is_some_and(|receiver| receiver::is_renamed(receiver, &target.body)) {
        refuse_captured_self(target.body.stream(), errors);
    }
    if target.pin.is_none()
        && let Some(lender) = lender(&target.signature, &target.returns)
    {
        errors.at(
            lender,
            "what is returned is borrowed from this `&mut`, which `retry` needs again for the next \
             attempt: return a value, or do not retry, by `max_attempts = 1`",
        );
    }
}

/// A `&mut` that the body moves is bound again under another name, which a string cannot be given.
fn refuse_captured_self(body: TokenStream, errors: &mut Errors) {
    for token in body {
        match token {
            TokenTree::Group(group) => refuse_captured_self(group.stream(), errors),
            TokenTree::Literal(literal) => {
                if receiver::captures_self(&literal) {
                    errors.at(
                        literal,
                        "this body moves `self` as a whole, so `retry` lends it to each attempt under \
                         another name, which `{self}` in a string cannot see: write `{}` and pass \
                         `self` behind the string",
                    );
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The `&mut` parameter that the return type borrows from, as far as its lifetimes tell.
fn lender(signature: &Signature, returns: &TokenStream) -> Option<TokenStream> {
    let (named, elided) = lifetimes(returns);
    let references: Vec<_> = signature.inputs.iter().filter_map(reference).collect();
    let receiver = references.iter().find(|reference| reference.is_receiver);
    // By the rules of elision: the receiver lends, or else the only reference.
    let elided_from = match (elided, receiver, &references[..]) {
        (true, Some(receiver), _) | (true, None, [receiver]) => Some(receiver),
        _ => None,
    };
    let named_from = references.iter().find(|reference| {
        let lifetime = reference.lifetime.as_ref().map(|lifetime| lifetime.ident.to_string());
        reference.exclusive && lifetime.is_some_and(|lifetime| named.contains(&lifetime))
    });
    let lender = elided_from.filter(|reference| reference.exclusive).or(named_from)?;
    Some(lender.tokens.clone())
}

/// A parameter that is a reference.
struct Reference {
    tokens: TokenStream,
    lifetime: Option<Lifetime>,
    exclusive: bool,
    is_receiver: bool,
}

fn reference(input: &FnArg) -> Option<Reference> {
    let tokens = input.to_token_stream();
    match input {
        FnArg::Receiver(receiver) => {
            let (lifetime, exclusive) = receiver::reference(receiver)?;
            Some(Reference { tokens, lifetime, exclusive, is_receiver: true })
        }
        FnArg::Typed(parameter) => {
            let Type::Reference(of) = &*parameter.ty else { return None };
            let (lifetime, exclusive) = (of.lifetime.clone(), of.mutability.is_some());
            Some(Reference { tokens, lifetime, exclusive, is_receiver: false })
        }
    }
}

/// The names of the lifetimes in a type, and whether it has one without a name.
fn lifetimes(of: &TokenStream) -> (Vec<String>, bool) {
    let (mut named, mut elided) = (Vec::new(), false);
    collect_lifetimes(of.clone(), &mut named, &mut elided);
    (named, elided)
}

fn collect_lifetimes(of: TokenStream, named: &mut Vec<String>, elided: &mut bool) {
    let mut tokens = of.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_quote =
            |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == '\'');
        match token {
            TokenTree::Group(group) => collect_lifetimes(group.stream(), named, elided),
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                *elided |= !tokens.peek().is_some_and(is_quote);
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                if let Some(TokenTree::Ident(name)) = tokens.next() {
                    *elided |= name == "_";
                    named.push(name.to_string());
                }
            }
            _ => {}
        }
    }
}
