//! The names of the kinds of error. A test of the workspace holds them against those of the
//! runtime.

use proc_macro2::{Ident, Span};

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
    "unknown",
];

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
