//! The attribute's arguments as they are written, each with its place.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Token, parenthesized};

/// `key = value, key(key = value, …), …`
pub struct Args(pub Vec<Arg>);

/// One argument.
pub struct Arg {
    pub key: Ident,
    pub value: Value,
}

/// What stands behind a key.
pub enum Value {
    /// `key`
    None,
    /// `key = expression`
    Expr(Expr),
    /// `key(…)`, and where its parentheses are.
    List(Args, Span),
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let args = Punctuated::<Arg, Token![,]>::parse_terminated(input)?;
        Ok(Self(args.into_iter().collect()))
    }
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::Expr(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let content;
            let parens = parenthesized!(content in input);
            Value::List(content.parse()?, parens.span.join())
        } else {
            Value::None
        };
        Ok(Self { key, value })
    }
}
