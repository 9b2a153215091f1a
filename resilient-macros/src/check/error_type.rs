//! The type of a function's error, as far as it is written out.

use proc_macro2::TokenStream;
use syn::{GenericArgument, Path, PathArguments, Type};

use crate::diagnose::errors::Errors;

/// Rejects an error that is text, which cannot say what has failed.
pub fn check(returns: &TokenStream, errors: &mut Errors) {
    let Ok(Type::Path(returns)) = syn::parse2(returns.clone()) else { return };
    let Some(error) = error_of(&returns.path).filter(|error| is_text(error)) else { return };
    errors.at(
        error,
        "text does not say which kind of error it is\nguard the call inside, whose error does: \
         `guard!(retry = \"auto\"; client.query(request.clone()))`; or name two functions, which \
         classify an error and make one of a rejection: `classify = kind_of, reject = \
         from_rejection`",
    );
}

/// Returns the `E` of a `Result<T, E>`.
fn error_of(returns: &Path) -> Option<&Type> {
    let last = returns.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.iter().nth(1)? {
        GenericArgument::Type(error) => Some(error),
        _ => None,
    }
}

fn is_text(error: &Type) -> bool {
    match error {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "String"),
        Type::Reference(reference) => {
            matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"))
        }
        _ => false,
    }
}
