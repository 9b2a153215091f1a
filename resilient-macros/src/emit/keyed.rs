//! The breaker that the arguments of a call select.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Ident, LitStr, Member};

use crate::hygiene::{Runtime, mixed};
use crate::parse::template::Template;

/// Looks up the breaker that the arguments of a call select.
pub fn lookup(
    runtime: &Runtime<'_>,
    name: &LitStr,
    template: &Template,
    variable: impl Fn(&str) -> Option<TokenStream>,
) -> TokenStream {
    let p = runtime.private(mixed());
    let span = runtime.reported_at(name.span());
    let at_place = runtime.private(span);
    let part = quote_spanned!(span=> #at_place::key_part);
    let values = values_in(template, variable, name.span(), &part);
    quote_spanned! {mixed()=>
        let __breakers = {
            static __BREAKERS: #p::KeyedSite = #p::KeyedSite::new(#name);
            &__BREAKERS
        };
        #[allow(clippy::used_underscore_binding)]
        let __breaker = #p::KeyedSite::get(__breakers, &[#values]);
    }
}

/// Writes the values of a call, each passed through the function `part`.
fn values_in(
    template: &Template,
    variable: impl Fn(&str) -> Option<TokenStream>,
    place: Span,
    part: &TokenStream,
) -> TokenStream {
    let span = mixed().located_at(place);
    let values = template.values().filter_map(|value| {
        let variable = variable(&value.parameter)?;
        let fields = value.fields.iter().map(|field| match field {
            Member::Named(name) => located(name, span).into_token_stream(),
            Member::Unnamed(index) => index.to_token_stream(),
        });
        Some(quote_spanned!(span=> #part(&#variable #(.#fields)*)))
    });
    quote_spanned!(span=> #(#values),*)
}

/// Returns the same name with another span.
fn located(name: &Ident, place: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(place);
    name
}
