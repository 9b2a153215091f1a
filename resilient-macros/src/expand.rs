//! From a valid configuration and a function to code. Nothing in `expand` can fail.
//!
//! Generated names have `Span::mixed_site()`, so that no name of the user's meets them; paths
//! begin at a crate. `p` is [`private`]'s path.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;

use crate::args::Args;
use crate::config::{self, Breaker, Config, Retry, Rows, Setting, Settings};
use crate::errors::Errors;
use crate::impl_block::{self, ImplBlock};
use crate::item::{self, Function};
use crate::lints;
use crate::params::Params;
use crate::repetition;
use crate::signature::{self, Target};

/// The span of all that is generated: local names in it meet none of the user's.
pub fn mixed() -> Span {
    Span::mixed_site()
}

/// Expands the attribute. After a mistake, the item still stands as it was written, so that the
/// editor goes on working and no second error follows.
pub fn resilient(args: TokenStream, item: &TokenStream) -> TokenStream {
    let args = syn::parse2::<Args>(args);
    let expanded = match (args, syn::parse2::<Item>(item.clone())) {
        (Ok(args), Ok(Item::Function(target))) => return function(&args, *target, None),
        (Ok(args), Ok(Item::ImplBlock(block))) => impl_block::expand(&args, block),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(mut error), Err(other)) => {
            error.combine(other);
            Err(error)
        }
    };
    expanded.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#item #error)
    })
}

/// What the attribute goes on.
enum Item {
    Function(Box<Function>),
    ImplBlock(ImplBlock),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if ImplBlock::is_next(input) {
            return Ok(Self::ImplBlock(input.parse()?));
        }
        if let Some(advice) = item::advice(input) {
            return Err(input.error(format_args!(
                "`#[resilient]` goes on an async function, or on an `impl` block with some{advice}"
            )));
        }
        input.parse().map(Box::new).map(Self::Function)
    }
}

/// Expands a function; `within` is the name of the type that it is a method of.
pub fn function(args: &Args, function: Function, within: Option<&str>) -> TokenStream {
    let written = function.to_token_stream();
    let mut errors = Errors::default();
    let config = config::read(args, &mut errors);
    let target = signature::read(function, &mut errors);
    if repeats(&config) {
        repetition::check(&target, &mut errors);
    }
    match errors.finish() {
        Ok(()) => expand(&config, target, within),
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#written #error)
        }
    }
}

/// Whether an attempt may follow the first.
fn repeats(config: &Config) -> bool {
    config.retry.as_ref().is_some_and(|retry| retry.repeats)
}

