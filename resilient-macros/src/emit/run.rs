//! The run of a call: how it begins, and how its attempts follow each other.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Token;
use syn::spanned::Spanned;

use super::keyed;
use crate::config::{Breaker, BreakerSource, Config};
use crate::hygiene::{Runtime, mixed};

/// Begins the call, and ends it if the breaker rejects it, or if its request has no time left. The
/// code that begins it has the span of the return type, so that a missing trait is reported there.
///
/// `variable` writes the variable that a placeholder in the breaker's name stands for.
pub fn begin(
    config: &Config,
    variable: impl Fn(&str) -> Option<TokenStream>,
    returns: &TokenStream,
) -> TokenStream {
    let runtime = Runtime(config.runtime.as_ref());
    let span = runtime.reported_at(returns.span());
    let p = runtime.private(span);
    // Local names have the span of `mixed`, wherever they are used.
    let site = quote_spanned!(mixed()=> __site);
    let of = quote_spanned!(span=> #p::returns::<#returns>());
    let (keyed, breaker) = match &config.breaker {
        Some(Breaker { name: BreakerSource::Keyed(name, template), .. }) => {
            let breaker = quote_spanned!(mixed()=> &__breaker);
            (Some(keyed::lookup(&runtime, name, template, variable)), Some(breaker))
        }
        _ => (None, None),
    };
    let begin = if config.classify.is_some() || config.reject.is_some() {
        begin_by(config, &of, breaker.as_ref(), span)
    } else if let Some(breaker) = breaker {
        quote_spanned!(span=> #p::begin_keyed(#of, #site, #breaker))
    } else if config.rejects() {
        quote_spanned!(span=> #p::begin_guarded(#of, #site))
    } else {
        quote_spanned!(span=> #p::begin(#of, #site))
    };
    let admit = config.rejects().then(|| {
        quote_spanned! {mixed()=>
            if let ::core::ops::ControlFlow::Break(__rejected) = (&mut __call).admit() {
                return __rejected;
            }
        }
    });
    let start =
        config.deadline.as_ref().map(|_| quote_spanned!(mixed()=> (&mut __call).start_clock();));
    quote_spanned! {mixed()=>
        #keyed
        let mut __call = #begin;
        #start
        #admit
    }
}

/// Begins a call by functions of the user's, for what the type of the error cannot tell.
fn begin_by(
    config: &Config,
    of: &TokenStream,
    breaker: Option<&TokenStream>,
    span: Span,
) -> TokenStream {
    let runtime = Runtime(config.runtime.as_ref());
    let p = runtime.private(span);
    let site = quote_spanned!(mixed()=> __site);
    let classify = config.classify.as_ref().map_or_else(
        || quote_spanned!(span=> #p::classify),
        |path| {
            let span = runtime.reported_at(path.span());
            let p = runtime.private(span);
            let error = quote_spanned!(mixed().located_at(path.span())=> __error);
            quote_spanned!(span=> |#error| #p::classify(&#path(#error)))
        },
    );
    if !config.rejects() {
        return quote_spanned!(span=> #p::begin_by(#of, #site, #classify));
    }
    let breaker = breaker.map_or_else(
        || quote_spanned!(mixed()=> #p::breaker_of(#site)),
        |breaker| quote_spanned!(mixed()=> ::core::option::Option::Some(#breaker)),
    );
    let reject = config
        .reject
        .as_ref()
        .map_or_else(|| quote_spanned!(span=> #p::carry(#of)), ToTokens::to_token_stream);
    quote_spanned!(span=> #p::begin_guarded_by(#of, #site, #breaker, #classify, #reject))
}

/// States the return type of an async block before the first `return` or `?` in it, as a function's
/// signature does. It also makes the block capture `claimed`.
pub fn typed(returns: &TokenStream, claimed: Option<Token![self]>) -> TokenStream {
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

/// What an attempt runs.
#[derive(Clone, Copy)]
pub enum Work<'t> {
    /// An async block, which nothing evaluates before it is polled.
    Block(&'t TokenStream),
    /// An expression, which is evaluated when the attempt begins.
    Call(&'t TokenStream),
}

/// Awaits an attempt, after what prepares it.
fn attempt(config: &Config, prepare: &TokenStream, work: Work<'_>) -> TokenStream {
    let current = (config.is_timed() || config.attempt.is_some())
        .then(|| quote_spanned!(mixed()=> let __attempt = (&__call).current();));
    let known = config
        .attempt
        .is_some()
        .then(|| quote_spanned!(mixed()=> let __known = __attempt.known_to_body(&__nothing_sent);));
    let attempt = match (work, config.is_timed(), config.rejects()) {
        (Work::Block(block), true, _) => {
            quote_spanned!(mixed()=> (&mut __call).timed(__attempt, #block))
        }
        (Work::Block(block), false, true) => {
            quote_spanned!(mixed()=> (&mut __call).attempt(#block))
        }
        (Work::Call(call), true, _) => {
            quote_spanned!(call.span()=> (&mut __call).timed_call(__attempt, #call))
        }
        (Work::Call(call), false, true) => {
            quote_spanned!(call.span()=> (&mut __call).attempt_call(#call))
        }
        // No permit to settle if the attempt panics, and no call can be part of this one.
        (Work::Block(work) | Work::Call(work), false, false) => work.clone(),
    };
    let evaluate = (config.rejects() && matches!(work, Work::Call(_)))
        .then(|| quote_spanned!(mixed()=> (&mut __call).evaluate();));
    quote_spanned! {mixed()=>
        #current
        #known
        #prepare
        #evaluate
        let __result = #attempt.await;
    }
}

/// Settles the attempt: calls this method with its result. If the body knows its attempt, it may
/// have said that it has sent nothing.
fn settled(config: &Config, method: &str) -> TokenStream {
    if config.attempt.is_some() {
        let method = Ident::new(&format!("{method}_known"), mixed());
        quote_spanned!(mixed()=> (&mut __call).#method(__result, &__nothing_sent))
    } else {
        let method = Ident::new(method, mixed());
        quote_spanned!(mixed()=> (&mut __call).#method(__result))
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
pub fn named_attempt(config: &Config) -> Option<TokenStream> {
    config.attempt.as_ref().map(|name| {
        quote_spanned! {mixed()=>
            #[allow(unused_variables, clippy::no_effect_underscore_binding)]
            let #name = __known;
        }
    })
}

/// Runs the only attempt.
pub fn once(config: &Config, prepare: &TokenStream, work: Work<'_>) -> TokenStream {
    let attempt = attempt(config, prepare, work);
    let (nothing_sent, finished) = (nothing_sent(config), settled(config, "finish"));
    quote_spanned! {mixed()=>
        #nothing_sent
        #attempt
        #finished
    }
}

/// Runs attempts until one ends the call.
pub fn repeated(config: &Config, prepare: &TokenStream, work: Work<'_>) -> TokenStream {
    let attempt = attempt(config, prepare, work);
    let (nothing_sent, settled) = (nothing_sent(config), settled(config, "settle"));
    quote_spanned! {mixed()=>
        #nothing_sent
        loop {
            #attempt
            // The result is dropped before the delay, so it need not be `Send`.
            let __delay = match #settled {
                ::core::ops::ControlFlow::Break(__result) => break __result,
                ::core::ops::ControlFlow::Continue(__delay) => __delay,
            };
            if let ::core::ops::ControlFlow::Break(__result) = (&mut __call).resume(__delay).await {
                break __result;
            }
        }
    }
}
