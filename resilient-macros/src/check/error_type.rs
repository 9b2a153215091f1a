//! The type of a function's error, as far as it is written out.

use proc_macro2::TokenStream;
use syn::{GenericArgument, Path, PathArguments, Type, TypeParamBound};

use crate::diagnose::errors::Errors;

/// Rejects an error that cannot say what has failed, such as text.
pub fn check(returns: &TokenStream, errors: &mut Errors) {
    let Ok(Type::Path(returns)) = syn::parse2(returns.clone()) else { return };
    let types = arguments(&returns.path, "Result");
    let Some([_, error]) = types.as_deref() else { return };
    let (what, instead) = if is_text(error) {
        ("text", "")
    } else if is_boxed_for_one_thread(error) {
        ("this box", "write `Box<dyn Error + Send + Sync>`, or ")
    } else {
        return;
    };
    errors.at(
        error,
        format_args!(
            "{what} does not say which kind of error it is\n{instead}guard the call inside, whose \
             error does: `guard!(retry = \"auto\"; client.query(request.clone()))`; or name two \
             functions, which classify an error and make one of a rejection: `classify = kind_of, \
             reject = from_rejection`"
        ),
    );
}

/// Returns the types between `<` and `>`, if the path ends in this name.
fn arguments<'p>(path: &'p Path, name: &str) -> Option<Vec<&'p Type>> {
    let last = path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types = arguments.args.iter().map(|argument| match argument {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    });
    types.collect()
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

/// Whether this is a `Box<dyn Error>` without `Send` and `Sync`, whose sources cannot be read.
fn is_boxed_for_one_thread(error: &Type) -> bool {
    let Type::Path(path) = error else { return false };
    let Some([Type::TraitObject(object)]) = arguments(&path.path, "Box").as_deref() else {
        return false;
    };
    let has = |name: &str| {
        object.bounds.iter().any(|bound| {
            matches!(bound, TypeParamBound::Trait(bound)
                if bound.path.segments.last().is_some_and(|last| last.ident == name))
        })
    };
    has("Error") && !(has("Send") && has("Sync"))
}
