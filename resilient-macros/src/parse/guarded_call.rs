//! `keys; call`, as `guard!` takes them.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, Token};

use super::args::Args;
use crate::hygiene::mixed;

/// A call, and the keys that guard it.
pub struct GuardedCall {
    /// What is before the semicolon.
    pub args: syn::Result<Args>,
    /// Whether the future owns the variables that the call names.
    pub moves: Option<Token![move]>,
    /// The call, in parentheses.
    pub call: Group,
    /// Where the call is.
    pub place: Span,
}

impl Parse for GuardedCall {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let args = syn::parse2(before_semicolon(input)?);
        let semicolon = input.parse::<Token![;]>()?;
        let moves = input.parse()?;
        if input.is_empty() {
            return Err(Error::new(
                semicolon.span,
                "`guard!` needs a call after the semicolon, as in `client.query(request.clone())`",
            ));
        }
        let call: Expr = input.parse()?;
        if !input.is_empty() {
            return Err(input.error("`guard!` takes one call: put several into an async block"));
        }
        let mut group = Group::new(Delimiter::Parenthesis, call.to_token_stream());
        // No lint calls these parentheses needless.
        group.set_span(mixed());
        Ok(Self { args, moves, call: group, place: call.span() })
    }
}

/// Takes everything before the first semicolon.
fn before_semicolon(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut keys = TokenStream::new();
    while !input.peek(Token![;]) {
        if input.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "`guard!` takes keys, a semicolon and a call: write \
                 `guard!(retry = \"auto\"; client.query(request.clone()))`",
            ));
        }
        keys.extend([input.parse::<TokenTree>()?]);
    }
    Ok(keys)
}