/// The path of the runtime's private module.
fn private(config: &Config, span: Span) -> TokenStream {
    config.runtime.as_ref().map_or_else(
        || quote_spanned!(span=> ::resilient_runtime::__private),
        |runtime| quote_spanned!(span=> #runtime::__private),
    )
}

/// The span of code whose errors are to be reported at `place`. A path of the user's is generated
/// code even so: lints must not complain of how it is written.
fn reported_at(config: &Config, place: Span) -> Span {
    if config.runtime.is_some() { mixed().located_at(place) } else { place }
}

fn expand(config: &Config, target: Target, within: Option<&str>) -> TokenStream {
    let p = private(config, mixed());
    let Target { mut attributes, visibility, mut signature, body, returns, pin } = target;
    lints::allow_what_is_expected(&mut attributes);
    let site = site(config, &signature.ident, within, &p);
    let begin = begin(config, &returns);
    let call = if repeats(config) {
        let params = Params::split(&mut signature, body, &p);
        repeated(&params, &returns)
    } else {
        once(&body, &returns)
    };
    let code = quote_spanned!(mixed()=> #begin #call);
    let code = match pin {
        Some(pin) => quote_spanned!(mixed()=> #pin(async move { #code })),
        None => code,
    };
    quote_spanned! {mixed()=>
        #(#attributes)*
        #visibility #signature {
            #site
            #code
        }
    }
}

/// The body in the place of a value. Its braces are the user's own: by their edition the compiler
/// decides how long temporaries of the last expression live. In the arm of a match the braces do
/// not look needless, and those temporaries end before the bindings around it.
fn in_place(body: &Group) -> TokenStream {
    quote_spanned!(mixed()=> match () { () => #body })
}

/// The static that stands for the function in the program's catalogue, and holds its policy once
/// it has run.
fn site(config: &Config, function: &Ident, within: Option<&str>, p: &TokenStream) -> TokenStream {
    let name = function.unraw().to_string();
    let name = within.map_or_else(|| name.clone(), |within| format!("{within}::{name}"));
    // The function's place and not the attribute's, which many methods may share.
    let place = quote_spanned!(function.span()=> ::core::file!(), ::core::line!());
    let retry = config.retry.as_ref().map(|retry| retry_spec(config, retry, p));
    let breaker = config.breaker.as_ref().map(|breaker| breaker_spec(config, breaker, p));
    quote_spanned! {mixed()=>
        #[#p::linkme::distributed_slice(#p::SITES)]
        #[linkme(crate = #p::linkme)]
        static __SITE: #p::CallSite = #p::CallSite::new(
            ::core::concat!(::core::module_path!(), "::", #name),
            #place,
        ) #retry #breaker;
    }
}

fn retry_spec(config: &Config, retry: &Retry, p: &TokenStream) -> TokenStream {
    let Rows::One { kind, settings } = &retry.rows else {
        return quote_spanned!(mixed()=> .retry(#p::RetrySpec::ByKind));
    };
    let row = kind.as_ref().map_or_else(
        || quote_spanned!(mixed()=> #p::RetryPolicy::DEFAULT),
        |kind| quote_spanned!(mixed()=> #p::RetryPolicy::for_kind(#p::ErrorKind::#kind)),
    );
    let builder = quote_spanned!(mixed()=> #row.to_builder());
    let row = changed(config, &builder, settings, "retry_policy");
    quote_spanned!(mixed()=> .retry(#p::RetrySpec::Row(#row)))
}

fn breaker_spec(config: &Config, breaker: &Breaker, p: &TokenStream) -> TokenStream {
    let Breaker { name, settings, scope } = breaker;
    let settings = if settings.changes.is_empty() {
        quote_spanned!(mixed()=> ::core::option::Option::None)
    } else {
        let builder = quote_spanned!(mixed()=> #p::BreakerConfig::builder());
        let settings = changed(config, &builder, settings, "breaker_config");
        quote_spanned!(mixed()=> ::core::option::Option::Some(#settings))
    };
    quote_spanned! {mixed()=>
        .breaker(#p::BreakerSpec { name: #name, config: #settings, scope: #p::Scope::#scope })
    }
}

/// What `builder` builds after `settings`. Numbers that do not go together with its defaults stop
/// the build there, with the place of the settings.
fn changed(
    config: &Config,
    builder: &TokenStream,
    settings: &Settings,
    build: &str,
) -> TokenStream {
    let p = private(config, mixed());
    let setters = settings.changes.iter().map(|(key, setting)| {
        let value = match setting {
            Setting::Count(count) => count.into_token_stream(),
            Setting::Time(time) => {
                let (seconds, nanos) = (time.as_secs(), time.subsec_nanos());
                quote_spanned!(mixed()=> ::core::time::Duration::new(#seconds, #nanos))
            }
            Setting::Share(share) => share.into_token_stream(),
            Setting::Backoff(backoff) => quote_spanned!(mixed()=> #p::Backoff::#backoff),
        };
        // The key is the setter's name, but not its place: the editor would offer the setter.
        let setter = Ident::new(&key.to_string(), mixed());
        quote_spanned!(mixed()=> .#setter(#value))
    });
    let settled = quote_spanned!(mixed()=> #builder #(#setters)*);
    let span = reported_at(config, settings.span);
    let (p, build) = (private(config, span), Ident::new(build, span));
    quote_spanned!(span=> #p::#build(#settled))
}

/// Begins the call, and ends it where the breaker rejects it. What begins it stands at the place
/// of the return type: what that type lacks is reported there.
fn begin(config: &Config, returns: &TokenStream) -> TokenStream {
    let span = reported_at(config, returns.span());
    let p = private(config, span);
    let guarded = config.breaker.is_some();
    let begin = Ident::new(if guarded { "begin_guarded" } else { "begin" }, span);
    let begin = quote_spanned!(span=> #p::#begin::<#returns>(&__SITE));
    let admit = guarded.then(|| {
        quote_spanned! {mixed()=>
            if let ::core::ops::ControlFlow::Break(__rejected) = __call.admit() {
                return __rejected;
            }
        }
    });
    quote_spanned! {mixed()=>
        let mut __call = #begin;
        #admit
    }
}

/// Tells the compiler what an async block returns before it meets the first `return` or `?` in it,
/// as it knows of a function; and that the block takes `claimed` with it.
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

// A body that runs once: it may move what it likes.
//
// // Input:  async fn search(q: String) -> Result<Hits, E> { BODY }
// // Output:
// async fn search(q: String) -> Result<Hits, E> {
//     // the site, and:
//     let mut __call = p::begin_guarded::<Result<Hits, E>>(&__SITE);
//     if let ControlFlow::Break(__rejected) = __call.admit() {
//         return __rejected;
//     }
//     let __result = __call.attempt(async move {
//         // typed, and:
//         match () { () => { BODY } }
//     }).await;
//     __call.finish(__result)
// }
fn once(body: &Group, returns: &TokenStream) -> TokenStream {
    let typed = typed(returns, None);
    let body = in_place(body);
    quote_spanned! {mixed()=>
        let __result = __call
            .attempt(async move {
                #typed
                #body
            })
            .await;
        __call.finish(__result)
    }
}

// A body that may run again: a loop around an async block that is not `move`, so that each
// attempt borrows the references, and gets the values out of slots.
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
//             let q = p::take_or_clone::<String>(&mut __slot1, __last);
//             let log = __lent2;
//             match () { () => { BODY } }
//         }).await;
//         let __pause = match __call.settle(__result) {
//             ControlFlow::Break(__result) => break __result,
//             ControlFlow::Continue(__pause) => __pause,
//         };
//         if let ControlFlow::Break(__result) = __call.resume(__pause).await {
//             break __result;
//         }
//     }
// }
fn repeated(params: &Params, returns: &TokenStream) -> TokenStream {
    let Params { keep, prepare, claimed, hand_over, body } = params;
    let typed = typed(returns, *claimed);
    let body = in_place(body);
    let last = (!keep.is_empty()).then(|| quote_spanned!(mixed()=> let __last = __call.is_last();));
    quote_spanned! {mixed()=>
        #keep
        loop {
            #last
            #prepare
            let __result = __call
                .attempt(async {
                    #typed
                    #hand_over
                    #body
                })
                .await;
            // The result is gone before the pause: it need not be `Send`.
            let __pause = match __call.settle(__result) {
                ::core::ops::ControlFlow::Break(__result) => break __result,
                ::core::ops::ControlFlow::Continue(__pause) => __pause,
            };
            if let ::core::ops::ControlFlow::Break(__result) = __call.resume(__pause).await {
                break __result;
            }
        }
    }
}
