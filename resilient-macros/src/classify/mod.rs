//! `#[derive(Classify)]`: parsed by [`ast`], checked by [`valid`], written by [`expand`].

mod ast;
mod expand;
mod valid;

use proc_macro2::TokenStream;

use crate::classify::ast::Input;
use crate::diagnose::errors::Errors;

/// Expands the derive. After a mistake, the type still has an implementation, so that code that uses
/// the type causes no second error.
pub fn derive(item: TokenStream) -> TokenStream {
    let input = match syn::parse2::<Input>(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let valid = valid::read(&input, &mut errors);
    match errors.finish() {
        Ok(()) => expand::implementation(&input, &valid),
        Err(error) => expand::fallback(&input, &valid.runtime, &error),
    }
}
