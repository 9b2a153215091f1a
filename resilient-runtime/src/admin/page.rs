//! `GET /`: the page.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

const PAGE: &str = include_str!("page.html");

/// What stands in the page where its nonce belongs.
const PLACEHOLDER: &str = "{nonce}";

/// Only the page's own script and style run, which carry the nonce. Nothing is loaded from elsewhere,
/// no other site can show the page in a frame, and the script cannot turn text into HTML.
pub(super) async fn page() -> Response {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let policy = [(header::CONTENT_SECURITY_POLICY, policy)];
    (policy, Html(PAGE.replace(PLACEHOLDER, &nonce))).into_response()
}

/// Adds the headers that every response has.
pub(super) async fn protected(mut response: Response) -> Response {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_one_small_file_that_loads_nothing_else_and_writes_no_html() {
        assert!(PAGE.len() < 50_000, "{}", PAGE.len());
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "Function(",
            "http://",
            "https://",
            "src=",
            "@import",
            "url(",
            "onclick=\"",
            "onerror=\"",
            "localStorage",
            "sessionStorage",
            "cookie",
            "style=",
        ] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
        // One for the style, one for the script.
        assert_eq!(PAGE.matches(PLACEHOLDER).count(), 2);
        assert_eq!(PAGE.matches("<script").count(), 1);
    }
}
