//! `Classify` for the errors of `reqwest`.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::Error as RequestError;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::ErrorKind;
use crate::error::classification::Classification;
use crate::error::classify::Classify;
use crate::error::hint;
use crate::error::sources::sources;

/// By the cause that reqwest gives. An error of
/// [`error_for_status`](reqwest::Response::error_for_status) is classified by its status. The error
/// does not contain the answer's `retry-after`: see [`retry_after`](crate::retry_after).
impl Classify for RequestError {
    fn kind(&self) -> ErrorKind {
        classify(self).kind
    }

    fn maybe_executed(&self) -> bool {
        classify(self).maybe_executed
    }
}

/// Reads the wait that the header `retry-after` of an answer asks for: a number of seconds, with or
/// without a fraction, or a date. A date in the past is a wait of zero. Returns `None` if the
/// header is missing or has another value.
///
/// A [`reqwest::Error`] does not contain the answer. Keep the wait in an error of your own:
///
/// ```
/// use std::time::Duration;
/// use reqwest::StatusCode;
/// use resilient_runtime::{Classify, resilient, retry_after};
///
/// #[derive(Debug, thiserror::Error, Classify)]
/// enum EmbedError {
///     #[error(transparent)]
///     #[classify(transparent)]
///     Request(#[from] reqwest::Error),
///     #[error("the model is busy")]
///     #[classify(kind = "rate_limit_error", retry_after = wait, maybe_executed = false)]
///     Busy { wait: Option<Duration> },
/// }
///
/// #[resilient(retry = "rate_limit_error")]
/// async fn embed(client: &reqwest::Client, text: String) -> Result<String, EmbedError> {
///     let response = client.post("http://localhost:8080/embed").body(text).send().await?;
///     if response.status() == StatusCode::TOO_MANY_REQUESTS {
///         return Err(EmbedError::Busy { wait: retry_after(response.headers()) });
///     }
///     Ok(response.error_for_status()?.text().await?)
/// }
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    hint::retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

pub(crate) fn classify(error: &RequestError) -> Classification {
    // A timeout while connecting is both of these.
    if error.is_connect() {
        return Classification::not_executed(if error.is_timeout() {
            ErrorKind::ConnectionTimeout
        } else {
            ErrorKind::ConnectionError
        });
    }
    if error.is_timeout() {
        return Classification::ambiguous(ErrorKind::TimeoutError);
    }
    if let Some(status) = error.status() {
        return match status.as_u16() {
            // The server itself answers here, so the resource does not exist.
            404 | 410 => Classification::not_executed(ErrorKind::NotFoundError),
            number => Classification::of_http_status(number),
        };
    }
    if error.is_builder() {
        return Classification::not_executed(ErrorKind::InvalidRequestError);
    }
    if error.is_redirect() {
        return Classification::ambiguous(ErrorKind::InvalidRequestError);
    }
    // The answer arrived, and is invalid.
    if error.is_decode() && !ends_too_early(error) {
        return Classification::ambiguous(ErrorKind::InternalError);
    }
    Classification::ambiguous(ErrorKind::NetworkError)
}

