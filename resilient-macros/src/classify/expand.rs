//! From a valid type to its implementation. Nothing here can fail.
//!
//! Generated names have `Span::mixed_site()`; `p` is the path of the runtime's private module.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Generics, Ident, Path, Type, parse_quote_spanned};

use crate::classify::ast::{Field, Input};
use crate::classify::valid::{Answers, Case, Valid};
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
pub fn implementation(input: &Input, valid: &Valid<'_>) -> TokenStream {
    let p = private(&valid.runtime);
    let kind = method(
        &quote_spanned!(mixed()=> kind),
        &quote_spanned!(mixed()=> #p::ErrorKind),
        valid.cases.iter().map(|case| (case, kind(&case.answers, &p))),
    );
    let retry_after = valid.cases.iter().any(Case::may_have_hint).then(|| {
        method(
            &quote_spanned!(mixed()=> retry_after),
            &quote_spanned!(mixed()=> ::core::option::Option<::core::time::Duration>),
            valid.cases.iter().map(|case| (case, retry_after(&case.answers, &p))),
        )
    });
    let maybe_executed = valid.cases.iter().any(Case::may_be_unexecuted).then(|| {
        method(
            &quote_spanned!(mixed()=> maybe_executed),
            &quote_spanned!(mixed()=> ::core::primitive::bool),
            valid.cases.iter().map(|case| (case, maybe_executed(&case.answers, &p))),
        )
    });
    let may_retry = valid.cases.iter().any(Case::may_refuse_retry).then(|| {
        method(
            &quote_spanned!(mixed()=> may_retry),
            &quote_spanned!(mixed()=> ::core::primitive::bool),
            valid.cases.iter().map(|case| (case, may_retry(&case.answers, &p))),
        )
    });
    let generics = bounded(input, &valid.cases, &p);
    let methods = quote_spanned!(mixed()=> #kind #retry_after #maybe_executed #may_retry);
    implemented(input, &generics, &p, &methods)
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

impl Case<'_> {
    fn may_have_hint(&self) -> bool {
        matches!(&self.answers, Answers::Inner(_) | Answers::Own { retry_after: Some(_), .. })
    }

    fn may_be_unexecuted(&self) -> bool {
        matches!(&self.answers, Answers::Inner(_) | Answers::Own { maybe_executed: false, .. })
    }

    fn may_refuse_retry(&self) -> bool {
        matches!(&self.answers, Answers::Inner(_))
    }
}

/// The answer of one case: the field that it reads, if any, and an expression.
type Answer<'a> = (Option<&'a Field>, TokenStream);

fn kind<'a>(answers: &Answers<'a>, p: &TokenStream) -> Answer<'a> {
    match answers {
        Answers::Inner(field) => ask(field, &quote_spanned!(mixed()=> kind), p),
        Answers::Own { kind, .. } => (None, quote_spanned!(mixed()=> #p::ErrorKind::#kind)),
    }
}

fn retry_after<'a>(answers: &Answers<'a>, p: &TokenStream) -> Answer<'a> {
    match answers {
        Answers::Inner(field) => ask(field, &quote_spanned!(mixed()=> retry_after), p),
        Answers::Own { retry_after: Some(field), .. } => {
            let ty = &field.ty;
            (Some(*field), quote_spanned!(mixed()=> #p::hint::<#ty>(__field)))
        }
        Answers::Own { .. } => (None, quote_spanned!(mixed()=> ::core::option::Option::None)),
    }
}

fn maybe_executed<'a>(answers: &Answers<'a>, p: &TokenStream) -> Answer<'a> {
    match answers {
        Answers::Inner(field) => ask(field, &quote_spanned!(mixed()=> maybe_executed), p),
        Answers::Own { maybe_executed, .. } => (None, maybe_executed.to_token_stream()),
    }
}

fn may_retry<'a>(answers: &Answers<'a>, p: &TokenStream) -> Answer<'a> {
    match answers {
        Answers::Inner(field) => ask(field, &quote_spanned!(mixed()=> may_retry), p),
        Answers::Own { .. } => (None, true.to_token_stream()),
    }
}

/// The inner error's answer. Its type has its own span, so a missing trait is reported there. Each
/// method causes the same message, which the compiler prints once.
fn ask<'a>(field: &'a Field, question: &TokenStream, p: &TokenStream) -> Answer<'a> {
    let ty = &field.ty;
    let answer = quote_spanned!(mixed()=> #p::Classify::#question(#p::inner::<#ty>(__field)));
    (Some(field), answer)
}

fn method<'a>(
    name: &TokenStream,
    returns: &TokenStream,
    answers: impl Iterator<Item = (&'a Case<'a>, Answer<'a>)>,
) -> TokenStream {
    let mut arms = answers
        .map(|(case, (field, answer))| {
            let variant = case.variant.map(|variant| quote_spanned!(mixed()=> ::#variant));
            let binding = field.map(|field| {
                let member = &field.member;
                quote_spanned!(mixed()=> #member: __field,)
            });
            quote_spanned!(mixed()=> Self #variant { #binding .. } => #answer,)
        })
        .peekable();
    // A reference to a type without values still needs a pattern.
    let value = if arms.peek().is_some() {
        quote_spanned!(mixed()=> self)
    } else {
        quote_spanned!(mixed()=> *self)
    };
    quote_spanned! {mixed()=>
        fn #name(&self) -> #returns {
            match #value {
                #(#arms)*
            }
        }
    }
}
