//! From a valid configuration and a function to code. Nothing in `expand` can fail.
//!
//! Generated names have `Span::mixed_site()`, so that no name of the user's meets them; paths
//! begin at a crate. `p` is [`private`]'s path.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, FnArg, LitStr, Signature, Token};

use crate::args::Args;
use crate::config::{self, Breaker, Config, Named};
use crate::errors::Errors;
use crate::impl_block::{self, ImplBlock, Within};
use crate::item::{self, Function};
use crate::lints;
use crate::params::Params;
use crate::repetition;
use crate::signature::{self, Target};
use crate::spec::{self, Runtime};
use crate::template::Template;
use crate::twice::{self, Level};

/// The span of all that is generated: local names in it meet none of the user's.
pub fn mixed() -> Span {
    Span::mixed_site()
}

/// Expands the attribute. After a mistake, the item still stands as it was written, so that the
/// editor goes on working and no second error follows.
pub fn resilient(args: TokenStream, item: &TokenStream) -> TokenStream {
    let args = config::refuse_bare(&args).and_then(|()| syn::parse2::<Args>(args));
    let expanded = match (args, syn::parse2::<Item>(item.clone())) {
        (Ok(args), Ok(Item::Function(target))) => {
            match twice::refuse_on_function(&target.attributes) {
                Ok(()) => return function(&args, *target, &Within::default(), Level::Function),
                Err(error) => Err(error),
            }
        }
        (Ok(args), Ok(Item::ImplBlock(block))) => match block.refuse_twice() {
            Ok(()) => impl_block::expand(&args, block),
            Err(error) => Err(error),
        },
        (Err(error), Ok(Item::ImplBlock(block))) => return block.without_attribute(&error),
        (Err(error), Ok(Item::Function(_))) | (Ok(_), Err(error)) => Err(error),
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
        if let Some((place, advice)) = item::advice(input) {
            return Err(Error::new(
                place,
                format_args!(
                    "`#[resilient]` goes on an async function, or on an `impl` block with \
                     some{advice}"
                ),
            ));
        }
        input.parse().map(Box::new).map(Self::Function)
    }
}

/// Expands a function; `level` says what the attribute stands on.
pub fn function(args: &Args, function: Function, within: &Within, level: Level) -> TokenStream {
    let written = function.to_token_stream();
    let mut errors = Errors::default();
    let config = config::read(args, &mut errors);
    let target = signature::read(function, &mut errors);
    if config.repeats() {
        repetition::check(&target, &mut errors);
    }
    if let Some(Breaker { name: Named::Keyed(name, template), .. }) = &config.breaker {
        template.check(name, &target.signature, &mut errors);
    }
    let generics = target.signature.generics.type_params().map(|param| &param.ident);
    let generics: Vec<_> = generics.chain(&within.generics).cloned().collect();
    config.check_generics(&generics, &mut errors);
    if let Some(attempt) = &config.attempt {
        signature::refuse_parameter(attempt, &target.signature, &mut errors);
    }
    match errors.finish() {
        Ok(()) => expand(&config, target, within.name.as_deref(), level),
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#written #error)
        }
    }
}

fn expand(config: &Config, target: Target, within: Option<&str>, level: Level) -> TokenStream {
    let p = Runtime(config.runtime.as_ref()).private(mixed());
    let Target { mut attributes, visibility, mut signature, body, braces, returns, pin } = target;
    lints::allow_what_is_expected(&mut attributes);
    for parameter in &mut signature.inputs {
        lints::allow_what_is_expected(match parameter {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(parameter) => &mut parameter.attrs,
        });
    }
    let site = spec::site(config, &signature.ident, within);
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
    let mark = level.mark();
    quote_spanned!(mixed()=> #(#attributes)* #mark #visibility #signature #code)
}

/// The body in the place of a value. Its braces are the user's own: by their edition the compiler
/// decides how long temporaries of the last expression live. In the arm of a match the braces do
/// not look needless, and those temporaries end before the bindings around it.
fn in_place(body: &Group) -> TokenStream {
    quote_spanned!(mixed()=> match () { () => #body })
}

/// Uses the parameters that the breaker's name is made of: an attempt binds them again, and the
/// body may not need them.
fn used_by_name(config: &Config, signature: &Signature) -> TokenStream {
    match &config.breaker {
        Some(Breaker { name: Named::Keyed(_, template), .. }) => {
            let used = template.parameters(signature);
            quote_spanned!(mixed()=> #(#[allow(clippy::used_underscore_binding)] let _ = &#used;)*)
        }
        _ => TokenStream::new(),
    }
}

/// Begins the call, and ends it where the breaker rejects it. What begins it stands at the place
/// of the return type: what that type lacks is reported there.
fn begin(config: &Config, signature: &Signature, returns: &TokenStream) -> TokenStream {
    let runtime = Runtime(config.runtime.as_ref());
    let span = runtime.reported_at(returns.span());
    let p = runtime.private(span);
    // What is local is named by `mixed`, at whatever place it is used.
    let site = quote_spanned!(mixed()=> __site);
    let of = quote_spanned!(span=> #p::PhantomData::<#returns>);
    let (keyed, begin) = match &config.breaker {
        Some(Breaker { name: Named::Keyed(name, template), .. }) => {
            let breaker = quote_spanned!(mixed()=> &__breaker);
            let begin = quote_spanned!(span=> #p::begin_keyed(#of, #site, #breaker));
            (Some(keyed(&runtime, name, template, signature)), begin)
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

/// Looks up the breaker that the arguments of a call choose.
fn keyed(
    runtime: &Runtime<'_>,
    name: &LitStr,
    template: &Template,
    signature: &Signature,
) -> TokenStream {
    let p = runtime.private(mixed());
    let span = runtime.reported_at(name.span());
    let at_place = runtime.private(span);
    let part = quote_spanned!(span=> #at_place::key_part);
    let values = template.values_in(signature, name.span(), &part);
    quote_spanned! {mixed()=>
        let __breakers = {
            static __BREAKERS: #p::KeyedSite = #p::KeyedSite::new(#name);
            &__BREAKERS
        };
        #[allow(clippy::used_underscore_binding)]
        let __breaker = __breakers.get(&[#values]);
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

/// Awaits an attempt: `block` is the async block of it.
fn attempt(config: &Config, block: &TokenStream) -> TokenStream {
    let current = (config.is_timed() || config.attempt.is_some())
        .then(|| quote_spanned!(mixed()=> let __attempt = __call.current();));
    let attempt = if config.is_timed() {
        quote_spanned!(mixed()=> timed(__attempt, __reject, #block))
    } else {
        quote_spanned!(mixed()=> attempt(#block))
    };
    quote_spanned! {mixed()=>
        #current
        let __result = __call.#attempt.await;
    }
}

/// Gives the body its attempt, by the name that it has for it. Of the methods of an `impl` block,
/// not every one needs it.
fn named_attempt(config: &Config) -> Option<TokenStream> {
    config.attempt.as_ref().map(|name| {
        quote_spanned! {mixed()=>
            #[allow(unused_variables)]
            let #name = __attempt;
        }
    })
}

// A body that runs once: it may move what it likes.
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
    quote_spanned! {mixed()=>
        #attempt
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
//             let q = p::take_or_clone(&mut __slot1, __last);
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
    quote_spanned! {mixed()=>
        #keep
        loop {
            #last
            #prepare
            #attempt
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
