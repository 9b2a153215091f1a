//! Whether a request comes from the page itself.

use axum::http::header::{AsHeaderName, HOST, HeaderMap, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::error::AdminConfigError;

/// An origin: `https://ops.example.com`. In lower case, and without the default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin(String);

impl Origin {
    pub(super) fn new(text: &str) -> Result<Self, AdminConfigError> {
        Self::parse(text).ok_or_else(|| AdminConfigError::NotAnOrigin { origin: text.to_owned() })
    }

    /// `None` for anything else, such as `null`, which sandboxed pages send.
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, host) = text.split_once("://")?;
        let default_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(allowed) {
            return None;
        }
        let host = host.strip_suffix(default_port).unwrap_or(host);
        Some(Self(format!("{scheme}://{host}")))
    }

    /// Returns whether the page of this origin is served by this host, by the same scheme.
    fn is_of_host(&self, host: &str) -> bool {
        let Some((scheme, _)) = self.0.split_once("://") else { return false };
        Self::parse(&format!("{scheme}://{host}")).as_ref() == Some(self)
    }
}

/// Returns whether the request comes from the page, or from a program that is no browser. A browser
/// adds `Origin` to each request that a page sends by `POST` or to another origin, and a page cannot
/// change it.
///
/// Without `allowed` origins, the origin must be the host that the request is sent to.
pub(super) fn is_own(parts: &Parts, allowed: &[Origin]) -> bool {
    let headers = &parts.headers;
    if let Some(site) = headers.get("sec-fetch-site")
        && site != "same-origin"
        && site != "none"
    {
        return false;
    }
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let Some(origin) = only(headers, ORIGIN).and_then(Origin::parse) else { return false };
    if !allowed.is_empty() {
        return allowed.contains(&origin);
    }
    // HTTP/2 has the host in the URI.
    let host = parts.uri.authority().map(Authority::as_str);
    host.or_else(|| only(headers, HOST)).is_some_and(|host| origin.is_of_host(host))
}

/// Returns the value of a header that occurs once.
fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn is_own_with(headers: &[(&str, &str)], allowed: &[&str]) -> bool {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let allowed: Vec<_> = allowed.iter().map(|it| Origin::new(it).unwrap()).collect();
        is_own(&request.body(()).unwrap().into_parts().0, &allowed)
    }

    #[test]
    fn the_origin_must_be_the_host() {
        for (origin, host, expected) in [
            ("http://ops.example.com", "ops.example.com", true),
            ("http://OPS.example.com:80", "ops.example.com", true),
            ("https://ops.example.com", "ops.example.com:443", true),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://127.0.0.1:8081", "127.0.0.1:8080", false),
            ("http://ops.example.com.evil.com", "ops.example.com", false),
            ("http://evil.com", "ops.example.com", false),
            ("null", "ops.example.com", false),
            ("file://", "", false),
            ("http://a@ops.example.com", "ops.example.com", false),
        ] {
            let headers = [("origin", origin), ("host", host)];
            assert_eq!(is_own_with(&headers, &[]), expected, "{origin} {host}");
        }
        assert!(!is_own_with(&[("origin", "http://a.com")], &[]), "without a host");
        let twice = [("origin", "http://a.com"), ("origin", "http://b.com"), ("host", "a.com")];
        assert!(!is_own_with(&twice, &[]));
    }

    #[test]
    fn allowed_origins_replace_the_host() {
        let allowed = ["https://ops.example.com"];
        let behind_a_proxy = [("origin", "https://ops.example.com"), ("host", "10.0.0.7:8080")];
        assert!(is_own_with(&behind_a_proxy, &allowed));
        assert!(!is_own_with(&[("origin", "http://10.0.0.7"), ("host", "10.0.0.7")], &allowed));
    }

    #[test]
    fn a_browser_says_that_another_site_sends_the_request() {
        for (site, expected) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)]
        {
            assert_eq!(is_own_with(&[("sec-fetch-site", site)], &[]), expected, "{site}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in ["", "ops.example.com", "https://", "https://a.com/", "ftp://a.com", "null"] {
            assert!(Origin::new(text).is_err(), "{text}");
        }
    }
}
