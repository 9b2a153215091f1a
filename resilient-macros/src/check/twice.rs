//! Two `#[resilient]` on one function.
//!
//! The outer one expands first. It may not recognize the inner one, which can have another name or
//! be conditional, so it leaves a mark on the function, which the inner one finds.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Error};

use crate::hygiene::mixed;

/// Writes the mark: an attribute of a tool that ignores it, so that nothing else reads it. The
/// compiler removes a `cfg_attr` before it expands any macro, and a lint's attribute could be
/// rejected.
pub fn mark() -> TokenStream {
    quote_spanned!(mixed()=> #[rust_analyzer::resilient])
}

/// Rejects the attribute on a function, or on an `impl` block with a method, that another one has
/// expanded.
pub fn refuse<'a>(functions: impl IntoIterator<Item = &'a [Attribute]>) -> Result<(), Error> {
    let is_mark = |attribute: &Attribute| {
        let path = &attribute.path().segments;
        path.len() == 2 && path[0].ident == "rust_analyzer" && path[1].ident == "resilient"
    };
    if functions.into_iter().flatten().any(is_mark) {
        return Err(Error::new(
            Span::call_site(),
            "a second `#[resilient]` on this item: each attempt of one would make all attempts of \
             the other\nkeep one of the two, and give it the keys of both; an `impl` block merges \
             the keys of a method only if they are written as `#[resilient(…)]`, without another \
             name or path and without `cfg_attr`",
        ));
    }
    Ok(())
}
