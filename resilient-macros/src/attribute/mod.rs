//! `#[resilient]`: on a function, or on an `impl` block.

mod function;
mod impl_block;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;
use syn::parse::{Parse, ParseStream};

use crate::check::twice;
use crate::parse::args::Args;
use crate::parse::impl_block::{ImplBlock, Within};
use crate::parse::item::{self, Function};

/// Expands the attribute. After a mistake, it keeps the item as written, so that the editor still
/// works and no second error follows.
pub fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    let expanded = match (syn::parse2::<Args>(args), syn::parse2::<Item>(item.clone())) {
        (Ok(args), Ok(Item::Function(target))) => twice::refuse([&target.attributes[..]])
            .map(|()| function::expand(&args, *target, &Within::default())),
        (Ok(args), Ok(Item::ImplBlock(block))) => impl_block::expand(&args, block),
        (Err(error), Ok(Item::ImplBlock(block))) => return block.without_attribute(&error),
        (Err(error), Ok(Item::Function(_))) | (Ok(_), Err(error)) => Err(error),
        (Err(mut error), Err(other)) => {
            error.combine(other);
            Err(error)
        }
    };
    expanded.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#item #error)
    })
}

/// What the attribute may be on.
enum Item {
    Function(Box<Function>),
    ImplBlock(ImplBlock),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if ImplBlock::is_next(input) {
            return Ok(Self::ImplBlock(input.parse()?));
        }
        if let Some((place, advice)) = item::advice(input) {
            return Err(Error::new(
                place,
                format_args!(
                    "`#[resilient]` goes on an async function, or on an `impl` block with \
                     some{advice}"
                ),
            ));
        }
        input.parse().map(Box::new).map(Self::Function)
    }
}
