//! `keys; call`, as `guard!` takes them.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, Token};

use super::args::Args;

/// A call, and the keys that guard it.
pub struct GuardedCall {
    /// What is before the semicolon.
    pub args: syn::Result<Args>,
    /// Whether the future owns the variables that the call names.
    pub moves: Option<Token![move]>,
    pub call: Expr,
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
        Ok(Self { args, moves, place: call.span(), call })
    }
}

impl GuardedCall {
    /// Whether the expression may do more than make a future: wait, or leave by `?` or `return`. A macro
    /// may hide that. What is in an async block happens in the future.
    pub fn may_leave(&self) -> bool {
        may_leave(self.call.to_token_stream())
    }
}

fn may_leave(tokens: TokenStream) -> bool {
    let mut is_async = false;
    tokens.into_iter().any(|token| {
        let was_async = is_async;
        is_async = false;
        match token {
            TokenTree::Punct(punct) => matches!(punct.as_char(), '?' | '!'),
            TokenTree::Ident(word) => {
                is_async = word == "async" || (was_async && word == "move");
                ["await", "return", "break", "continue"].iter().any(|leaves| word == leaves)
            }
            TokenTree::Group(group) => !was_async && may_leave(group.stream()),
            TokenTree::Literal(_) => false,
        }
    })
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
