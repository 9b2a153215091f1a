//! The names of the kinds of error. A test of the workspace holds them against those of the
//! runtime.

use proc_macro2::{Ident, Span};
use syn::LitStr;

use crate::errors::Errors;
use crate::suggest::{all_of, did_you_mean};
use resilient_config::spelling::misspelt;

/// The kinds that are retried.
pub const TRANSIENT: &[&str] = &[
    "connection_error",
    "connection_timeout",
    "rate_limit_error",
    "service_unavailable",
    "timeout_error",
    "search_timeout",
    "internal_error",
    "network_error",
];

/// The kinds that are not.
pub const LASTING: &[&str] = &[
    "invalid_request_error",
    "authentication_error",
    "not_found_error",
    "collection_not_found",
    "invalid_vector",
    "permission_denied",
    "circuit_open",
    DEADLINE_EXCEEDED,
    "unknown",
];

/// The kind of a call that its own deadline ended. It is not transient, but by default a breaker
/// may count it.
pub const DEADLINE_EXCEEDED: &str = "deadline_exceeded";

/// The variant of `ErrorKind` that is named.
pub fn read(name: &LitStr, errors: &mut Errors) -> Option<Ident> {
    let text = name.value();
    let known = all();
    if known.contains(&text.as_str()) {
        return Some(variant(&text, name.span()));
    }
    let hint = did_you_mean(&text, &known);
    errors.at(
        name,
        format_args!(
            "unknown kind of error `{text}`{hint}\nthese are retried, and by default count as \
             failures of a breaker: {}\nthese are not: {}",
            all_of(TRANSIENT),
            all_of(LASTING)
        ),
    );
    None
}

/// The kind that a word can only mean: its name, its variant, or a misspelling of them.
pub fn meant(word: &str) -> Option<&'static str> {
    misspelt(word, &all())
}

/// All of them.
pub fn all() -> Vec<&'static str> {
    [TRANSIENT, LASTING].concat()
}

/// `rate_limit_error` as the name of an enum's variant: `RateLimitError`.
pub fn variant(name: &str, span: Span) -> Ident {
    let camel: String = name
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect();
    Ident::new(&camel, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &str) -> String {
        let mut errors = Errors::default();
        assert!(read(&LitStr::new(name, Span::call_site()), &mut errors).is_none());
        let message = errors.finish().unwrap_err().to_string();
        message.lines().next().unwrap().to_owned()
    }

    #[test]
    fn a_kind_that_is_written_otherwise_is_recognized() {
        for (written, meant) in [
            ("RateLimit", "rate_limit_error"),
            ("InternalError", "internal_error"),
            ("conection_eror", "connection_error"),
            ("timeout", "timeout_error"),
            ("not_found", "not_found_error"),
        ] {
            assert!(hint(written).ends_with(&format!("; did you mean `{meant}`?")), "{written}");
        }
        for written in ["weather", "auto", "weather_error", "error", ""] {
            assert_eq!(hint(written), format!("unknown kind of error `{written}`"));
        }
    }

    #[test]
    fn a_kind_is_found_by_its_name_and_by_its_variant() {
        for kind in all() {
            assert_eq!(meant(kind), Some(kind));
            assert_eq!(meant(&variant(kind, Span::call_site()).to_string()), Some(kind));
        }
        assert_eq!(meant("Search"), None);
    }
}
