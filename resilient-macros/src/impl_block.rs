//! The attribute on an `impl` block: on each async method in it that returns a `Result`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, ImplItem, Meta, ReturnType, Token, Type, braced, token};

use crate::args::Args;
use crate::boxed;
use crate::config;
use crate::errors::Errors;
use crate::expand;
use crate::item::Function;

/// An `impl` block whose methods keep their bodies unparsed.
pub struct ImplBlock {
    /// All that stands before the braces.
    head: TokenStream,
    /// The name of the type, as far as it has one: events call the methods by it.
    name: String,
    braces: token::Brace,
    items: Vec<Item>,
}

enum Item {
    Method(Box<Function>),
    Other(TokenStream),
}

impl ImplBlock {
    /// Whether an `impl` block is what comes next.
    pub fn is_next(input: ParseStream<'_>) -> bool {
        let ahead = input.fork();
        let attributes = ahead.call(Attribute::parse_outer);
        let unsafety = ahead.parse::<Option<Token![unsafe]>>();
        attributes.is_ok() && unsafety.is_ok() && ahead.peek(Token![impl])
    }
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut head = TokenStream::new();
        while !input.is_empty() && !input.peek(token::Brace) {
            head.extend([input.parse::<TokenTree>()?]);
        }
        let name = type_name(&head);
        let content;
        let braces = braced!(content in input);
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(content.parse()?);
        }
        Ok(Self { head, name, braces, items })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        if let Ok(method) = ahead.parse() {
            input.advance_to(&ahead);
            return Ok(Self::Method(Box::new(method)));
        }
        Ok(Self::Other(input.parse::<ImplItem>()?.into_token_stream()))
    }
}

/// Expands each method that the attribute applies to. A mistake in the block's own arguments is
/// reported once, and then the block stands as it was written.
pub fn expand(args: &Args, block: ImplBlock) -> Result<TokenStream, Error> {
    let mut errors = Errors::default();
    config::read(args, &mut errors);
    errors.finish()?;

    let mut expanded = TokenStream::new();
    let mut applied = false;
    for item in block.items {
        let mut method = match item {
            Item::Method(method) if returns_a_result(&method) => *method,
            Item::Method(method) => {
                method.to_tokens(&mut expanded);
                continue;
            }
            Item::Other(other) => {
                expanded.extend(other);
                continue;
            }
        };
        applied = true;
        let own = take_own(&mut method);
        match own.map_or_else(|| Ok(Args::default()), |own| read_own(&own)) {
            Ok(own) if own.is_skip() => method.to_tokens(&mut expanded),
            Ok(own) => expanded.extend(expand::function(&own.or(args), method, Some(&block.name))),
            Err(error) => {
                method.to_tokens(&mut expanded);
                error.to_compile_error().to_tokens(&mut expanded);
            }
        }
    }
    let head = block.head;
    if !applied {
        return Err(Error::new_spanned(
            head,
            "`#[resilient]` on an `impl` block is for its async methods that return a `Result`, and \
             there is none in this one",
        ));
    }
    let mut body = Group::new(Delimiter::Brace, expanded);
    body.set_span(block.braces.span.join());
    Ok(quote!(#head #body))
}

/// Takes the method's own attribute off it.
fn take_own(method: &mut Function) -> Option<Attribute> {
    let is_ours = |attribute: &Attribute| {
        attribute.path().segments.last().is_some_and(|last| last.ident == "resilient")
    };
    let index = method.attributes.iter().position(is_ours)?;
    Some(method.attributes.remove(index))
}

/// The arguments of a method's own attribute. Bare, it changes nothing.
fn read_own(own: &Attribute) -> syn::Result<Args> {
    match own.meta {
        Meta::Path(_) => Ok(Args::default()),
        _ => own.parse_args(),
    }
}

/// Whether a method is async and returns a `Result`, by whatever alias: the name says it.
fn returns_a_result(method: &Function) -> bool {
    let boxed = boxed::unpack(method).map(|boxed| boxed.returns);
    let returns = match (&boxed, &method.signature.output) {
        (Some(returns), _) => returns,
        (None, ReturnType::Type(_, of)) if method.signature.asyncness.is_some() => of,
        _ => return false,
    };
    let Type::Path(path) = returns else { return false };
    path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
}

/// `Store` of `impl<T> Trait for app::Store<T> where …`.
fn type_name(head: &TokenStream) -> String {
    let parsed = syn::parse2::<syn::ItemImpl>(quote!(#head {}));
    match parsed.map(|parsed| *parsed.self_ty) {
        Ok(Type::Path(path)) => {
            path.path.segments.last().map_or_else(String::new, |last| last.ident.to_string())
        }
        _ => String::new(),
    }
}
