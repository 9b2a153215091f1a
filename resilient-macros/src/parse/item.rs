//! The annotated function: its signature is parsed, its body is kept as it is.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Token, Visibility};

/// A function with an unparsed body: incomplete code in it is left to the compiler, and parsing it
/// would take longer than everything else.
pub struct Function {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub signature: Signature,
    /// The body with its braces. `None` for a declaration, as in a trait.
    pub body: Option<Group>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() {
            None
        } else {
            Some(input.step(|cursor| {
                let body = cursor.token_tree().and_then(|(tree, rest)| Some((braces(tree)?, rest)));
                body.ok_or_else(|| cursor.error("expected the body of the function"))
            })?)
        };
        Ok(Self { attributes, visibility, signature, body })
    }
}

/// Returns the span of the next item and what to do instead, if it is not a function. The parser
/// reports what an incomplete function lacks.
pub fn advice(input: ParseStream<'_>) -> Option<(Span, &'static str)> {
    let ahead = input.fork();
    ahead.call(Attribute::parse_outer).ok()?;
    ahead.parse::<Visibility>().ok()?;
    let place = ahead.span();
    let is_const = ahead.peek(Token![const]);
    if is_const {
        ahead.parse::<Token![const]>().ok()?;
    }
    let is_function = ahead.peek(Token![async])
        || ahead.peek(Token![fn])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || (ahead.is_empty() && !is_const);
    if is_function {
        return None;
    }
    let advice = if ahead.peek(Token![trait]) {
        ": put it on the implementations of this trait, or on its default methods"
    } else if ahead.peek(Token![mod]) {
        ": put it on each function in this module"
    } else {
        ""
    };
    Some((place, advice))
}

/// A group in braces, also inside the group without delimiters that `macro_rules!` puts around
/// `$body:block`.
fn braces(tree: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => braces(group.stream().into_iter().next()?),
        Delimiter::Parenthesis | Delimiter::Bracket => None,
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        match &self.body {
            Some(body) => body.to_tokens(tokens),
            None => <Token![;]>::default().to_tokens(tokens),
        }
    }
}
