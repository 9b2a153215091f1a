//! The attribute on an `impl` block: on each async method in it that returns a `Result`.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
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
use crate::lints;
use crate::twice::{self, Level};

/// What a method has from its `impl` block.
#[derive(Default)]
pub struct Within {
    /// The name of the type, if it has one: events call the methods by it.
    pub name: Option<String>,
    /// The type parameters.
    pub generics: Vec<Ident>,
}

/// An `impl` block whose methods keep their bodies unparsed.
pub struct ImplBlock {
    /// All that stands before the braces.
    head: TokenStream,
    within: Within,
    braces: token::Brace,
    /// `#![…]` at the head of the body.
    attributes: Vec<Attribute>,
    items: Vec<Item>,
}

enum Item {
    Method(Box<Function>),
    Other(TokenStream),
}

impl ImplBlock {
    /// The block after a mistake in its attribute.
    pub fn without_attribute(self, error: &Error) -> TokenStream {
        let attributes = self.attributes;
        let mut body = quote!(#(#attributes)*);
        for item in self.items {
            match item {
                Item::Method(mut method) => {
                    method.attributes.retain(|attribute| !is_ours(attribute));
                    method.to_tokens(&mut body);
                }
                Item::Other(other) => body.extend(other),
            }
        }
        let (head, body) = (self.head, in_braces(self.braces, body));
        let error = error.to_compile_error();
        quote!(#head #body #error)
    }

    /// Refuses a second attribute on the block.
    pub fn refuse_twice(&self) -> Result<(), Error> {
        twice::refuse_on_block(self.items.iter().filter_map(|item| match item {
            Item::Method(method) => Some(&method.attributes[..]),
            Item::Other(_) => None,
        }))
    }

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
        let mut outer = input.call(Attribute::parse_outer)?;
        lints::allow_what_is_expected(&mut outer);
        let mut head = quote!(#(#outer)*);
        while !input.is_empty() && !input.peek(token::Brace) {
            head.extend([input.parse::<TokenTree>()?]);
        }
        let within = Within::of(&head);
        let content;
        let braces = braced!(content in input);
        let attributes = content.call(Attribute::parse_inner)?;
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(content.parse()?);
        }
        Ok(Self { head, within, braces, attributes, items })
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
/// reported once: the methods then stand without the attribute, and without their own, which are
/// parts of it.
pub fn expand(args: &Args, block: ImplBlock) -> Result<TokenStream, Error> {
    let mut errors = Errors::default();
    config::read_keys(args, &mut errors);
    if let Err(error) = errors.finish() {
        return Ok(block.without_attribute(&error));
    }

    let attributes = &block.attributes;
    let mut expanded = quote!(#(#attributes)*);
    let mut applied = false;
    for item in block.items {
        let mut method = match item {
            Item::Method(method) => *method,
            Item::Other(other) => {
                expanded.extend(other);
                continue;
            }
        };
        match take_own(&mut method) {
            Ok(Some(own)) if own.is_skip() => {
                applied = true;
                method.to_tokens(&mut expanded);
            }
            // Without a word of its own, the name of what it returns decides.
            Ok(None) if !returns_a_result(&method) => method.to_tokens(&mut expanded),
            Ok(own) => {
                applied = true;
                let args = own.unwrap_or_default().or(args);
                expanded.extend(expand::function(&args, method, &block.within, Level::Block));
            }
            Err(error) => {
                applied = true;
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
             none in this one returns a type that is called so: put `#[resilient]` on the methods \
             that return one by another name",
        ));
    }
    let body = in_braces(block.braces, expanded);
    Ok(quote!(#head #body))
}

fn in_braces(braces: token::Brace, body: TokenStream) -> Group {
    let mut body = Group::new(Delimiter::Brace, body);
    body.set_span(braces.span.join());
    body
}

/// Takes the method's own attribute off it, and reads it. Bare, it changes nothing.
fn take_own(method: &mut Function) -> syn::Result<Option<Args>> {
    let conditional = method.attributes.iter().find(|attribute| is_conditional(attribute));
    if let Some(conditional) = conditional {
        return Err(Error::new_spanned(
            conditional,
            "in an `impl` block that has `#[resilient(…)]`, a method's own one cannot be under a \
             condition: put `#[cfg(…)]` on two versions of the method",
        ));
    }
    let mut own = method.attributes.extract_if(.., |attribute| is_ours(attribute));
    let first = own.next();
    let second = own.next();
    drop(own);
    if let Some(second) = second {
        return Err(Error::new_spanned(second, "`#[resilient]` is given twice: keep one"));
    }
    first.map(|own| read_own(&own)).transpose()
}

/// What the attribute is called.
const OURS: &str = "resilient";

fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == OURS)
}

/// Whether it is ours under a condition: `#[cfg_attr(…, resilient(…))]`.
fn is_conditional(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    // The condition itself may name anything.
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(it) if it.as_char() == ',');
    let mut conditional = list.tokens.clone().into_iter().skip_while(|tree| !is_comma(tree));
    attribute.path().is_ident("cfg_attr")
        && conditional.any(|tree| matches!(tree, TokenTree::Ident(word) if word == OURS))
}

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
    let Type::Path(path) = ungrouped(returns) else { return false };
    path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
}

impl Within {
    /// `Store` and `T` of `impl<T> Trait for app::Store<T> where …`.
    fn of(head: &TokenStream) -> Self {
        let Ok(parsed) = syn::parse2::<syn::ItemImpl>(quote!(#head {})) else {
            return Self::default();
        };
        let name = match ungrouped(&parsed.self_ty) {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let generics = parsed.generics.type_params().map(|param| param.ident.clone()).collect();
        Self { name, generics }
    }
}

/// What `macro_rules!` pass on as `$of:ty`, without the group around it.
fn ungrouped(of: &Type) -> &Type {
    match of {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        _ => of,
    }
}
