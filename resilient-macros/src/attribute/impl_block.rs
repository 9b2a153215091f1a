//! The attribute on an `impl` block: on each async method in it that returns a `Result`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Error, Meta, ReturnType, Type};

use super::function;
use crate::check::twice;
use crate::config;
use crate::diagnose::errors::Errors;
use crate::emit::passed_over::{self, PassedOver};
use crate::parse::args::Args;
use crate::parse::async_trait;
use crate::parse::impl_block::{ImplBlock, Item, in_braces, is_conditional, is_ours, ungrouped};
use crate::parse::item::Function;

/// Expands each method that the attribute applies to. A mistake in the block's own arguments is
/// reported once. The block is then kept without any `#[resilient]` on its methods.
pub fn expand(args: &Args, block: ImplBlock) -> Result<TokenStream, Error> {
    twice::refuse(block.items.iter().filter_map(|item| match item {
        Item::Method(method) => Some(&method.attributes[..]),
        Item::Other(_) => None,
    }))?;
    let mut errors = Errors::default();
    let runtime = config::read_keys(args, &mut errors).runtime;
    if let Err(error) = errors.finish() {
        return Ok(block.without_attribute(&error));
    }

    let attributes = &block.attributes;
    let mut expanded = quote!(#(#attributes)*);
    let mut applied = false;
    let mut passed_over = Vec::new();
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
                passed_over.push(without_policy(&method, "Skipped"));
                method.to_tokens(&mut expanded);
            }
            // Without an attribute of its own, the name of its return type decides.
            Ok(None) if !returns_a_result(&method) => {
                let why = if is_async(&method) { "NoResult" } else { "NotAsync" };
                passed_over.push(without_policy(&method, why));
                method.to_tokens(&mut expanded);
            }
            Ok(own) => {
                applied = true;
                let args = own.unwrap_or_default().or(args);
                expanded.extend(function::expand(&args, method, &block.within));
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
            "`#[resilient]` on an `impl` block applies to the async methods whose return type has a \
             name that ends in `Result`, and this block has none: put `#[resilient]` on the methods \
             themselves",
        ));
    }
    let body = in_braces(block.braces, expanded);
    let conditions: Vec<_> = block.conditions.iter().collect();
    let within = block.within.name.as_deref();
    let listed = passed_over::list(runtime.as_ref(), &passed_over, &conditions, within);
    Ok(quote!(#head #body #listed))
}

fn without_policy(method: &Function, why: &'static str) -> PassedOver {
    let conditions = method.attributes.iter().filter(|it| it.path().is_ident("cfg")).cloned();
    PassedOver { method: method.signature.ident.clone(), why, conditions: conditions.collect() }
}

fn is_async(method: &Function) -> bool {
    method.signature.asyncness.is_some() || async_trait::unpack(method).is_some()
}

/// Removes the method's own attribute and reads it. Without arguments, it changes nothing.
fn take_own(method: &mut Function) -> syn::Result<Option<Args>> {
    let conditional = method.attributes.iter().find(|attribute| is_conditional(attribute));
    if let Some(conditional) = conditional {
        return Err(Error::new_spanned(
            conditional,
            "in an `impl` block that has `#[resilient(…)]`, a method's own attribute cannot \
             be conditional: put `#[cfg(…)]` on two versions of the method",
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

fn read_own(own: &Attribute) -> syn::Result<Args> {
    match own.meta {
        Meta::Path(_) => Ok(Args::default()),
        _ => own.parse_args(),
    }
}

/// Whether a method is async and returns a `Result`. The type's name decides, since it may be an
/// alias.
fn returns_a_result(method: &Function) -> bool {
    let boxed = async_trait::unpack(method).map(|boxed| boxed.returns);
    let returns = match (&boxed, &method.signature.output) {
        (Some(returns), _) => returns,
        (None, ReturnType::Type(_, of)) if method.signature.asyncness.is_some() => of,
        _ => return false,
    };
    let Type::Path(path) = ungrouped(returns) else { return false };
    path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
}
