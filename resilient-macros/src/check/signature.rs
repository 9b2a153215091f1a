//! What a function must be, and its return type as generated code can name it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{
    AttrStyle, Attribute, FnArg, GenericArgument, Pat, Path, PathArguments, ReturnType, Signature,
    Token, Type, TypeInfer, TypeParamBound, Visibility,
};

use crate::diagnose::errors::Errors;
use crate::parse::async_trait::{self, Boxed};
use crate::parse::item::Function;

/// A function that a policy can run.
pub struct Target {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub signature: Signature,
    /// What an attempt runs, with its braces.
    pub body: Group,
    /// The braces of the function itself.
    pub braces: Span,
    /// What an attempt returns, with `_` for `impl Trait`, which a body cannot name.
    pub returns: TokenStream,
    /// `Box::pin`, if the body is in a boxed async block.
    pub pin: Option<TokenStream>,
}

/// Rejects a function that no policy can run. After a mistake, the result is never used.
pub fn read(function: Function, errors: &mut Errors) -> Target {
    let boxed = async_trait::unpack(&function);
    check(&function.signature, boxed.is_some(), errors);
    let Function { mut attributes, visibility, signature, body } = function;
    let body = body.map(|body| without_inner_attributes(body, &mut attributes));
    let body = body.unwrap_or_else(|| {
        errors.at(
            &signature.ident,
            "`#[resilient]` needs a body to run: put it on the implementation of this function",
        );
        Group::new(Delimiter::Brace, TokenStream::new())
    });
    let braces = body.span();
    if let Some(boxed) = &boxed {
        check_returned(&boxed.returns, errors);
    } else if signature.asyncness.is_some()
        && let ReturnType::Type(_, of) = &signature.output
    {
        check_returned(of, errors);
    }
    let returns = match &signature.output {
        ReturnType::Type(_, of) => nameable(of).into_token_stream(),
        ReturnType::Default => {
            errors.at(
                &signature.ident,
                "`#[resilient]` needs a function that returns a `Result`, which tells a policy success \
                 from failure",
            );
            TokenStream::new()
        }
    };
    match boxed {
        Some(Boxed { pin, body, returns }) => {
            let returns = nameable(&returns).into_token_stream();
            Target { attributes, visibility, signature, body, braces, returns, pin: Some(pin) }
        }
        None => Target { attributes, visibility, signature, body, braces, returns, pin: None },
    }
}

/// Moves `#![…]` from the head of a body to the function. The block that the body becomes cannot
/// have it.
fn without_inner_attributes(body: Group, attributes: &mut Vec<Attribute>) -> Group {
    let mut tokens = body.stream().into_iter();
    let mut is_next =
        |punct| matches!(tokens.next(), Some(TokenTree::Punct(it)) if it.as_char() == punct);
    if !(is_next('#') && is_next('!')) {
        return body;
    }
    let split = |input: ParseStream<'_>| {
        Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?))
    };
    // The compiler reports what does not parse.
    let Ok((inner, rest)) = split.parse2(body.stream()) else { return body };
    attributes.extend(
        inner.into_iter().map(|attribute| Attribute { style: AttrStyle::Outer, ..attribute }),
    );
    let mut without = Group::new(Delimiter::Brace, rest);
    without.set_span(body.span());
    without
}

/// Rejects a name for the attempt that would hide a parameter.
pub fn refuse_parameter(attempt: &Ident, signature: &Signature, errors: &mut Errors) {
    let is_attempt = |input: &FnArg| match input {
        FnArg::Typed(parameter) => binds(&parameter.pat, attempt),
        FnArg::Receiver(_) => false,
    };
    if signature.inputs.iter().any(is_attempt) {
        errors.at(
            attempt,
            format_args!(
                "`{attempt}` is a parameter of this function: choose another name for the attempt"
            ),
        );
    }
}

/// Whether a pattern binds this name.
fn binds(pattern: &Pat, name: &Ident) -> bool {
    fn any(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => any(group.stream(), name),
            TokenTree::Ident(word) => word == *name,
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    any(pattern.to_token_stream(), name)
}

/// Rejects a function that is not async. It reports one mistake at most: a `const fn` is not async
/// either.
fn check(signature: &Signature, is_boxed: bool, errors: &mut Errors) {
    if let Some(constness) = &signature.constness {
        errors.at(
            constness,
            "`#[resilient]` works on async functions, which cannot be `const`: write `async fn`",
        );
    } else if let Some(abi) = &signature.abi {
        errors.at(
            abi,
            "`#[resilient]` does not work on `extern` functions: wrap this one in an async \
             function and put the attribute there",
        );
    } else if signature.asyncness.is_none() && !is_boxed {
        errors.at(
            signature.fn_token,
            "`#[resilient]` works on async functions: write `async fn`, or run blocking code in an \
             async function with `tokio::task::spawn_blocking`; if this is an async function, an \
             attribute above it, such as `#[tokio::main]`, has already rewritten it: put \
             `#[resilient]` above that one",
        );
    }
}

/// Rejects a return type that hides whether it is a `Result`.
fn check_returned(returns: &Type, errors: &mut Errors) {
    if let Type::ImplTrait(_) = returns {
        errors.at(
            returns,
            "`#[resilient]` needs a function that returns a `Result`, and `impl Trait` hides whether \
             this is one: write `Result<…, E>`, with the type of its error for `E`",
        );
    }
}

/// Returns `of` with each `impl Trait` in it replaced by `_`.
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
        Type::Path(path) => erase_in_path(&mut path.path),
        // `dyn Iterator<Item = impl Display>`
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    erase_in_path(&mut bound.path);
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase_impl_trait),
        Type::Array(array) => erase_impl_trait(&mut array.elem),
        Type::Slice(slice) => erase_impl_trait(&mut slice.elem),
        Type::Ptr(pointer) => erase_impl_trait(&mut pointer.elem),
        Type::Group(group) => erase_impl_trait(&mut group.elem),
        Type::Paren(paren) => erase_impl_trait(&mut paren.elem),
        Type::Reference(reference) => erase_impl_trait(&mut reference.elem),
        _ => {}
    }
}

fn erase_in_path(path: &mut Path) {
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            for argument in &mut arguments.args {
                match argument {
                    GenericArgument::Type(of) => erase_impl_trait(of),
                    GenericArgument::AssocType(of) => erase_impl_trait(&mut of.ty),
                    _ => {}
                }
            }
        }
    }
}
