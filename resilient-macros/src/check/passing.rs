//! How an attempt gets each parameter, by its type.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{
    GenericArgument, Lifetime, PathArguments, Receiver, ReceiverKind, Type, TypePath, TypeReference,
};

/// How an attempt gets a parameter.
pub enum Passing {
    /// A shared reference, or a number: each attempt uses it as it is.
    Shared,
    /// A `&mut`: it is lent.
    Reborrowed,
    /// A `Pin` of a `&mut`: it is lent.
    Pinned,
    /// A value of the type at this place: it is cloned while another attempt may follow.
    Slotted(Span),
    /// A value of the type at this place, which may be an alias of a `&mut` or of a `Pin` of one. The
    /// compiler decides: a value is cloned, a `&mut` is lent.
    Aliased(Span),
}

impl Passing {
    /// Decides by the type of the parameter.
    pub fn of(of: &Type) -> Self {
        match of {
            Type::Reference(of) if of.mutability.is_some() => Self::Reborrowed,
            Type::Reference(_) => Self::Shared,
            Type::Path(of) if is_primitive(of) => Self::Shared,
            Type::Group(of) => Self::of(&of.elem),
            Type::Paren(of) => Self::of(&of.elem),
            // A `Pin` of anything except a reference is moved, or is another type of that name.
            _ => match pinned(of) {
                Some(Type::Reference(of)) if of.mutability.is_some() => Self::Pinned,
                Some(Type::Reference(_)) => Self::Shared,
                _ if has_lifetime(of) => Self::Aliased(of.span()),
                _ => Self::Slotted(of.span()),
            },
        }
    }

    /// How an attempt gets `self`.
    pub fn of_receiver(receiver: &Receiver) -> Self {
        match &receiver.kind {
            ReceiverKind::Reference(_, _, None) => Self::Shared,
            ReceiverKind::Reference(_, _, Some(_)) => Self::Reborrowed,
            ReceiverKind::Typed(_, of) => Self::of(of),
            _ => Self::Slotted(receiver.self_token.span),
        }
    }
}

/// Returns the reference that a type is, or that it pins.
pub fn reference(of: &Type) -> Option<&TypeReference> {
    match of {
        Type::Reference(of) => Some(of),
        Type::Group(of) => reference(&of.elem),
        Type::Paren(of) => reference(&of.elem),
        _ => match pinned(of)? {
            Type::Reference(of) => Some(of),
            _ => None,
        },
    }
}

/// Returns the lifetime of a receiver that is a reference, or a `Pin` of one, and whether it is a
/// `&mut`.
pub fn receiver_reference(receiver: &Receiver) -> Option<(Option<Lifetime>, bool)> {
    match &receiver.kind {
        ReceiverKind::Reference(_, lifetime, mutability) => {
            Some((lifetime.clone(), mutability.is_some()))
        }
        ReceiverKind::Typed(_, of) => {
            let of = reference(of)?;
            Some((of.lifetime.clone(), of.mutability.is_some()))
        }
        _ => None,
    }
}

/// Whether a type has a lifetime as its argument. An alias of a `&mut` has one.
fn has_lifetime(of: &Type) -> bool {
    let Type::Path(of) = of else { return false };
    let last = of.path.segments.last().map(|last| &last.arguments);
    let Some(PathArguments::AngleBracketed(arguments)) = last else { return false };
    arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Lifetime(_)))
}

/// Whether it is a number, `bool` or `char`. A type of the user's with such a name must be `Copy`
/// too.
fn is_primitive(of: &TypePath) -> bool {
    const PRIMITIVES: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
        "u32", "u64", "u128", "usize",
    ];
    PRIMITIVES.iter().any(|primitive| of.path.is_ident(primitive))
}

/// `P` of `Pin<P>`.
fn pinned(of: &Type) -> Option<&Type> {
    let Type::Path(of) = of else { return None };
    let last = of.path.segments.last().filter(|last| last.ident == "Pin")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    })
}
