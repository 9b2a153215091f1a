//! The function that runs its body through a policy.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::quote_spanned;
use syn::{FnArg, Signature};

use super::params::Params;
use super::run::{self, Work};
use super::site_tokens;
use crate::check::signature::Target;
use crate::check::twice;
use crate::config::{Breaker, BreakerSource, Config};
use crate::hygiene::{Runtime, mixed};
use crate::parse::lints;
use crate::parse::template::parameter;

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
    let site = site_tokens::of_function(config, &signature.ident, within);
    let begin = run::begin(config, |wanted| parameter(wanted, &signature), &returns);
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

// A body that runs once: it may move its parameters.
//
// // Input:  async fn search(q: String) -> Result<Hits, E> { BODY }
// // Output:
// async fn search(q: String) -> Result<Hits, E> {
//     // the site, and:
//     let mut __call = p::begin_guarded(p::returns::<Result<Hits, E>>(), __site);
//     if let ControlFlow::Break(__rejected) = (&mut __call).admit() {
//         return __rejected;
//     }
//     let __result = (&mut __call).attempt(async move {
//         // typed, and:
//         match () { () => { BODY } }
//     }).await;
//     (&mut __call).finish(__result)
// }
fn once(config: &Config, body: &Group, returns: &TokenStream) -> TokenStream {
    let (typed, named_attempt) = (run::typed(returns, None), run::named_attempt(config));
    let body = in_place(body);
    let block = quote_spanned! {mixed()=>
        async move {
            #typed
            #named_attempt
            #body
        }
    };
    run::once(config, &TokenStream::new(), Work::Block(&block))
}

// A body that may run again: a loop around an async block that is not `move`, so that each
// attempt borrows the references, and takes the values from slots.
//
// // Input:  async fn search(&self, q: String, log: &mut Log) -> Result<Hits, E> { BODY }
// // Output:
// async fn search(&self, q: String, log: &mut Log) -> Result<Hits, E> {
//     // the site, the call is begun as above, and:
//     let mut __slot1 = p::slot(q);
//     loop {
//         let __last = (&__call).is_last();
//         let __lent2 = &mut *log;
//         let __result = (&mut __call).attempt(async {
//             // typed, and:
//             let q = p::take_or_clone(&mut __slot1, __last);
//             let log = __lent2;
//             match () { () => { BODY } }
//         }).await;
//         let __delay = match (&mut __call).settle(__result) {
//             ControlFlow::Break(__result) => break __result,
//             ControlFlow::Continue(__delay) => __delay,
//         };
//         if let ControlFlow::Break(__result) = (&mut __call).resume(__delay).await {
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
    let (typed, named_attempt) = (run::typed(returns, *claimed), run::named_attempt(config));
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
    let last =
        (!keep.is_empty()).then(|| quote_spanned!(mixed()=> let __last = (&__call).is_last();));
    let repeated =
        run::repeated(config, &quote_spanned!(mixed()=> #last #prepare), Work::Block(&block));
    quote_spanned!(mixed()=> #keep #repeated)
}
