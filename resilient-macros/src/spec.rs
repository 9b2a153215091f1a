//! What the source says, as constants for the catalog: of each function, and of each
//! declaration. Nothing here can fail.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::config::{Breaker, BreakerSettings, Config, Named, Retry, Row, Rows, Setting, Settings};
use crate::expand::mixed;
use crate::values::Text;

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

/// The static that stands for the function in the program's catalog, and holds its policy once
/// it has run. It stands in a block of its own: names of statics are no secret, and a parameter of
/// the user's could have this one.
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
    let attempt_timeout = config.attempt_timeout.map(|timeout| {
        let timeout = duration(timeout);
        quote_spanned!(mixed()=> .attempt_timeout(#timeout))
    });
    let deadline = config.deadline.map(|deadline| {
        let deadline = duration(deadline);
        quote_spanned!(mixed()=> .deadline(#deadline))
    });
    let idempotent = config.runs_once.then(|| quote_spanned!(mixed()=> .idempotent(false)));
    let budget = config.budget.as_ref().map(|budget| {
        let budget = match budget {
            Text::Literal(name) => name.to_token_stream(),
            Text::Constant(path) => constant(&runtime, path, "name_in"),
        };
        quote_spanned!(mixed()=> .budget(#budget))
    });
    quote_spanned! {mixed()=>
        let __site = {
            #[#p::linkme::distributed_slice(#p::SITES)]
            #[linkme(crate = #p::linkme)]
            static __SITE: #p::CallSite = #p::CallSite::new(
                ::core::concat!(::core::module_path!(), "::", #name),
                #place,
            ) #retry #breaker #attempt_timeout #deadline #idempotent #budget;
            &__SITE
        };
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
        Rows::One { row: of, settings } => {
            let row = row(runtime, of, settings);
            quote_spanned!(mixed()=> #p::RetrySpec::Row(#row))
        }
    }
}

/// A row, and the numbers in the place of its own.
fn row(runtime: &Runtime<'_>, row: &Row, settings: &Settings) -> TokenStream {
    let p = runtime.private(mixed());
    let row = match row {
        Row::Default => quote_spanned!(mixed()=> #p::Row::Default),
        Row::Kind(kind) => quote_spanned!(mixed()=> #p::Row::Kind(#p::ErrorKind::#kind)),
        Row::Named(name) => quote_spanned!(mixed()=> #p::Row::Named(#name)),
        Row::Constant(path) => {
            let check = if settings.changes.is_empty() { "name_in" } else { "row_in" };
            let name = constant(runtime, path, check);
            quote_spanned!(mixed()=> #p::Row::Named(#name))
        }
    };
    let setters = setters(settings, &p);
    quote_spanned!(mixed()=> #row, #p::RetryChanges::NONE #setters)
}

/// The name in a constant, which the function `check` lets pass.
fn constant(runtime: &Runtime<'_>, path: &Path, check: &str) -> TokenStream {
    let span = runtime.reported_at(path.span());
    let (p, check) = (runtime.private(span), Ident::new(check, span));
    quote_spanned!(span=> #p::#check(#path))
}

/// The row that is declared, with its numbers.
pub fn declared_row(runtime: &Runtime<'_>, of: &Row, settings: &Settings) -> TokenStream {
    let (p, row) = (runtime.private(mixed()), row(runtime, of, settings));
    quote_spanned!(mixed()=> #p::declared_row(#row))
}

fn breaker_spec(runtime: &Runtime<'_>, breaker: &Breaker) -> TokenStream {
    let p = runtime.private(mixed());
    let Breaker { name, settings, scope } = breaker;
    let reference = match name {
        Named::Literal(name) => quote_spanned!(mixed()=> Name(#name)),
        Named::Keyed(template, _) => quote_spanned!(mixed()=> Keyed(#template)),
        Named::Path(path) => {
            let span = runtime.reported_at(path.span());
            let p = runtime.private(span);
            let (of, refer) =
                if settings.is_empty() { ("Refers", "refer") } else { ("Names", "name") };
            let (of, refer) = (Ident::new(of, span), Ident::new(refer, mixed()));
            // In a static, the compiler says of a constant breaker that it has to be a static one.
            let to = quote_spanned!(span=> &#path);
            quote_spanned! {mixed()=>
                Path(|| {
                    static __NAMED: &(dyn #p::#of + ::core::marker::Sync) = #to;
                    __NAMED.#refer()
                })
            }
        }
    };
    let settings = if settings.is_empty() {
        quote_spanned!(mixed()=> ::core::option::Option::None)
    } else {
        let settings = breaker_settings(runtime, name, settings);
        quote_spanned!(mixed()=> ::core::option::Option::Some(#settings))
    };
    quote_spanned! {mixed()=>
        #p::BreakerSpec {
            breaker: #p::BreakerRef::#reference,
            settings: #settings,
            scope: #p::Scope::#scope,
        }
    }
}

/// The settings of a breaker, or of those of a template. The rules of `config` have left nothing
/// that the builder would refuse; if one were missing, the build would stop there, with the place
/// of the settings.
pub fn breaker_settings(
    runtime: &Runtime<'_>,
    name: &Named,
    settings: &BreakerSettings,
) -> TokenStream {
    let p = runtime.private(mixed());
    let config = built(runtime, &settings.config, "BreakerConfig", "breaker_config");
    if !matches!(name, Named::Keyed(..)) {
        return quote_spanned!(mixed()=> #p::BreakerSettings::new(#config));
    }
    let max_keys = settings.max_keys.map_or_else(
        || quote_spanned!(mixed()=> ::core::option::Option::None),
        |max_keys| quote_spanned!(mixed()=> ::core::option::Option::Some(#max_keys)),
    );
    quote_spanned!(mixed()=> #p::BreakerSettings::keyed(#config, #max_keys))
}

/// The numbers of a budget. Those that do not go together stop the build there, with the place of
/// the braces.
pub fn budget_settings(runtime: &Runtime<'_>, settings: &Settings) -> TokenStream {
    built(runtime, settings, "BudgetConfig", "budget_config")
}

/// What the builder of `config` makes of the settings, by the constructor `make`.
fn built(runtime: &Runtime<'_>, settings: &Settings, config: &str, make: &str) -> TokenStream {
    let p = runtime.private(mixed());
    let setters = setters(settings, &p);
    let config = Ident::new(config, mixed());
    let builder = quote_spanned!(mixed()=> #p::#config::builder() #setters);
    let span = runtime.reported_at(settings.span);
    let (p, make) = (runtime.private(span), Ident::new(make, span));
    quote_spanned!(span=> #p::#make(#builder))
}

fn duration(of: Duration) -> TokenStream {
    let (seconds, nanos) = (of.as_secs(), of.subsec_nanos());
    quote_spanned!(mixed()=> ::core::time::Duration::new(#seconds, #nanos))
}

fn setters(settings: &Settings, p: &TokenStream) -> TokenStream {
    let setters = settings.changes.iter().map(|(key, setting)| {
        let value = match setting {
            Setting::Count(count) => count.into_token_stream(),
            Setting::Time(time) => duration(*time),
            Setting::Number(number) => number.into_token_stream(),
            Setting::Backoff(backoff) => quote_spanned!(mixed()=> #p::Backoff::#backoff),
            Setting::Kinds(kinds) => quote_spanned!(mixed()=> &[#(#p::ErrorKind::#kinds),*]),
        };
        // The key is the setter's name, but not its place: the editor would offer the setter.
        let setter = Ident::new(&key.to_string(), mixed());
        quote_spanned!(mixed()=> .#setter(#value))
    });
    quote!(#(#setters)*)
}
