//! A function that returns a boxed future: `#[async_trait]` has rewritten an async function before
//! this attribute sees it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

use super::item::Function;

/// The async block that such a function boxes.
pub struct Boxed {
    /// `Box::pin`, as written.
    pub pin: TokenStream,
    /// The block's content, with its braces.
    pub body: Group,
    /// What the future returns.
    pub returns: Type,
}

/// Unpacks `fn f() -> Pin<Box<dyn Future<Output = R> + …>> { Box::pin(async move { … }) }`.
pub fn unpack(function: &Function) -> Option<Boxed> {
    if function.signature.asyncness.is_some() {
        return None;
    }
    let ReturnType::Type(_, output) = &function.signature.output else { return None };
    let returns = output_of(output)?.clone();
    let mut pin: Vec<TokenTree> = function.body.as_ref()?.stream().into_iter().collect();
    let TokenTree::Group(argument) = pin.pop()? else { return None };
    let [TokenTree::Ident(first), TokenTree::Ident(second), TokenTree::Group(body)] =
        &argument.stream().into_iter().collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let is_async_move =
        first == "async" && second == "move" && body.delimiter() == Delimiter::Brace;
    let pin = is_async_move.then(|| pin.into_iter().collect())?;
    Some(Boxed { pin, body: body.clone(), returns })
}

/// `R` of `Pin<Box<dyn Future<Output = R> + …>>`.
fn output_of(of: &Type) -> Option<&Type> {
    let Type::TraitObject(future) = argument(argument(of, "Pin")?, "Box")? else { return None };
    future.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
            _ => None,
        })
    })
}

/// `T` of `path::Name<T>`.
fn argument<'t>(of: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    })
}
