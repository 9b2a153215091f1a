//! The type as written.

use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Error, Fields, Generics, Ident, Item, ItemEnum, ItemStruct, ItemUnion, Member, Meta,
    Path, Token, Type,
};

use crate::parse::args::Args;

/// A type that derives `Classify`.
pub struct Input {
    pub ident: Ident,
    pub generics: Generics,
    pub attributes: Vec<Written>,
    pub data: Data,
}

/// Its content.
pub enum Data {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    Union(Token![union]),
}

/// A variant of an enum.
pub struct Variant {
    pub ident: Ident,
    pub attributes: Vec<Written>,
    pub fields: Vec<Field>,
}

/// A field of a variant or struct.
pub struct Field {
    pub member: Member,
    pub ty: Type,
    /// Whether it has the attribute `#[from]`.
    pub from: bool,
    /// Whether it has the attribute `#[source]`.
    pub source: bool,
    /// `#[classify(…)]` on it, which is a mistake.
    pub attributes: Vec<Written>,
}

/// One `#[classify(…)]`.
pub struct Written {
    /// The word `classify`.
    pub path: Path,
    pub args: syn::Result<Args>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let item = input.parse()?;
        let (ident, generics, attributes, data) = match item {
            Item::Enum(ItemEnum { ident, generics, attrs, variants, .. }) => {
                let variants = variants.into_iter().map(|variant| Variant {
                    attributes: written(&variant.attrs),
                    ident: variant.ident,
                    fields: fields(variant.fields),
                });
                (ident, generics, attrs, Data::Enum(variants.collect()))
            }
            Item::Struct(ItemStruct { ident, generics, attrs, fields: of, .. }) => {
                (ident, generics, attrs, Data::Struct(fields(of)))
            }
            Item::Union(ItemUnion { ident, generics, attrs, union_token, .. }) => {
                (ident, generics, attrs, Data::Union(union_token))
            }
            other => return Err(Error::new_spanned(other, "expected an enum or a struct")),
        };
        Ok(Self { ident, generics, attributes: written(&attributes), data })
    }
}

fn fields(fields: Fields) -> Vec<Field> {
    let members: Vec<_> = fields.members().collect();
    let read = |(field, member): (syn::Field, Member)| {
        let has = |name| field.attrs.iter().any(|attribute| attribute.path().is_ident(name));
        Field {
            member,
            from: has("from"),
            source: has("source"),
            attributes: written(&field.attrs),
            ty: field.ty,
        }
    };
    fields.into_iter().zip(members).map(read).collect()
}

fn written(attributes: &[Attribute]) -> Vec<Written> {
    let ours = attributes.iter().filter(|attribute| attribute.path().is_ident("classify"));
    ours.map(|attribute| Written { path: attribute.path().clone(), args: args(attribute) })
        .collect()
}

fn args(attribute: &Attribute) -> syn::Result<Args> {
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => list.parse_args(),
        _ => Err(Error::new_spanned(
            attribute.path(),
            "`#[classify]` needs arguments: write `#[classify(kind = \"…\")]` or \
             `#[classify(transparent)]`",
        )),
    }
}
