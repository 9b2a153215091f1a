//! The function that runs its body through a policy.

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{FnArg, Signature, Token};

use super::params::Params;
use super::{keyed, site_tokens};
use crate::check::signature::Target;
use crate::check::twice;
use crate::config::{Breaker, BreakerSource, Config};
use crate::hygiene::{Runtime, mixed};
use crate::parse::lints;

/// Writes the function, with each call run through its policy.
pub fn expand(config: &Config, target: Target, within: Option<&str>) -> TokenStream {
    let p = Runtime(config.runtime.as_ref()).private(mixed());
    let Target { mut attributes, visibility, mut signature, body, braces, returns, pin } = target;
    lints::allow_what_is_expected(&mut attributes);
    for parameter in &mut signature.inputs {
        lints::allow_what_is_expected(match parameter {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(parameter) => &mut parameter.attrs,
        });
    }
    let site = site_tokens::site(config, &signature.ident, within);
    let begin = begin(config, &signature, &returns);
    let call = if config.repeats() {
        let used = used_by_name(config, &signature);
        let params = Params::split(&mut signature, body, &p);
        repeated(config, &params, &used, &returns)
    } else {
        once(config, &body, &returns)
    };
    let code = quote_spanned!(mixed()=> #site #begin #call);
    let code = match pin {
        Some(pin) => quote_spanned!(mixed()=> #pin(async move { #code })),
        None => code,
    };
    // Lints look at the span of the whole function to tell generated code from the user's.
    let mut code = Group::new(Delimiter::Brace, code);
    code.set_span(braces);
    let mark = twice::mark();
    quote_spanned!(mixed()=> #(#attributes)* #mark #visibility #signature #code)
}

/// Writes the body as an expression. Its braces are the user's own: their edition decides how long
/// temporaries of the last expression live. In the arm of a match, the braces do not look needless,
/// and those temporaries end before the bindings around it.
fn in_place(body: &Group) -> TokenStream {
    quote_spanned!(mixed()=> match () { () => #body })
}

/// Uses the parameters in the breaker's name. Each attempt binds them again, and the body may not
/// use them.
fn used_by_name(config: &Config, signature: &Signature) -> TokenStream {
    match &config.breaker {
        Some(Breaker { name: BreakerSource::Keyed(_, template), .. }) => {
            let used = template.parameters(signature);
            quote_spanned!(mixed()=> #(#[allow(clippy::used_underscore_binding)] let _ = &#used;)*)
        }
        _ => TokenStream::new(),
    }
}

/// Begins the call, and ends it if the breaker rejects it. The code that begins it has the span of
/// the return type, so that a missing trait is reported there.
fn begin(config: &Config, signature: &Signature, returns: &TokenStream) -> TokenStream {
    let runtime = Runtime(config.runtime.as_ref());
    let span = runtime.reported_at(returns.span());
    let p = runtime.private(span);
    // Local names have the span of `mixed`, wherever they are used.
    let site = quote_spanned!(mixed()=> __site);
    let of = quote_spanned!(span=> #p::PhantomData::<#returns>);
    let (keyed, begin) = match &config.breaker {
        Some(Breaker { name: BreakerSource::Keyed(name, template), .. }) => {
            let breaker = quote_spanned!(mixed()=> &__breaker);
            let begin = quote_spanned!(span=> #p::begin_keyed(#of, #site, #breaker));
            (Some(keyed::lookup(&runtime, name, template, signature)), begin)
        }
        _ if config.rejects() => (None, quote_spanned!(span=> #p::begin_guarded(#of, #site))),
        _ => (None, quote_spanned!(span=> #p::begin(#of, #site))),
    };
    let admit = config.breaker.is_some().then(|| {
        quote_spanned! {mixed()=>
            if let ::core::ops::ControlFlow::Break(__rejected) = __call.admit(__reject) {
                return __rejected;
            }
        }
    });
    let call = if config.rejects() {
        quote_spanned!(mixed()=> (mut __call, __reject))
    } else {
        quote_spanned!(mixed()=> mut __call)
    };
    let start = config.deadline.map(|_| quote_spanned!(mixed()=> __call.start_clock();));
    quote_spanned! {mixed()=>
        #keyed
        let #call = #begin;
        #start
        #admit
    }
}

/// States the return type of an async block before the first `return` or `?` in it, as a function's
/// signature does. It also makes the block capture `claimed`.
fn typed(returns: &TokenStream, claimed: Option<Token![self]>) -> TokenStream {
    let claim = claimed.map(|claimed| quote_spanned!(mixed()=> let __claimed = #claimed;));
    quote_spanned! {mixed()=>
        if let ::core::option::Option::Some(__result) =
            ::core::option::Option::None::<#returns>
        {
            #claim
            return __result;
        }
    }
}

/// Awaits an attempt, whose async block is `block`.
fn attempt(config: &Config, block: &TokenStream) -> TokenStream {
    let current = (config.is_timed() || config.attempt.is_some())
        .then(|| quote_spanned!(mixed()=> let __attempt = __call.current();));
    let known = config.attempt.is_some().then(
        || quote_spanned!(mixed()=> let __known = __attempt.known_to_body(&__nothing_sent);),
    );
    let attempt = if config.is_timed() {
        quote_spanned!(mixed()=> __call.timed(__attempt, __reject, #block))
    } else if config.rejects() {
        quote_spanned!(mixed()=> __call.attempt(#block))
    } else {
        // No permit to settle if the attempt panics, and no call can be part of this one.
        block.clone()
    };
    quote_spanned! {mixed()=>
        #current
        #known
        let __result = #attempt.await;
    }
}

/// Settles the attempt: calls this method with its result. If the body knows its attempt, it may
/// have said that it has sent nothing.
fn settled(config: &Config, method: &str) -> TokenStream {
    if config.attempt.is_some() {
        let method = Ident::new(&format!("{method}_known"), mixed());
        quote_spanned!(mixed()=> __call.#method(__result, &__nothing_sent))
    } else {
        let method = Ident::new(method, mixed());
        quote_spanned!(mixed()=> __call.#method(__result))
    }
}

/// Writes where the body says that it has sent nothing.
fn nothing_sent(config: &Config) -> Option<TokenStream> {
    config.attempt.as_ref().map(|_| {
        let p = Runtime(config.runtime.as_ref()).private(mixed());
        quote_spanned!(mixed()=> let __nothing_sent = #p::NothingSent::new();)
    })
}

/// Binds the attempt to the name that the body knows. Not every method of an `impl` block uses it.
fn named_attempt(config: &Config) -> Option<TokenStream> {
    config.attempt.as_ref().map(|name| {
        quote_spanned! {mixed()=>
            #[allow(unused_variables)]
            let #name = __known;
        }
    })
}

// A body that runs once: it may move its parameters.
//
// // Input:  async fn search(q: String) -> Result<Hits, E> { BODY }
// // Output:
// async fn search(q: String) -> Result<Hits, E> {
//     // the site, and:
//     let (mut __call, __reject) = p::begin_guarded(p::PhantomData::<Result<Hits, E>>, __site);
//     if let ControlFlow::Break(__rejected) = __call.admit(__reject) {
//         return __rejected;
//     }
//     let __result = __call.attempt(async move {
//         // typed, and:
//         match () { () => { BODY } }
//     }).await;
//     __call.finish(__result)
// }
fn once(config: &Config, body: &Group, returns: &TokenStream) -> TokenStream {
    let (typed, named_attempt) = (typed(returns, None), named_attempt(config));
    let body = in_place(body);
    let block = quote_spanned! {mixed()=>
        async move {
            #typed
            #named_attempt
            #body
        }
    };
    let attempt = attempt(config, &block);
    let (nothing_sent, finished) = (nothing_sent(config), settled(config, "finish"));
    quote_spanned! {mixed()=>
        #nothing_sent
        #attempt
        #finished
    }
}

// A body that may run again: a loop around an async block that is not `move`, so that each
// attempt borrows the references, and takes the values from slots.
//
// // Input:  async fn search(&self, q: String, log: &mut Log) -> Result<Hits, E> { BODY }
// // Output:
// async fn search(&self, q: String, log: &mut Log) -> Result<Hits, E> {
//     // the site, the call is begun as above, and:
//     let mut __slot1 = p::Slot::new(q);
//     loop {
//         let __last = __call.is_last();
//         let __lent2 = &mut *log;
//         let __result = __call.attempt(async {
//             // typed, and:
//             let q = p::take_or_clone(&mut __slot1, __last);
//             let log = __lent2;
//             match () { () => { BODY } }
//         }).await;
//         let __delay = match __call.settle(__result) {
//             ControlFlow::Break(__result) => break __result,
//             ControlFlow::Continue(__delay) => __delay,
//         };
//         if let ControlFlow::Break(__result) = __call.resume(__delay).await {
//             break __result;
//         }
//     }
// }
fn repeated(
    config: &Config,
    params: &Params,
    used: &TokenStream,
    returns: &TokenStream,
) -> TokenStream {
    let Params { keep, prepare, claimed, hand_over, body } = params;
    let (typed, named_attempt) = (typed(returns, *claimed), named_attempt(config));
    let body = in_place(body);
    let block = quote_spanned! {mixed()=>
        async {
            #typed
            #hand_over
            #used
            #named_attempt
            #body
        }
    };
    let attempt = attempt(config, &block);
    let last = (!keep.is_empty()).then(|| quote_spanned!(mixed()=> let __last = __call.is_last();));
    let (nothing_sent, settled) = (nothing_sent(config), settled(config, "settle"));
    quote_spanned! {mixed()=>
        #keep
        #nothing_sent
        loop {
            #last
            #prepare
            #attempt
            // The result is dropped before the delay, so it need not be `Send`.
            let __delay = match #settled {
                ::core::ops::ControlFlow::Break(__result) => break __result,
                ::core::ops::ControlFlow::Continue(__delay) => __delay,
            };
            if let ::core::ops::ControlFlow::Break(__result) = __call.resume(__delay).await {
                break __result;
            }
        }
    }
}
