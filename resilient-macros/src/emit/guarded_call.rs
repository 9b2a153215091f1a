//! A call that is guarded by itself.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::run::{self, Work};
use super::site_tokens;
use crate::config::{Breaker, BreakerSource, Config};
use crate::hygiene::{Runtime, mixed};
use crate::parse::guarded_call::GuardedCall;

// An async block around the loop of a function.
//
// // Input:  guard!(retry = "auto", breaker = "search"; client.query(query.clone()))
// // Output:
// async {
//     // the site, the call is begun as in a function, and:
//     loop {
//         (&mut __call).evaluate();
//         let __result = (&mut __call).attempt_call(client.query(query.clone())).await;
//         // as in a function
//     }
// }
//
// An expression that may leave before it is a future, as by `?`, stands in an async block of its own,
// as a body does. That block is not always there, because it copies the result once more.
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
    let call = quote_spanned!(mixed().located_at(*place)=> (#call));
    let run = if config.repeats() { run::repeated } else { run::once };
    let run = if guarded.may_leave() {
        let typed = run::typed(&returns, None);
        let block = quote_spanned!(mixed()=> async { #typed #named_attempt #call.await });
        run(config, &TokenStream::new(), Work::Block(&block))
    } else {
        run(config, &named_attempt.unwrap_or_default(), Work::Call(&call))
    };
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
