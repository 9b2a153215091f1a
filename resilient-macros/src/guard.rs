//! `guard!`: on a call.

use proc_macro2::TokenStream;
use quote::quote;

use crate::config;
use crate::diagnose::errors::Errors;
use crate::emit;
use crate::parse::guarded_call::GuardedCall;

/// Expands the macro. After a mistake in the keys, the call is kept without a policy, so that its
/// type is known and no second error follows.
pub fn expand(input: TokenStream) -> TokenStream {
    let guarded = match syn::parse2::<GuardedCall>(input) {
        Ok(guarded) => guarded,
        Err(error) => return error.into_compile_error(),
    };
    let config = guarded.args.clone().and_then(|args| {
        let mut errors = Errors::default();
        let config = config::read(&args, config::Form::Guard, &mut errors);
        errors.finish().map(|()| config)
    });
    match config {
        Ok(config) => emit::guarded_call::expand(&config, &guarded),
        Err(error) => {
            let (error, GuardedCall { moves, call, .. }) = (error.into_compile_error(), &guarded);
            quote!(async #moves { #error (#call).await })
        }
    }
}
