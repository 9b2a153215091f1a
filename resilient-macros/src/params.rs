//! How each parameter reaches an attempt.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, Pat, PatType, Receiver, Signature, Type};

use crate::expand::mixed;
use crate::receiver;
use crate::signature::nameable;

/// The parameters of a function whose body runs more than once.
pub struct Params {
    /// Before the first attempt: keeps what the function took by value.
    pub keep: TokenStream,
    /// At the start of each attempt: gives the body its parameters under the names it knows.
    pub hand_over: TokenStream,
    /// The body, where `self` has a name that can be bound again if it is taken by value.
    pub body: Group,
}

/// How an attempt gets a parameter.
enum Passing {
    /// A shared reference: it is copied.
    Shared,
    /// A `&mut`: it is lent.
    Reborrowed,
    /// A value: it is cloned while another attempt may follow.
    Slotted,
}

impl Params {
    /// Takes the parameters out of `signature`, where each that has a pattern gets a plain name.
    /// `is_boxed` says that the body begins by moving `self`, as `#[async_trait]` writes it.
    pub fn split(signature: &mut Signature, body: Group, is_boxed: bool, p: &TokenStream) -> Self {
        let (keep, hand_over) = (TokenStream::new(), TokenStream::new());
        let mut params = Self { keep, hand_over, body };
        for (index, input) in signature.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Receiver(receiver) => params.receiver(receiver, is_boxed, p),
                FnArg::Typed(parameter) => params.parameter(parameter, index, p),
            }
        }
        params
    }

    fn receiver(&mut self, receiver: &mut Receiver, is_boxed: bool, p: &TokenStream) {
        let token = &receiver.self_token;
        let value = if let Some(of) = receiver::by_value(receiver) {
            self.slot(0, token, &of, &TokenStream::new(), p)
        } else if is_boxed && receiver::reference(receiver).is_some_and(|(_, exclusive)| exclusive)
        {
            quote_spanned!(mixed()=> &mut *#token)
        } else {
            // A reference need not be bound again: each attempt borrows it.
            return;
        };
        let name = receiver::name(token.span);
        let mutability = receiver.mutability.take();
        self.hand_over.extend(quote_spanned!(mixed()=> let #mutability #name = #value;));
        self.body = receiver::rename(&self.body);
    }

    fn parameter(&mut self, parameter: &mut PatType, index: usize, p: &TokenStream) {
        let passing = passing(&parameter.ty);
        if is_untouched(&parameter.pat, &passing) {
            return;
        }
        let pattern = parameter.pat.clone();
        let name = plain_name(parameter, index);
        let (conditions, lints) = (conditions(parameter), take_lints(parameter));
        let value = match passing {
            Passing::Shared => quote_spanned!(mixed()=> #name),
            Passing::Reborrowed => quote_spanned!(mixed()=> &mut *#name),
            Passing::Slotted => {
                let of = nameable(&parameter.ty).into_token_stream();
                self.slot(index, &name, &of, &conditions, p)
            }
        };
        self.hand_over.extend(quote_spanned! {mixed()=>
            #conditions
            #lints
            let #pattern = #value;
        });
    }

    /// Keeps a value, and says how an attempt gets it.
    fn slot(
        &mut self,
        index: usize,
        value: &impl ToTokens,
        of: &TokenStream,
        conditions: &TokenStream,
        p: &TokenStream,
    ) -> TokenStream {
        let slot = format_ident!("__slot{index}", span = mixed());
        self.keep.extend(quote_spanned! {mixed()=>
            #conditions
            #[allow(clippy::used_underscore_binding)]
            let mut #slot = #p::Slot::new(#value);
        });
        // The type's own place: a missing `Clone` is reported there.
        let take = quote_spanned!(of.span()=> #p::take_or_clone::<#of>);
        quote_spanned!(mixed()=> #take(&mut #slot, __last))
    }
}

fn passing(of: &Type) -> Passing {
    match of {
        Type::Reference(reference) if reference.mutability.is_some() => Passing::Reborrowed,
        Type::Reference(_) => Passing::Shared,
        Type::Group(group) => passing(&group.elem),
        Type::Paren(paren) => passing(&paren.elem),
        _ => Passing::Slotted,
    }
}

/// Whether the body can use the parameter as it stands.
fn is_untouched(pattern: &Pat, passing: &Passing) -> bool {
    match (pattern, passing) {
        (Pat::Wild(_), _) => true,
        (Pat::Ident(name), Passing::Shared) => name.mutability.is_none(),
        _ => false,
    }
}

/// Gives the parameter a name that can be moved from, and no `mut`.
fn plain_name(parameter: &mut PatType, index: usize) -> Ident {
    let name = match &*parameter.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => name.ident.clone(),
        _ => format_ident!("__arg{index}", span = mixed()),
    };
    *parameter.pat = Pat::Ident(syn::PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident: name.clone(),
        subpat: None,
    });
    name
}

/// The parameter's `#[cfg(…)]`, which hold for all that is made of it.
fn conditions(parameter: &PatType) -> TokenStream {
    let conditions = parameter.attrs.iter().filter(|attribute| is_one_of(attribute, &["cfg"]));
    quote!(#(#conditions)*)
}

/// The parameter's lints, which go to the binding that the body sees.
fn take_lints(parameter: &mut PatType) -> TokenStream {
    const LINTS: &[&str] = &["allow", "expect", "warn", "deny", "forbid"];
    let is_lint = |attribute: &mut Attribute| is_one_of(attribute, LINTS);
    let lints = parameter.attrs.extract_if(.., is_lint);
    quote!(#(#lints)*)
}

fn is_one_of(attribute: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attribute.path().is_ident(name))
}