fn ends_too_early(error: &RequestError) -> bool {
    let of = |error: &(dyn Error + 'static)| {
        let io = error.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
    };
    sources(error).any(of)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::{Client, Response};
    use resilient_testkit::{EmbeddedQdrant, RawPeer};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    /// Sends a request without the proxies of the environment.
    async fn get(url: &str) -> Result<Response, RequestError> {
        let client = Client::builder().no_proxy().connect_timeout(SHORT * 4).build()?;
        client.get(url).timeout(SHORT * 8).send().await
    }

    async fn answered(answer: &str) -> Response {
        let peer = RawPeer::saying(answer).await.unwrap();
        get(&peer.url()).await.unwrap()
    }

    fn answers(error: &RequestError) -> (ErrorKind, Option<Duration>, bool) {
        (error.kind(), error.retry_after(), error.maybe_executed())
    }

    #[tokio::test]
    async fn an_url_that_is_none_is_an_invalid_request() {
        let error = get("no url").await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::InvalidRequestError, None, false));
    }

    #[tokio::test]
    async fn a_refused_connection_is_a_connection_error() {
        let server = EmbeddedQdrant::start().await.unwrap();
        server.connections().refuse();
        let error = get(&server.url()).await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::ConnectionError, None, false));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(error);
        assert_eq!(boxed.kind(), ErrorKind::ConnectionError);
    }

    #[tokio::test]
    async fn a_connection_that_is_not_made_in_time_is_a_connection_timeout() {
        let peer = RawPeer::full().await.unwrap();
        let error = get(&peer.url()).await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::ConnectionTimeout, None, false));
    }

    #[tokio::test]
    async fn a_request_that_is_not_answered_in_time_is_a_timeout() {
        let server = EmbeddedQdrant::start().await.unwrap();
        server.connections().stall();
        let error = get(&server.url()).await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::TimeoutError, None, true));
    }

    #[tokio::test]
    async fn an_error_for_a_status_is_that_of_the_status() {
        let response =
            answered("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
        let error = response.error_for_status().unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::ServiceUnavailable, None, true));
    }

    #[tokio::test]
    async fn what_will_not_be_there_later_is_not_transient() {
        for (line, kind, maybe_executed) in [
            ("404 Not Found", ErrorKind::NotFoundError, false),
            ("410 Gone", ErrorKind::NotFoundError, false),
            ("501 Not Implemented", ErrorKind::InvalidRequestError, false),
            ("505 HTTP Version Not Supported", ErrorKind::InvalidRequestError, false),
        ] {
            let response = answered(&format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n")).await;
            let error = response.error_for_status().unwrap_err();
            assert_eq!(answers(&error), (kind, None, maybe_executed), "{line}");
            assert!(!error.kind().is_transient());
        }
    }

    #[tokio::test]
    async fn a_port_that_is_none_is_an_invalid_request() {
        for url in ["http://127.0.0.1:99999/", "http://127.0.0.1:port/"] {
            let error = get(url).await.unwrap_err();
            assert_eq!(answers(&error), (ErrorKind::InvalidRequestError, None, false), "{url}");
        }
    }

    #[tokio::test]
    async fn the_hint_of_an_answer_is_in_its_headers() {
        for (hint, expected) in [
            ("7", Some(Duration::from_secs(7))),
            ("0.5", Some(Duration::from_millis(500))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::ZERO)),
            ("soon", None),
        ] {
            let answer = format!(
                "HTTP/1.1 429 Too Many Requests\r\nretry-after: {hint}\r\n\
                 content-length: 0\r\n\r\n"
            );
            assert_eq!(retry_after(answered(&answer).await.headers()), expected, "{hint}");
        }
        let without = answered("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(retry_after(without.headers()), None);
    }

    #[tokio::test]
    async fn an_answer_that_ends_too_early_is_a_network_error() {
        let response = answered("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
        let error = response.text().await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::NetworkError, None, true));
    }

    #[tokio::test]
    async fn an_answer_that_makes_no_sense_is_an_internal_error() {
        let response =
            answered("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno\r\n").await;
        let error = response.text().await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::InternalError, None, true));
    }

    #[tokio::test]
    async fn a_connection_that_closes_without_an_answer_is_a_network_error() {
        let peer = RawPeer::saying("").await.unwrap();
        let error = get(&peer.url()).await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::NetworkError, None, true));
    }

    #[tokio::test]
    async fn a_redirection_in_a_circle_is_an_invalid_request() {
        let peer = RawPeer::saying(
            "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
        let error = get(&peer.await.unwrap().url()).await.unwrap_err();
        assert_eq!(answers(&error), (ErrorKind::InvalidRequestError, None, true));
    }
}
