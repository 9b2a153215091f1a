//! An `impl` block, with its methods parsed up to their bodies.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Generics, ImplItem, Meta, Path, Token, Type, braced, token};

use super::item::Function;
use super::lints;

/// What a method inherits from its `impl` block.
#[derive(Default)]
pub struct Within {
    /// The name of the type, if it has one, or of a trait's implementation: `Store`, or
    /// `<Store as Repo<Docs>>`. Events name the methods by it.
    pub name: Option<String>,
    /// The type parameters.
    pub generics: Vec<Ident>,
}

/// An `impl` block whose methods keep their bodies unparsed.
pub struct ImplBlock {
    /// Everything before the braces.
    pub head: TokenStream,
    /// The conditions under which the block exists.
    pub conditions: Vec<Attribute>,
    pub within: Within,
    pub braces: token::Brace,
    /// `#![…]` at the head of the body.
    pub attributes: Vec<Attribute>,
    pub items: Vec<Item>,
}

/// An item of the block.
pub enum Item {
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

    /// Whether an `impl` block comes next.
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
        outer.retain(|attribute| attribute.path().is_ident("cfg"));
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
        Ok(Self { head, conditions: outer, within, braces, attributes, items })
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

/// Returns the parameters that are types or constants.
pub fn parameters(generics: &Generics) -> impl Iterator<Item = Ident> {
    let types = generics.type_params().map(|param| param.ident.clone());
    types.chain(generics.const_params().map(|param| param.ident.clone()))
}

/// Puts the items back into the braces of the block.
pub fn in_braces(braces: token::Brace, body: TokenStream) -> Group {
    let mut body = Group::new(Delimiter::Brace, body);
    body.set_span(braces.span.join());
    body
}

/// The name of the attribute.
const OURS: &str = "resilient";

/// Whether an attribute is ours.
pub fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == OURS)
}

/// Whether an attribute is ours under a condition: `#[cfg_attr(…, resilient(…))]`.
pub fn is_conditional(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    // The condition itself may name anything.
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(it) if it.as_char() == ',');
    let mut conditional = list.tokens.clone().into_iter().skip_while(|tree| !is_comma(tree));
    attribute.path().is_ident("cfg_attr")
        && conditional.any(|tree| matches!(tree, TokenTree::Ident(word) if word == OURS))
}

impl Within {
    /// `Store` and `T` of `impl<T> Trait for app::Store<T> where …`.
    fn of(head: &TokenStream) -> Self {
        let Ok(parsed) = syn::parse2::<syn::ItemImpl>(quote!(#head {})) else {
            return Self::default();
        };
        let of = ungrouped(&parsed.self_ty);
        let name = match (&parsed.trait_, of) {
            (Some((of_trait, _)), Type::Path(path)) => {
                Some(format!("<{} as {}>", last_segment(&path.path), last_segment(of_trait)))
            }
            (Some((of_trait, _)), of) => {
                Some(format!("<{} as {}>", compact(of), last_segment(of_trait)))
            }
            (None, Type::Path(path)) => {
                path.path.segments.last().map(|last| last.ident.to_string())
            }
            (None, _) => None,
        };
        let generics = parameters(&parsed.generics).collect();
        Self { name, generics }
    }
}

/// The last segment of a path, with its arguments: `Repo<Docs>` of `store::Repo<Docs>`.
fn last_segment(path: &Path) -> String {
    path.segments.last().map(compact).unwrap_or_default()
}

/// The text of some code, with spaces only where a reader needs them.
fn compact(code: impl ToTokens) -> String {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut text = String::new();
    for part in code.to_token_stream().to_string().split_whitespace() {
        if text.ends_with(',') || (text.ends_with(is_word) && part.starts_with(is_word)) {
            text.push(' ');
        }
        text.push_str(part);
    }
    text
}

/// A type without the group that `macro_rules!` puts around `$of:ty`.
pub fn ungrouped(of: &Type) -> &Type {
    match of {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        _ => of,
    }
}
