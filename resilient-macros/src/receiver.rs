//! `self` by value: an argument like others, once it has a name that can be bound again.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Lifetime, Receiver, ReceiverKind, Type};

use crate::expand::mixed;

/// What `self` is called in a body that runs more than once. It has the place of the `self` that
/// it stands for, but is nobody else's name.
pub fn name(span: Span) -> Ident {
    Ident::new("__self", mixed().located_at(span))
}

/// The type of a receiver that is taken by value.
pub fn by_value(receiver: &Receiver) -> Option<TokenStream> {
    match &receiver.kind {
        ReceiverKind::Value => Some(quote_spanned!(receiver.self_token.span=> Self)),
        ReceiverKind::Typed(_, of) if !is_borrowed(of) => Some(of.into_token_stream()),
        _ => None,
    }
}

/// The lifetime of a receiver that is a reference, and whether it is a `&mut`.
pub fn reference(receiver: &Receiver) -> Option<(Option<Lifetime>, bool)> {
    match &receiver.kind {
        ReceiverKind::Reference(_, lifetime, mutability) => {
            Some((lifetime.clone(), mutability.is_some()))
        }
        ReceiverKind::Typed(_, of) => match &**of {
            Type::Reference(of) => Some((of.lifetime.clone(), of.mutability.is_some())),
            _ => None,
        },
        _ => None,
    }
}

/// References, and a `Pin` of one: each attempt borrows it.
fn is_borrowed(of: &Type) -> bool {
    match of {
        Type::Reference(_) => true,
        Type::Group(group) => is_borrowed(&group.elem),
        Type::Paren(paren) => is_borrowed(&paren.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Pin"),
        _ => false,
    }
}

/// `body` with another name for `self`.
pub fn rename(body: &Group) -> Group {
    let mut renamed = Group::new(body.delimiter(), rename_in(body.stream()));
    renamed.set_span(body.span());
    renamed
}

fn rename_in(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut renamed = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => renamed.extend([rename(&group)]),
            // Another `self` than ours in an item of the body, and none in a `use`.
            TokenTree::Ident(word) if word == "impl" || word == "trait" || word == "use" => {
                renamed.extend([word]);
                for token in tokens.by_ref() {
                    let ends = match &token {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(punct) => punct.as_char() == ';',
                        _ => false,
                    };
                    renamed.extend([token]);
                    if ends {
                        break;
                    }
                }
            }
            TokenTree::Ident(word) if word == "self" && !is_path(tokens.peek()) => {
                renamed.extend([name(word.span())]);
            }
            other => renamed.extend([other]),
        }
    }
    renamed
}

/// Whether a path goes on: `self::function` is no receiver.
fn is_path(next: Option<&TokenTree>) -> bool {
    matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn only_the_receiver_is_renamed() {
        let body = quote! {
            use self::inner::{self, Thing};
            self::free(self.field, [self], format!("{}", self.name));
            impl Thing { fn own(&self) -> u32 { self.0 } }
            fn helper(x: impl Sized) { drop(x) }
            let closure = |x| self.count + x;
        };
        let expected = quote! {
            use self::inner::{self, Thing};
            self::free(__self.field, [__self], format!("{}", __self.name));
            impl Thing { fn own(&self) -> u32 { self.0 } }
            fn helper(x: impl Sized) { drop(x) }
            let closure = |x| __self.count + x;
        };
        assert_eq!(rename_in(body).to_string(), expected.to_string());
    }
}
