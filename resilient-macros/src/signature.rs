//! What a function must be, and its return type as generated code may write it.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, ReturnType, Token, Type, TypeInfer};

use crate::errors::Errors;
use crate::item::Function;

/// Refuses what no policy can run.
pub fn check(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        errors.at(constness, "`#[resilient]` works on async functions, and none is `const`");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "`#[resilient]` does not work on `extern` functions: wrap this one in an async function and put the attribute there");
    }
    if signature.asyncness.is_none() && signature.constness.is_none() {
        errors.at(
            signature.fn_token,
            "`#[resilient]` works on async functions: write `async fn`, or run blocking code in \
             an async function by `tokio::task::spawn_blocking`",
        );
    }
    if matches!(signature.output, ReturnType::Default) {
        errors.at(
            &signature.ident,
            "`#[resilient]` needs a function that returns a `Result`: by it a policy tells \
             success from failure",
        );
    }
}

/// The body. Where there is none, that is a mistake, and what is returned is never used.
pub fn take_body(function: &mut Function, errors: &mut Errors) -> Group {
    function.body.take().unwrap_or_else(|| {
        errors.at(
            &function.signature.ident,
            "`#[resilient]` needs a body to run: put it on the implementation of this function",
        );
        Group::new(Delimiter::Brace, TokenStream::new())
    })
}

/// The return type. `impl Trait` in it becomes `_`, since it cannot be named in a body.
pub fn return_type(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote::quote!(()),
        ReturnType::Type(_, of) => nameable(of).into_token_stream(),
    }
}

/// `of` with each `impl Trait` in it replaced by `_`.
pub fn nameable(of: &Type) -> Type {
    let mut of = of.clone();
    erase_impl_trait(&mut of);
    of
}

fn erase_impl_trait(of: &mut Type) {
    match of {
        Type::ImplTrait(opaque) => {
            let underscore = Token![_](opaque.impl_token.span);
            *of = Type::Infer(TypeInfer { attrs: Vec::new(), underscore_token: underscore });
        }
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                    for argument in &mut arguments.args {
                        if let GenericArgument::Type(of) = argument {
                            erase_impl_trait(of);
                        }
                    }
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase_impl_trait),
        Type::Array(array) => erase_impl_trait(&mut array.elem),
        Type::Group(group) => erase_impl_trait(&mut group.elem),
        Type::Paren(paren) => erase_impl_trait(&mut paren.elem),
        Type::Reference(reference) => erase_impl_trait(&mut reference.elem),
        _ => {}
    }
}
