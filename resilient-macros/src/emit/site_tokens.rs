//! The constants that the catalog holds for each function and each declaration.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::config::{
    Breaker, BreakerSettings, BreakerSource, Config, Retry, RetrySpec, RowRef, SettingValue,
    Settings,
};
use crate::hygiene::{Runtime, mixed};
use crate::parse::kinds::Kind;
use crate::parse::values::{Given, Text};

/// Writes the static that the program's catalog holds for the function. It is in a block of its
/// own: names of statics are not hygienic, and a parameter of the user's could have this one.
pub fn of_function(config: &Config, function: &Ident, within: Option<&str>) -> TokenStream {
    let name = name(function, within);
    // The function's place: many methods may share the place of the attribute.
    let place = place(function.span());
    let new = quote_spanned! {mixed()=>
        new(::core::concat!(::core::module_path!(), "::", #name), #place)
    };
    site(config, &new)
}

/// [`of_function`] for a call that is guarded by itself. Its name is that of the function around it,
/// which only the compiler knows.
pub fn of_call(config: &Config, call: Span) -> TokenStream {
    let p = Runtime(config.runtime.as_ref()).private(mixed());
    let place = place(call);
    let new = quote_spanned! {mixed()=>
        of_call(
            {
                fn __here() -> &'static str {
                    #p::function_around(__here)
                }
                __here
            },
            #place,
        )
    };
    site(config, &new)
}

/// Writes the static, made by the constructor `new`. Names of statics are not hygienic, and the
/// constants that the user names are resolved in it, so its own name is one that users do not write.
fn site(config: &Config, new: &TokenStream) -> TokenStream {
    let runtime = Runtime(config.runtime.as_ref());
    let p = runtime.private(mixed());
    let retry = config.retry.as_ref().map(|retry| {
        let retry = retry_spec(&runtime, retry);
        quote_spanned!(mixed()=> .retry(#retry))
    });
    let breaker = config.breaker.as_ref().map(|breaker| {
        let breaker = breaker_spec(&runtime, breaker);
        quote_spanned!(mixed()=> .breaker(#breaker))
    });
    let attempt_timeout = config.attempt_timeout.as_ref().map(|timeout| {
        let timeout = limit(&runtime, timeout, "AttemptTimeout");
        quote_spanned!(mixed()=> .attempt_timeout(#timeout))
    });
    let deadline = config.deadline.as_ref().map(|deadline| {
        let deadline = limit(&runtime, deadline, "Deadline");
        quote_spanned!(mixed()=> .deadline(#deadline))
    });
    let idempotent =
        config.idempotent.map(|idempotent| quote_spanned!(mixed()=> .idempotent(#idempotent)));
    let budget = config.budget.as_ref().map(|budget| {
        let budget = match budget {
            Text::Literal(name) => name.to_token_stream(),
            Text::Constant(path) => constant(&runtime, path, "name_in"),
        };
        quote_spanned!(mixed()=> .budget(#budget))
    });
    let durations =
        config.durations.map(|durations| quote_spanned!(mixed()=> .durations(#durations)));
    let site = quote_spanned! {mixed()=>
        #p::CallSite::#new #retry #breaker #attempt_timeout #deadline #idempotent #budget #durations
    };
    let site = config
        .deferred
        .iter()
        .fold(site, |site, deferred| checked_by(&runtime, deferred.rule, deferred.place, &site));
    quote_spanned! {mixed()=>
        let __site = {
            #[#p::linkme::distributed_slice(#p::SITES)]
            #[linkme(crate = #p::linkme)]
            static __RESILIENT_SITE: #p::CallSite = #site;
            &__RESILIENT_SITE
        };
    }
}

/// Passes a value through the function that checks a rule. An error is reported at this place.
fn checked_by(runtime: &Runtime<'_>, rule: &str, place: Span, value: &TokenStream) -> TokenStream {
    let span = runtime.reported_at(place);
    let (p, rule) = (runtime.private(span), Ident::new(rule, span));
    quote_spanned!(span=> #p::#rule(#value))
}

/// Returns the name by which events and the catalog know a function in its module.
pub fn name(function: &Ident, within: Option<&str>) -> String {
    let name = function.unraw();
    within.map_or_else(|| name.to_string(), |within| format!("{within}::{name}"))
}

/// Writes the file and the line of a span.
pub fn place(of: Span) -> TokenStream {
    quote_spanned!(of=> ::core::file!(), ::core::line!())
}

fn retry_spec(runtime: &Runtime<'_>, retry: &Retry) -> TokenStream {
    let p = runtime.private(mixed());
    match &retry.rows {
        RetrySpec::ByKind => quote_spanned!(mixed()=> #p::RetrySpec::ByKind),
        RetrySpec::Row { row: of, settings } => {
            let row = row(runtime, of, settings);
            quote_spanned!(mixed()=> #p::RetrySpec::Row(#row))
        }
    }
}

/// Writes a row, and the numbers that replace its own.
fn row(runtime: &Runtime<'_>, row: &RowRef, settings: &Settings) -> TokenStream {
    let p = runtime.private(mixed());
    let row = match row {
        RowRef::Default => quote_spanned!(mixed()=> #p::RowRef::Default),
        RowRef::Kind(kind) => {
            let kind = kind.variant();
            quote_spanned!(mixed()=> #p::RowRef::Kind(#p::ErrorKind::#kind))
        }
        RowRef::Named(name) => quote_spanned!(mixed()=> #p::RowRef::Named(#name)),
        RowRef::Constant(path) => {
            let check = if settings.changes.is_empty() { "name_in" } else { "row_in" };
            let name = constant(runtime, path, check);
            quote_spanned!(mixed()=> #p::RowRef::Named(#name))
        }
    };
    let setters = setters(runtime, settings, "ROW_KEYS");
    let changes = quote_spanned!(mixed()=> #p::RetryChanges::NONE #setters);
    let changes = match (settings.time("base_delay"), settings.time("max_delay")) {
        (Some((_, base_delay)), Some((key, max_delay)))
            if [base_delay, max_delay].iter().any(|delay| delay.constant().is_some()) =>
        {
            checked_by(runtime, "max_delay_over_base_delay", key.span(), &changes)
        }
        _ => changes,
    };
    quote_spanned!(mixed()=> #row, #changes)
}

/// Writes the name in a constant, checked by the function `check`.
fn constant(runtime: &Runtime<'_>, path: &Path, check: &str) -> TokenStream {
    let span = runtime.reported_at(path.span());
    let (p, check) = (runtime.private(span), Ident::new(check, span));
    quote_spanned!(span=> #p::#check(#path))
}

/// Writes a declared row with its numbers.
pub fn declared_row(runtime: &Runtime<'_>, of: &RowRef, settings: &Settings) -> TokenStream {
    let (p, row) = (runtime.private(mixed()), row(runtime, of, settings));
    quote_spanned!(mixed()=> #p::declared_row(#row))
}

fn breaker_spec(runtime: &Runtime<'_>, breaker: &Breaker) -> TokenStream {
    let p = runtime.private(mixed());
    let Breaker { name, settings, scope } = breaker;
    let reference = match name {
        BreakerSource::Literal(name) => quote_spanned!(mixed()=> Name(#name)),
        BreakerSource::Keyed(template, _) => quote_spanned!(mixed()=> Keyed(#template)),
        BreakerSource::Path(path) => {
            let span = runtime.reported_at(path.span());
            let p = runtime.private(span);
            // A static breaker has its own settings: beside settings, only a name is accepted.
            let resolves =
                if settings.is_empty() { "ResolveBreaker" } else { "ResolveBreakerName" };
            let resolves = Ident::new(resolves, span);
            // The static makes the compiler reject a constant breaker.
            let to = quote_spanned!(span=> &#path);
            quote_spanned! {mixed()=>
                Path(|| {
                    static __RESILIENT_NAMED: &(dyn #p::#resolves + ::core::marker::Sync) = #to;
                    #p::#resolves::resolve(__RESILIENT_NAMED)
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
            source: #p::BreakerSource::#reference,
            settings: #settings,
            scope: #p::Scope::#scope,
        }
    }
}

/// Writes the settings of a breaker, or of all breakers of a template. The builder accepts what
/// `config` has accepted. If it did not, the compiler would report that at the settings.
pub fn breaker_settings(
    runtime: &Runtime<'_>,
    name: &BreakerSource,
    settings: &BreakerSettings,
) -> TokenStream {
    let p = runtime.private(mixed());
    let made = ("BreakerConfig", "breaker_config", "BREAKER_KEYS");
    let config = built(runtime, &settings.config, made);
    if !matches!(name, BreakerSource::Keyed(..)) {
        return quote_spanned!(mixed()=> #p::BreakerSettings::new(#config));
    }
    let max_keys = settings.max_keys.as_ref().map_or_else(
        || quote_spanned!(mixed()=> ::core::option::Option::None),
        |max_keys| {
            let max_keys = match max_keys {
                Given::Literal(max_keys) => max_keys.to_token_stream(),
                Given::Constant(path) => {
                    let none = TokenStream::new();
                    constant_value(runtime, path, "whole_number_in", "max_keys", &none)
                }
            };
            quote_spanned!(mixed()=> ::core::option::Option::Some(#max_keys))
        },
    );
    quote_spanned!(mixed()=> #p::BreakerSettings::keyed(#config, #max_keys))
}

/// Writes the settings of a budget.
pub fn budget_settings(runtime: &Runtime<'_>, settings: &Settings) -> TokenStream {
    built(runtime, settings, ("BudgetConfig", "budget_config", "BUDGET_KEYS"))
}

/// Writes the builder of `config` with the settings, built by the function `make`.
fn built(
    runtime: &Runtime<'_>,
    settings: &Settings,
    (config, make, keys): (&str, &str, &str),
) -> TokenStream {
    let p = runtime.private(mixed());
    let config = Ident::new(config, mixed());
    let mut builder = quote_spanned!(mixed()=> #p::#config::builder());
    if let Some(SettingValue::Window(path)) = settings.get("window") {
        let keys = Ident::new(keys, mixed());
        let args = quote_spanned!(mixed()=> #builder, &#p::#keys, "window");
        builder = constant_value(runtime, path, "window_in", "set", &args);
    }
    let setters = setters(runtime, settings, keys);
    let builder = quote_spanned!(mixed()=> #builder #setters);
    checked_by(runtime, make, settings.span, &builder)
}

/// Writes `attempt_timeout` or `deadline`. If it is 0, that is this error.
fn limit(runtime: &Runtime<'_>, limit: &Given<Duration>, error: &str) -> TokenStream {
    match limit {
        Given::Literal(limit) => duration(*limit),
        Given::Constant(path) => {
            let (p, error) = (runtime.private(mixed()), Ident::new(error, mixed()));
            let error = quote_spanned!(mixed()=> #p::ConfigError::#error);
            constant_value(runtime, path, "time_in", "above_zero", &error)
        }
    }
}

fn duration(of: Duration) -> TokenStream {
    let (seconds, nanos) = (of.as_secs(), of.subsec_nanos());
    quote_spanned!(mixed()=> ::core::time::Duration::new(#seconds, #nanos))
}

fn setters(runtime: &Runtime<'_>, settings: &Settings, keys: &str) -> TokenStream {
    let p = runtime.private(mixed());
    let setters = settings.changes.iter().filter_map(|change| {
        let setter = match change.value {
            SettingValue::Count(_) if change.key == "window" => "window_calls".to_owned(),
            SettingValue::Time(_) if change.key == "window" => "window_time".to_owned(),
            _ => change.key.to_string(),
        };
        let constant = |path, function| {
            let (keys, name) = (Ident::new(keys, mixed()), change.key.to_string());
            let args = quote_spanned!(mixed()=> &#p::#keys, #name);
            constant_value(runtime, path, function, "checked", &args)
        };
        let value = match &change.value {
            SettingValue::Count(Given::Literal(count)) => count.into_token_stream(),
            SettingValue::Count(Given::Constant(path)) => constant(path, "whole_number_in"),
            SettingValue::Time(Given::Literal(time)) => duration(*time),
            SettingValue::Time(Given::Constant(path)) => constant(path, "time_in"),
            SettingValue::Number(Given::Literal(number)) => number.into_token_stream(),
            SettingValue::Number(Given::Constant(path)) => constant(path, "number_in"),
            // The type of the constant decides on the setter.
            SettingValue::Window(_) => return None,
            SettingValue::Backoff(backoff, span) => {
                let backoff = Ident::new(&format!("{backoff:?}"), *span);
                quote_spanned!(mixed()=> #p::Backoff::#backoff)
            }
            SettingValue::Kinds(kinds) => {
                let kinds = kinds.iter().map(Kind::variant);
                quote_spanned!(mixed()=> &[#(#p::ErrorKind::#kinds),*])
            }
        };
        // Not at the place of the key: there, the editor would offer the setter.
        let setter = Ident::new(&setter, mixed());
        Some(quote_spanned!(mixed()=> .#setter(#value)))
    });
    quote!(#(#setters)*)
}

/// Writes the value of a constant: `function` takes it, and `method` of the result checks it. An error
/// is reported at the constant.
fn constant_value(
    runtime: &Runtime<'_>,
    path: &Path,
    function: &str,
    method: &str,
    args: &TokenStream,
) -> TokenStream {
    // From the first to the last: an error of the method underlines the whole path.
    let [first, last] = [path.segments.first(), path.segments.last()]
        .map(|segment| runtime.reported_at(segment.map_or_else(|| path.span(), Spanned::span)));
    let (p, function, method) =
        (runtime.private(first), Ident::new(function, first), Ident::new(method, last));
    let taken = quote_spanned!(first=> #p::#function(#path));
    quote_spanned!(last=> #taken.#method(#args))
}
