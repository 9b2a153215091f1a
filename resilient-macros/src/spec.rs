//! What the source says, as constants for the catalogue: of each function, and of each
//! declaration. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::config::{Breaker, BreakerNumbers, Config, Named, Retry, Row, Rows, Setting, Settings};
use crate::expand::mixed;

/// Where the runtime is.
pub struct Runtime<'a>(pub Option<&'a Path>);

impl Runtime<'_> {
    /// The path of its private module.
    pub fn private(&self, span: Span) -> TokenStream {
        self.0.map_or_else(
            || quote_spanned!(span=> ::resilient_runtime::__private),
            |runtime| quote_spanned!(span=> #runtime::__private),
        )
    }

    /// The span of code whose errors are to be reported at `place`. A path of the user's is
    /// generated code even so: lints must not complain of how it is written.
    pub fn reported_at(&self, place: Span) -> Span {
        if self.0.is_some() { mixed().located_at(place) } else { place }
    }
}

/// The static that stands for the function in the program's catalogue, and holds its policy once
/// it has run.
pub fn site(config: &Config, function: &Ident, within: Option<&str>) -> TokenStream {
    let runtime = Runtime(config.runtime.as_ref());
    let p = runtime.private(mixed());
    let name = function.unraw().to_string();
    let name = within.map_or_else(|| name.clone(), |within| format!("{within}::{name}"));
    // The function's place and not the attribute's, which many methods may share.
    let place = place(function.span());
    let retry = config.retry.as_ref().map(|retry| {
        let retry = retry_spec(&runtime, retry);
        quote_spanned!(mixed()=> .retry(#retry))
    });
    let breaker = config.breaker.as_ref().map(|breaker| {
        let breaker = breaker_spec(&runtime, breaker);
        quote_spanned!(mixed()=> .breaker(#breaker))
    });
    quote_spanned! {mixed()=>
        #[#p::linkme::distributed_slice(#p::SITES)]
        #[linkme(crate = #p::linkme)]
        static __SITE: #p::CallSite = #p::CallSite::new(
            ::core::concat!(::core::module_path!(), "::", #name),
            #place,
        ) #retry #breaker;
    }
}

/// The file and the line of a span.
pub fn place(of: Span) -> TokenStream {
    quote_spanned!(of=> ::core::file!(), ::core::line!())
}

fn retry_spec(runtime: &Runtime<'_>, retry: &Retry) -> TokenStream {
    let p = runtime.private(mixed());
    match &retry.rows {
        Rows::ByKind => quote_spanned!(mixed()=> #p::RetrySpec::ByKind),
        Rows::One { row, settings } => retry_row(runtime, row, settings, "retry_row"),
    }
}

/// A row and the numbers in the place of its own, by the constructor `make`. Numbers that do not
/// go together stop the build there, with the place of the settings.
pub fn retry_row(runtime: &Runtime<'_>, row: &Row, settings: &Settings, make: &str) -> TokenStream {
    let p = runtime.private(mixed());
    let row = match row {
        Row::Default => quote_spanned!(mixed()=> #p::Row::Default),
        Row::Kind(kind) => quote_spanned!(mixed()=> #p::Row::Kind(#p::ErrorKind::#kind)),
        Row::Named(name) => quote_spanned!(mixed()=> #p::Row::Named(#name)),
        Row::Constant(path) => quote_spanned!(mixed()=> #p::Row::Named(#path)),
    };
    let setters = setters(settings, &p);
    let changes = quote_spanned!(mixed()=> #p::RetryChanges::NONE #setters);
    let span = runtime.reported_at(settings.span);
    let (p, make) = (runtime.private(span), Ident::new(make, span));
    quote_spanned!(span=> #p::#make(#row, #changes))
}

fn breaker_spec(runtime: &Runtime<'_>, breaker: &Breaker) -> TokenStream {
    let p = runtime.private(mixed());
    let Breaker { name, numbers, scope } = breaker;
    let name = match name {
        Named::Literal(name) => quote_spanned!(mixed()=> Name(#name)),
        Named::Keyed(template, _) => quote_spanned!(mixed()=> Keyed(#template)),
        Named::Path(path) => {
            let span = runtime.reported_at(path.span());
            let p = runtime.private(span);
            let refer = Ident::new(if numbers.is_empty() { "refer" } else { "name" }, span);
            let refer = quote_spanned!(span=> #p::#refer(&#path));
            quote_spanned!(mixed()=> Path(|| #refer))
        }
    };
    let settings = if numbers.is_empty() {
        quote_spanned!(mixed()=> ::core::option::Option::None)
    } else {
        let settings = breaker_settings(runtime, numbers);
        quote_spanned!(mixed()=> ::core::option::Option::Some(#settings))
    };
    quote_spanned! {mixed()=>
        #p::BreakerSpec {
            breaker: #p::BreakerRef::#name,
            settings: #settings,
            scope: #p::Scope::#scope,
        }
    }
}

/// The numbers of a breaker. Those that do not go together stop the build there, with the place of
/// the settings.
pub fn breaker_settings(runtime: &Runtime<'_>, numbers: &BreakerNumbers) -> TokenStream {
    let p = runtime.private(mixed());
    let setters = setters(&numbers.settings, &p);
    let builder = quote_spanned!(mixed()=> #p::BreakerConfig::builder() #setters);
    let span = runtime.reported_at(numbers.settings.span);
    let at_place = runtime.private(span);
    let config = quote_spanned!(span=> #at_place::breaker_config(#builder));
    let max_keys = numbers.max_keys.map(|max_keys| quote_spanned!(mixed()=> .max_keys(#max_keys)));
    quote_spanned!(mixed()=> #p::BreakerSettings::new(#config) #max_keys)
}

fn setters(settings: &Settings, p: &TokenStream) -> TokenStream {
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
    quote!(#(#setters)*)
}
