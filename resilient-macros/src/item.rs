//! The annotated function: its signature is read, its body stays as it is.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Token, Visibility};

/// A function whose body stays unparsed tokens: half-typed code in it is no business of ours, and
/// parsing it would take longer than all else.
pub struct Function {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub signature: Signature,
    /// The body with its braces; none for a declaration, as in a trait.
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
            Some(input.step(|cursor| match cursor.token_tree() {
                Some((TokenTree::Group(body), rest)) if is_block(&body) => Ok((body, rest)),
                _ => Err(cursor.error("expected the body of the function")),
            })?)
        };
        Ok(Self { attributes, visibility, signature, body })
    }
}

/// Braces, also where `macro_rules!` passes them on as `$body:block`, in a group without
/// delimiters.
fn is_block(body: &Group) -> bool {
    match body.delimiter() {
        Delimiter::Brace => true,
        Delimiter::None => body.stream().into_iter().count() == 1,
        Delimiter::Parenthesis | Delimiter::Bracket => false,
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}
