//! How each parameter reaches an attempt.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, Pat, PatType, Receiver, Signature, Token, Type};

use super::receiver;
use crate::check::passing::Passing;
use crate::hygiene::mixed;

/// The parameters of a function whose body runs more than once.
pub struct Params {
    /// Before the first attempt: stores by-value parameters in slots, except numbers.
    pub keep: TokenStream,
    /// Before each attempt: puts `self` back, and lends each `&mut`.
    pub prepare: TokenStream,
    /// `self` by value. An attempt always captures it. Otherwise it would outlive the attempt if the
    /// body does not use it.
    pub claimed: Option<Token![self]>,
    /// At the start of each attempt: binds the parameters to the names that the body knows.
    pub hand_over: TokenStream,
    /// The body. If it moves a `&mut self`, `self` has another name in it, which can be rebound.
    pub body: Group,
}

impl Params {
    /// Reads the parameters of `signature`, and replaces each pattern there by a plain name.
    pub fn split(signature: &mut Signature, body: Group, p: &TokenStream) -> Self {
        let (keep, prepare, hand_over) = Default::default();
        let mut params = Self { keep, prepare, claimed: None, hand_over, body };
        for (index, input) in signature.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Receiver(receiver) => params.receiver(receiver, p),
                FnArg::Typed(parameter) => params.parameter(parameter, index, p),
            }
        }
        params
    }

    fn receiver(&mut self, receiver: &mut Receiver, p: &TokenStream) {
        let token = receiver.self_token;
        match Passing::of_receiver(receiver) {
            Passing::Slotted(of) | Passing::Aliased(of) => {
                let value = self.slot(0, &token, of, &TokenStream::new(), p);
                // Outside the attempt, so that the body may move `self`.
                self.prepare = quote_spanned! {mixed()=>
                    #token = (&mut __call).watching(|| #value);
                };
                self.claimed = Some(token);
                // At the place of `self`: a mistake in it is reported there.
                receiver.mutability.get_or_insert(Token![mut](token.span));
            }
            // The body may assign to it.
            Passing::Shared if receiver.mutability.is_some() => {
                self.keep.extend(quote_spanned!(mixed()=> let __slot0 = #token;));
                self.prepare = quote_spanned!(mixed()=> #token = __slot0;);
            }
            Passing::Reborrowed if receiver::is_renamed(receiver, &self.body) => {
                let mutability = receiver.mutability.take();
                self.rename(token, mutability, &quote_spanned!(mixed()=> &mut *#token));
            }
            Passing::Pinned => {
                let mutability = receiver.mutability.replace(Token![mut](mixed()));
                let lent = quote_spanned!(mixed()=> ::core::pin::Pin::as_mut(&mut #token));
                self.rename(token, mutability, &lent);
            }
            // Each attempt borrows it as it is.
            Passing::Shared | Passing::Reborrowed => {}
        }
    }

    /// Gives the body `lent` instead of `self`.
    fn rename(&mut self, token: Token![self], mutability: Option<Token![mut]>, lent: &TokenStream) {
        let name = receiver::name(token.span);
        self.hand_over.extend(quote_spanned!(mixed()=> let #mutability #name = #lent;));
        self.body = receiver::rename(&self.body);
    }

    fn parameter(&mut self, parameter: &mut PatType, index: usize, p: &TokenStream) {
        let passing = Passing::of(&parameter.ty);
        if is_untouched(&parameter.pat, &passing) {
            return;
        }
        let pattern = parameter.pat.clone();
        let mutability = matches!(passing, Passing::Pinned).then(|| Token![mut](mixed()));
        let name = plain_name(parameter, index, mutability);
        let (conditions, lints) = (conditions(parameter), take_lints(parameter));
        let value = match passing {
            // A value, not a place: the pattern may contain `ref mut`.
            Passing::Shared => quote_spanned!(mixed()=> { #name }),
            Passing::Reborrowed => self.lend(
                index,
                &parameter.ty,
                &conditions,
                |place| quote_spanned!(place=> &mut *#name),
            ),
            Passing::Pinned => self.lend(
                index,
                &parameter.ty,
                &conditions,
                |place| quote_spanned!(place=> ::core::pin::Pin::as_mut(&mut #name)),
            ),
            Passing::Slotted(of) => self.slot(index, &name, of, &conditions, p),
            Passing::Aliased(of) => {
                self.slot(index, &name, of, &conditions, p);
                let slot = slot(index);
                // At the place of the type: a missing `Clone` is reported there.
                let take = Ident::new("take_or_reborrow", mixed().located_at(of));
                quote_spanned! {mixed()=> {
                    #[allow(unused_imports)]
                    use #p::Take as _;
                    #slot.#take(__last)
                }}
            }
        };
        self.hand_over.extend(quote_spanned! {mixed()=>
            #conditions
            #[allow(clippy::no_effect_underscore_binding)]
            #lints
            let #pattern = #value;
        });
    }

    /// Reborrows a `&mut` before each attempt. Returns what the attempt uses. It is borrowed at the
    /// place of its type: a borrow that lives too long is reported there.
    fn lend(
        &mut self,
        index: usize,
        of: &Type,
        conditions: &TokenStream,
        borrow: impl FnOnce(Span) -> TokenStream,
    ) -> TokenStream {
        let lent = format_ident!("__lent{index}", span = mixed());
        let borrow = borrow(mixed().located_at(of.span()));
        self.prepare.extend(quote_spanned! {mixed()=>
            #conditions
            #[allow(clippy::used_underscore_binding)]
            let #lent = #borrow;
        });
        lent.into_token_stream()
    }

    /// Stores a value in a slot. Returns what the attempt uses.
    fn slot(
        &mut self,
        index: usize,
        value: &impl ToTokens,
        of: Span,
        conditions: &TokenStream,
        p: &TokenStream,
    ) -> TokenStream {
        let slot = slot(index);
        self.keep.extend(quote_spanned! {mixed()=>
            #conditions
            #[allow(clippy::used_underscore_binding)]
            let mut #slot = #p::slot(#value);
        });
        // At the place of the type: a missing `Clone` is reported there. The type is not repeated: an
        // unknown name in it would be reported twice.
        let place = mixed().located_at(of);
        let slot = Ident::new(&slot.to_string(), place);
        quote_spanned!(place=> #p::take_or_clone(&mut #slot, __last))
    }
}

/// The variable that stores the value of a parameter.
fn slot(index: usize) -> Ident {
    format_ident!("__slot{index}", span = mixed())
}

/// Whether the body can use the parameter as it is.
fn is_untouched(pattern: &Pat, passing: &Passing) -> bool {
    match (pattern, passing) {
        (Pat::Wild(_), _) => true,
        (Pat::Ident(name), Passing::Shared) => name.mutability.is_none(),
        _ => false,
    }
}

/// Replaces the parameter's pattern by a plain name, and returns the name.
fn plain_name(parameter: &mut PatType, index: usize, mutability: Option<Token![mut]>) -> Ident {
    let name = match &*parameter.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => name.ident.clone(),
        _ => format_ident!("__arg{index}", span = mixed()),
    };
    *parameter.pat = Pat::Ident(syn::PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability,
        ident: name.clone(),
        subpat: None,
    });
    name
}

/// Returns the parameter's `#[cfg(…)]`, which apply to all code that is generated for it.
fn conditions(parameter: &PatType) -> TokenStream {
    let conditions = parameter.attrs.iter().filter(|attribute| is_one_of(attribute, &["cfg"]));
    quote!(#(#conditions)*)
}

/// Moves the parameter's lint attributes to the binding that the body sees.
fn take_lints(parameter: &mut PatType) -> TokenStream {
    const LINTS: &[&str] = &["allow", "expect", "warn", "deny", "forbid"];
    let is_lint = |attribute: &mut Attribute| is_one_of(attribute, LINTS);
    let lints: Vec<_> = parameter.attrs.extract_if(.., is_lint).collect();
    quote!(#(#lints)*)
}

fn is_one_of(attribute: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attribute.path().is_ident(name))
}
