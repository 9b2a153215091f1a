//! A call that is guarded by itself.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::{run, site_tokens};
use crate::config::{Breaker, BreakerSource, Config};
use crate::hygiene::{Runtime, mixed};
use crate::parse::guarded_call::GuardedCall;

// An async block around the loop of a function. Each attempt evaluates the call in a closure, which is
// watched for a panic.
//
// // Input:  guard!(retry = "auto", breaker = "search"; client.query(query.clone()))
// // Output:
// async {
//     // the site, the call is begun as in a function, and:
//     loop {
//         let __future = __call.evaluate(|| client.query(query.clone()));
//         let __result = __call.attempt(__future).await;
//         // as in a function
//     }
// }
//
// The compiler infers the return type from what `evaluate` takes. In an async block, as a body is, the
// result would be copied once more.
pub fn expand(config: &Config, guarded: &GuardedCall) -> TokenStream {
    let GuardedCall { moves, call, place, .. } = guarded;
    let site = site_tokens::of_call(config, *place);
    let span = Runtime(config.runtime.as_ref()).reported_at(*place);
    let returns = quote_spanned!(span=> ::core::result::Result<_, _>);
    let name = match &config.breaker {
        Some(Breaker { name: BreakerSource::Keyed(name, _), .. }) => name.span(),
        _ => *place,
    };
    let begin = run::begin(config, |wanted| Some(variable(wanted, name)), &returns);
    let named_attempt = run::named_attempt(config);
    // A call that is no future, or not of a `Result`, is reported at its place.
    let evaluate = quote_spanned!(mixed().located_at(*place)=> __call.evaluate(|| #call));
    let prepare = quote_spanned!(mixed()=> #named_attempt let __future = #evaluate;);
    let future = quote_spanned!(mixed()=> __future);
    let run = if config.repeats() { run::repeated } else { run::once };
    let run = run(config, &prepare, &future);
    // In a `match`, it is not the body of a function that could be `async` instead.
    quote_spanned!(mixed()=> match () { () => async #moves { #site #begin #run } })
}

/// Writes a variable that a placeholder names, as the code around the call sees it.
fn variable(name: &str, place: Span) -> TokenStream {
    let variable = match syn::parse_str::<Ident>(name) {
        Err(_) if name != "self" => Ident::new_raw(name, place),
        _ => Ident::new(name, place),
    };
    variable.into_token_stream()
}
