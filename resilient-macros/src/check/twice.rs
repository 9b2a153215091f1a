//! Two `#[resilient]` on one function.
//!
//! The outer one expands first. It may not recognize the inner one, which can have another name or
//! be conditional, so it leaves a mark on the function, which the inner one finds.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Error};

use crate::hygiene::mixed;

/// What the attribute is on.
#[derive(Clone, Copy, PartialEq)]
pub enum Level {
    Function,
    /// An `impl` block, of which the marked function is a method.
    Block,
}

impl Level {
    /// The mark: an attribute of a tool that ignores it, so that nothing else reads it. The compiler
    /// removes a `cfg_attr` before it expands any macro, and a lint's attribute could be rejected.
    pub fn mark(self) -> TokenStream {
        match self {
            Self::Function => quote_spanned!(mixed()=> #[rust_analyzer::resilient]),
            Self::Block => quote_spanned!(mixed()=> #[rust_analyzer::resilient_block]),
        }
    }

    /// The level of the attribute that has marked a function, if one has.
    fn of(attributes: &[Attribute]) -> Option<Self> {
        attributes.iter().find_map(|attribute| {
            let path = &attribute.path().segments;
            let mark =
                path.last().filter(|_| path.len() == 2 && path[0].ident == "rust_analyzer")?;
            match mark.ident.to_string().as_str() {
                "resilient" => Some(Self::Function),
                "resilient_block" => Some(Self::Block),
                _ => None,
            }
        })
    }
}

/// Rejects the attribute on a function that has been expanded by another one.
pub fn refuse_on_function(attributes: &[Attribute]) -> Result<(), Error> {
    let message = match Level::of(attributes) {
        None => return Ok(()),
        Some(Level::Function) => {
            "a second `#[resilient]` on this function: each attempt of one would make all attempts \
             of the other\nkeep one of the two, and give it the keys of both"
        }
        Some(Level::Block) => {
            "a second `#[resilient]` on this method, whose `impl` block has one: each attempt of \
             one would make all attempts of the other\nremove this one, or write it as \
             `#[resilient(…)]`, without another name or path and without `cfg_attr`: the block \
             merges its keys only then"
        }
    };
    Err(Error::new(Span::call_site(), message))
}

/// Rejects the attribute on an `impl` block whose methods have been expanded by another one.
pub fn refuse_on_block<'a>(
    mut methods: impl Iterator<Item = &'a [Attribute]>,
) -> Result<(), Error> {
    if methods.any(|attributes| Level::of(attributes).is_some()) {
        return Err(Error::new(
            Span::call_site(),
            "a second `#[resilient]` on this `impl` block: each attempt of one would make all \
             attempts of the other\nkeep one of the two, and give it the keys of both",
        ));
    }
    Ok(())
}
