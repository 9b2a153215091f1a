//! The attribute on a function.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::check::signature;
use crate::check::{borrow_rules, error_type, placeholders};
use crate::config::{self, Breaker, BreakerSource, Form};
use crate::diagnose::errors::Errors;
use crate::emit;
use crate::parse::args::Args;
use crate::parse::impl_block::{Within, parameters};
use crate::parse::item::Function;

/// Expands a function.
pub fn expand(args: &Args, function: Function, within: &Within) -> TokenStream {
    let written = function.to_token_stream();
    let mut errors = Errors::default();
    let config = config::read(args, Form::Attribute, &mut errors);
    let target = signature::read(function, &mut errors);
    if config.repeats() {
        borrow_rules::check(&target, &mut errors);
    }
    if let Some(Breaker { name: BreakerSource::Keyed(name, template), .. }) = &config.breaker {
        placeholders::check(template, name, &target.signature, &mut errors);
    }
    let generics = parameters(&target.signature.generics).chain(within.generics.iter().cloned());
    let generics: Vec<_> = generics.collect();
    config.check_generics(&generics, &mut errors);
    if args.0.iter().all(|arg| arg.key != "classify") {
        error_type::check(&target.returns, &mut errors);
    }
    if let Some(attempt) = &config.attempt {
        signature::refuse_parameter(attempt, &target.signature, &mut errors);
    }
    match errors.finish() {
        Ok(()) => emit::function::expand(&config, target, within.name.as_deref()),
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#written #error)
        }
    }
}
