//! From a valid type to its implementation. Nothing here can fail.
//!
//! Generated names have `Span::mixed_site()`; `p` is the path of the runtime's private module.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Generics, Ident, Path, Type, parse_quote_spanned};

use crate::classify::ast::{Field, Input};
use crate::classify::valid::{Answers, Case, Own, Valid};
use crate::hygiene::mixed;

// // Input:
// #[derive(Classify)]
// enum AnswerError<E> {
//     #[classify(transparent)]
//     Search(#[source] E),
//     #[classify(kind = "rate_limit_error", retry_after = wait, maybe_executed = false)]
//     Busy { wait: Duration },
//     #[classify(kind = "unknown")]
//     Other,
// }
// // Output:
// impl<E> p::Classify for AnswerError<E>
// where
//     E: p::Classify,
// {
//     fn kind(&self) -> p::ErrorKind {
//         match self {
//             Self::Search { 0: __field, .. } => p::Classify::kind(p::inner::<E>(__field)),
//             Self::Busy { .. } => p::ErrorKind::RateLimitError,
//             Self::Other { .. } => p::ErrorKind::Unknown,
//         }
//     }
//     // Only where the default of the trait would be wrong:
//     fn retry_after(&self) -> Option<Duration> {
//         match self {
//             Self::Search { 0: __field, .. } => p::Classify::retry_after(p::inner::<E>(__field)),
//             Self::Busy { wait: __field, .. } => p::hint::<Duration>(__field),
//             Self::Other { .. } => None,
//         }
//     }
//     fn maybe_executed(&self) -> bool { … }
//     fn may_retry(&self) -> bool { … }
// }
// // Only for a type without parameters, such as `BusyError`:
// const _: () = {
//     use p::NoError as _;
//
//     #[distributed_slice(p::ERRORS)]
//     static __ERROR: p::OwnError = p::Registered::<BusyError>::ENTRY;
// };
pub fn implementation(input: &Input, valid: &Valid<'_>) -> TokenStream {
    let p = private(&valid.runtime);
    let duration = quote_spanned!(mixed()=> ::core::option::Option<::core::time::Duration>);
    let none = quote_spanned!(mixed()=> ::core::option::Option::None);
    let boolean = quote_spanned!(mixed()=> ::core::primitive::bool);
    let kind = method("kind", &quote_spanned!(mixed()=> #p::ErrorKind), valid, None, |own| {
        let kind = &own.kind;
        Some((None, quote_spanned!(mixed()=> #p::ErrorKind::#kind)))
    });
    let retry_after = method("retry_after", &duration, valid, Some(&none), |own| {
        let field = own.retry_after?;
        let ty = &field.ty;
        Some((Some(field), quote_spanned!(mixed()=> #p::hint::<#ty>(__field))))
    });
    let yes = true.to_token_stream();
    let maybe_executed = method("maybe_executed", &boolean, valid, Some(&yes), |own| {
        (!own.maybe_executed).then(|| (None, false.to_token_stream()))
    });
    let may_retry = method("may_retry", &boolean, valid, Some(&yes), |_| None);
    let generics = bounded(input, &valid.cases, &p);
    let methods = quote_spanned!(mixed()=> #kind #retry_after #maybe_executed #may_retry);
    let implementation = implemented(input, &generics, &p, &methods);
    let registration = registration(input, &p);
    quote_spanned!(mixed()=> #implementation #registration)
}

/// Writes the entry by which the type is found inside type-erased errors. A generic type has none:
/// each of its instances would need its own.
fn registration(input: &Input, p: &TokenStream) -> Option<TokenStream> {
    let ident = &input.ident;
    input.generics.params.is_empty().then(|| {
        quote_spanned! {mixed()=>
            #[allow(deprecated)]
            const _: () = {
                // Used only if the type is not an error.
                use #p::NoError as _;

                #[#p::linkme::distributed_slice(#p::ERRORS)]
                #[linkme(crate = #p::linkme)]
                static __ERROR: #p::OwnError = #p::Registered::<#ident>::ENTRY;
            };
        }
    })
}

/// The implementation after a mistake.
pub fn fallback(input: &Input, runtime: &Path, error: &syn::Error) -> TokenStream {
    let p = private(runtime);
    let kind = quote_spanned! {mixed()=>
        fn kind(&self) -> #p::ErrorKind {
            #p::ErrorKind::Unknown
        }
    };
    let implementation = implemented(input, &input.generics, &p, &kind);
    let error = error.to_compile_error();
    quote_spanned!(mixed()=> #implementation #error)
}

fn implemented(
    input: &Input,
    generics: &Generics,
    p: &TokenStream,
    methods: &TokenStream,
) -> TokenStream {
    let ident = &input.ident;
    let (parameters, arguments, bounds) = generics.split_for_impl();
    quote_spanned! {mixed()=>
        // Lints about the user's names are reported, or allowed, where the type is declared.
        #[allow(deprecated, unused_qualifications)]
        #[automatically_derived]
        impl #parameters #p::Classify for #ident #arguments #bounds {
            #methods
        }
    }
}

fn private(runtime: &Path) -> TokenStream {
    quote_spanned!(mixed()=> #runtime::__private)
}

/// The generics, with a bound `Classify` for each type of an inner error that depends on them. A type
/// that contains the deriving type gets no bound: the implementation would depend on itself.
fn bounded(input: &Input, cases: &[Case<'_>], p: &TokenStream) -> Generics {
    let mut bounded = input.generics.clone();
    let mut seen = BTreeSet::new();
    for case in cases {
        if let Answers::Inner(Field { ty, .. }) = &case.answers
            && depends(ty, &input.generics)
            && !is_recursive(ty.to_token_stream(), &input.ident)
            && seen.insert(ty.to_token_stream().to_string())
        {
            let bound = parse_quote_spanned!(mixed()=> #ty: #p::Classify);
            bounded.make_where_clause().predicates.push(bound);
        }
    }
    bounded
}

/// Whether a type parameter is in `ty`.
fn depends(ty: &Type, generics: &Generics) -> bool {
    fn any(tokens: TokenStream, is: &dyn Fn(&TokenTree) -> bool) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Group(group) => any(group.stream(), is),
            other => is(&other),
        })
    }
    any(ty.to_token_stream(), &|tree| match tree {
        TokenTree::Ident(name) => generics.type_params().any(|param| param.ident == *name),
        _ => false,
    })
}

/// Whether the type of this name is in `ty`, without a path: `other::Error` is another type.
fn is_recursive(ty: TokenStream, name: &Ident) -> bool {
    let mut is_path = false;
    ty.into_iter().any(|tree| {
        let found = match &tree {
            TokenTree::Group(group) => is_recursive(group.stream(), name),
            TokenTree::Ident(word) => word == "Self" || (word == name && !is_path),
            _ => false,
        };
        is_path = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == ':');
        found
    })
}

/// The answer of one case: the field that it reads, if any, and an expression.
type Answer<'a> = (Option<&'a Field>, TokenStream);

/// Writes a method of `Classify`, with one arm for each case. `own` is the answer of a case without
/// an inner error, if it differs from `default`. `None` if every answer is the default.
fn method<'a>(
    name: &str,
    returns: &TokenStream,
    valid: &'a Valid<'_>,
    default: Option<&TokenStream>,
    own: impl Fn(&'a Own<'_>) -> Option<Answer<'a>>,
) -> Option<TokenStream> {
    let p = private(&valid.runtime);
    let name = Ident::new(name, mixed());
    let answer = |case: &'a Case<'_>| match &case.answers {
        // The type has its own span, so a missing trait is reported there. Each method causes the
        // same message, which the compiler prints once.
        Answers::Inner(field) => {
            let ty = &field.ty;
            let answer = quote_spanned!(mixed()=> #p::Classify::#name(#p::inner::<#ty>(__field)));
            Some((Some(*field), answer))
        }
        Answers::Own(answers) => own(answers),
    };
    let answers: Vec<_> = valid.cases.iter().map(|case| (case, answer(case))).collect();
    if default.is_some() && answers.iter().all(|(_, answer)| answer.is_none()) {
        return None;
    }
    let arms = answers.iter().map(|(case, answer)| {
        let variant = case.variant.map(|variant| quote_spanned!(mixed()=> ::#variant));
        let binding = answer.as_ref().and_then(|(field, _)| *field).map(|field| {
            let member = &field.member;
            quote_spanned!(mixed()=> #member: __field,)
        });
        let answer = answer.as_ref().map(|(_, answer)| answer).or(default);
        quote_spanned!(mixed()=> Self #variant { #binding .. } => #answer,)
    });
    // A reference to a type without values still needs a pattern.
    let value = if valid.cases.is_empty() {
        quote_spanned!(mixed()=> *self)
    } else {
        quote_spanned!(mixed()=> self)
    };
    Some(quote_spanned! {mixed()=>
        fn #name(&self) -> #returns {
            match #value {
                #(#arms)*
            }
        }
    })
}
