//! Statuses that the client, the transport or a proxy made, and not the server.

use std::error::Error;
use std::io;

use tonic::transport::Uri;
use tonic::{Code, ConnectError, Status, TimeoutExpired};

use super::messages;
use crate::ErrorKind;
use crate::error::Classify;
use crate::error::classification::Classification;
use crate::error::sources::sources;

/// Classifies a status by its source. A status with a source was made by the transport.
pub(super) fn of_source(source: &(dyn Error + 'static)) -> Classification {
    if find::<TimeoutExpired>(source).is_some() {
        return Classification::ambiguous(ErrorKind::TimeoutError);
    }
    if let Some(connect) = find::<ConnectError>(source) {
        return Classification::not_executed(of_connect(connect));
    }
    if was_not_sent(source) || was_refused(source) {
        return Classification::not_executed(ErrorKind::NetworkError);
    }
    let is_of_connection =
        |error: &&io::Error| Classify::kind(*error) == ErrorKind::ConnectionError;
    let Some(error) = find::<io::Error>(source).filter(is_of_connection) else {
        return Classification::ambiguous(ErrorKind::NetworkError);
    };
    Classification::new(ErrorKind::ConnectionError).with_maybe_executed(error.maybe_executed())
}

/// Returns why a channel of the pool could not connect again.
fn of_connect(connect: &ConnectError) -> ErrorKind {
    match find::<io::Error>(connect).map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => ErrorKind::ConnectionTimeout,
        // The text is the same as that of a new channel.
        _ => messages::of_pool(&format!("{connect:?}")).kind,
    }
}

/// Returns whether the connection was lost before the request was written to it. hyper calls such a
/// request canceled.
fn was_not_sent(source: &(dyn Error + 'static)) -> bool {
    find::<hyper::Error>(source).is_some_and(hyper::Error::is_canceled)
}

/// Returns whether the server reset the stream before it began to work on the request (RFC 9113,
/// 8.7). A reset after the headers of an answer does not prove that. tonic wraps an error in its
/// own type only before the headers.
fn was_refused(source: &(dyn Error + 'static)) -> bool {
    let refused = |error: &h2::Error| {
        error.reason() == Some(h2::Reason::REFUSED_STREAM) && !error.is_go_away()
    };
    find::<h2::Error>(source).is_some_and(refused)
        && find::<tonic::transport::Error>(source).is_some()
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    sources(error).find_map(|error| error.downcast_ref())
}

/// Classifies a status that the client made because it could not connect. It has no metadata,
/// unlike a status of a server.
///
/// The client itself repeats a failed call of the points service. If the second try cannot connect,
/// its error hides that of the first one, which may have been executed.
pub(super) fn of_client_message(status: &Status) -> Option<Classification> {
    if !status.metadata().is_empty() || status.code() != Code::Internal {
        return None;
    }
    if status.message().starts_with(messages::NO_TLS) {
        return Some(Classification::ambiguous(ErrorKind::InvalidRequestError));
    }
    let said = status.message().strip_prefix(messages::FAILED_TO_CONNECT)?;
    let (uri, reason) = said.split_once(messages::REASON)?;
    if has_no_such_port(uri) {
        return Some(Classification::not_executed(ErrorKind::InvalidRequestError));
    }
    Some(messages::of_pool(reason))
}

/// Returns whether the port of `uri` is invalid, such as 99999. The client's connector then uses
/// the default port of the scheme, where another service may listen.
fn has_no_such_port(uri: &str) -> bool {
    let Some(uri) = uri.parse::<Uri>().ok().filter(|uri| uri.port_u16().is_none()) else {
        return false;
    };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    // User information contains colons too, as does an IPv6 address in its brackets.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.ends_with(']'))
}

/// Classifies an answer that is not gRPC, such as one of a proxy, by its HTTP status.
pub(super) fn of_http_status(status: &Status) -> Option<Classification> {
    let message = status.message();
    let number = message.strip_prefix(messages::MAPPED_FROM_HTTP).or_else(|| {
        let page = message.starts_with(messages::NOT_A_MESSAGE);
        page.then(|| message.split_once(messages::WITH_STATUS))?.map(|(_, number)| number)
    })?;
    number.get(..3)?.parse().ok().map(Classification::of_http_status)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use tonic::metadata::MetadataMap;

    use super::messages::{MAPPED_FROM_HTTP, NOT_A_MESSAGE, WITH_STATUS};
    use super::*;

    fn classification(status: &Status) -> (ErrorKind, bool) {
        (status.kind(), Classify::maybe_executed(status))
    }

    fn with_source(code: Code, source: impl Error + Send + Sync + 'static) -> Status {
        let mut status = Status::new(code, "transport error");
        status.set_source(Arc::new(source));
        status
    }

    #[test]
    fn the_clients_own_timeout_is_no_cancellation() {
        let status = with_source(Code::Cancelled, TimeoutExpired(()));
        assert_eq!(classification(&status), (ErrorKind::TimeoutError, true));
    }

    #[test]
    fn a_connection_that_is_refused_was_surely_not_used() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let status = with_source(Code::Unavailable, ConnectError(Box::new(refused)));
        assert_eq!(classification(&status), (ErrorKind::ConnectionError, false));
    }

    #[test]
    fn a_connection_that_times_out_is_told_from_a_request_that_does() {
        let timed_out = io::Error::from(io::ErrorKind::TimedOut);
        let status = with_source(Code::Unavailable, ConnectError(Box::new(timed_out)));
        assert_eq!(classification(&status), (ErrorKind::ConnectionTimeout, false));
    }

    #[test]
    fn a_pooled_channel_tells_a_bad_certificate_from_a_connection_that_fails() {
        let failed = |reason: &'static str| {
            let tls = io::Error::new(io::ErrorKind::InvalidData, Rustls(reason));
            classification(&with_source(Code::Unavailable, ConnectError(Box::new(tls))))
        };
        let bad = failed("InvalidCertificate(Expired)");
        assert_eq!(bad, (ErrorKind::AuthenticationError, false));
        let plain = failed("InvalidMessage(InvalidContentType)");
        assert_eq!(plain, (ErrorKind::InvalidRequestError, false));
        assert_eq!(failed("AlertReceived(InternalError)"), (ErrorKind::ConnectionError, false));
    }

    /// An error that is printed as rustls prints its own.
    #[derive(thiserror::Error)]
    #[error("the handshake failed")]
    struct Rustls(&'static str);

    impl std::fmt::Debug for Rustls {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str(self.0)
        }
    }

    #[tokio::test]
    async fn a_request_that_was_never_written_was_not_executed() {
        let status = Status::from_error(Box::new(canceled().await));
        assert_eq!((status.code(), status.message()), (Code::Cancelled, "operation was canceled"));
        assert_eq!(classification(&status), (ErrorKind::NetworkError, false));
    }

    /// What hyper says of a request whose connection ends before it is written.
    async fn canceled() -> hyper::Error {
        let handshake = hyper::client::conn::http2::handshake(NoTasks, NoPeer);
        let (mut sender, connection) = handshake.await.unwrap();
        drop(connection);
        let request = hyper::Request::new(tonic::body::Body::empty());
        sender.send_request(request).await.unwrap_err()
    }

    #[derive(Clone)]
    struct NoTasks;

    impl<F> hyper::rt::Executor<F> for NoTasks {
        fn execute(&self, _: F) {}
    }

    /// A connection that takes everything and gives nothing.
    struct NoPeer;

    impl hyper::rt::Read for NoPeer {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: hyper::rt::ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl hyper::rt::Write for NoPeer {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_stream_that_is_refused_after_its_answer_began_may_have_been_executed() {
        let refused = h2::Error::from(h2::Reason::REFUSED_STREAM);
        let status = with_source(Code::Unavailable, refused);
        assert_eq!(classification(&status), (ErrorKind::NetworkError, true));
    }

    #[test]
    fn a_connection_that_breaks_may_have_carried_the_request() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let status = with_source(Code::Unknown, reset);
        assert_eq!(classification(&status), (ErrorKind::NetworkError, true));
    }

    #[test]
    fn a_host_that_is_gone_may_have_had_the_request() {
        for kind in [
            io::ErrorKind::HostUnreachable,
            io::ErrorKind::NetworkUnreachable,
            io::ErrorKind::NetworkDown,
            io::ErrorKind::NotConnected,
        ] {
            let gone = || io::Error::from(kind);
            let status = with_source(Code::Unknown, gone());
            assert_eq!(classification(&status), (ErrorKind::ConnectionError, true), "{kind:?}");
            // No connection was made, so that none was there to end.
            let status = with_source(Code::Unavailable, ConnectError(Box::new(gone())));
            assert_eq!(classification(&status), (ErrorKind::ConnectionError, false), "{kind:?}");
        }
    }

    #[test]
    fn a_port_that_is_none_will_be_none_again() {
        for (url, expected) in [
            ("http://127.0.0.1:99999/", (ErrorKind::InvalidRequestError, false)),
            ("http://127.0.0.1:99999/prefix", (ErrorKind::InvalidRequestError, false)),
            ("http://localhost:port/", (ErrorKind::InvalidRequestError, false)),
            ("http://[::1]:99999/", (ErrorKind::InvalidRequestError, false)),
            ("http://127.0.0.1:6334/", (ErrorKind::ConnectionError, true)),
            ("http://127.0.0.1:/", (ErrorKind::ConnectionError, true)),
            ("http://localhost/", (ErrorKind::ConnectionError, true)),
            ("http://[::1]/", (ErrorKind::ConnectionError, true)),
            ("http://name:word@localhost/", (ErrorKind::ConnectionError, true)),
            ("http://name:word@localhost:99999/", (ErrorKind::InvalidRequestError, false)),
        ] {
            let message = format!("Failed to connect to {url}: ConnectionRefused");
            assert_eq!(classification(&Status::internal(message)), expected, "{url}");
        }
    }

    #[test]
    fn a_source_overrides_whatever_code_the_transport_chose() {
        let stream = std::fmt::Error;
        let status = with_source(Code::PermissionDenied, stream);
        assert_eq!(classification(&status), (ErrorKind::NetworkError, true));
    }

    #[test]
    fn a_new_channel_that_cannot_connect_says_why() {
        for (reason, kind) in [
            ("ConnectError(\"tcp connect error\", ConnectionRefused)", ErrorKind::ConnectionError),
            ("kind: TimedOut, error: Elapsed(())", ErrorKind::ConnectionTimeout),
            ("InvalidMessage(InvalidContentType)", ErrorKind::InvalidRequestError),
            ("InvalidCertificate(UnknownIssuer)", ErrorKind::AuthenticationError),
            ("dns error", ErrorKind::ConnectionError),
            ("H2NotNegotiated", ErrorKind::InvalidRequestError),
        ] {
            let message = format!("Failed to connect to http://127.0.0.1:6334/: {reason}");
            assert_eq!(classification(&Status::internal(message)), (kind, true), "{reason}");
        }
    }

    #[test]
    fn an_url_without_scheme_was_never_any_good() {
        let reason = "ConnectError(\"invalid URL, scheme is missing\")";
        let status = Status::internal(format!("Failed to connect to localhost:6334: {reason}"));
        assert_eq!(classification(&status), (ErrorKind::InvalidRequestError, false));
    }

    #[test]
    fn a_host_with_a_telling_name_tells_nothing() {
        let message = "Failed to connect to http://timedout.TimedOut:6334/: ConnectionRefused";
        let status = Status::internal(message);
        assert_eq!(classification(&status), (ErrorKind::ConnectionError, true));
    }

    #[test]
    fn a_servers_words_do_not_pass_for_the_clients() {
        let mut metadata = MetadataMap::new();
        metadata.insert("content-type", "application/grpc".parse().unwrap());
        let message = "Failed to connect to peer: TimedOut";
        let status = Status::with_metadata(Code::Internal, message, metadata);
        assert_eq!(classification(&status), (ErrorKind::InternalError, true));
    }

    #[test]
    fn a_proxys_answer_is_read_by_its_http_status() {
        let empty = |number| format!("{MAPPED_FROM_HTTP}{number}");
        let page =
            |line| format!("{NOT_A_MESSAGE}: 60 (valid flags are 0 and 1) {WITH_STATUS}{line}");
        for (message, expected) in [
            (empty(429), (ErrorKind::RateLimitError, false)),
            (empty(502), (ErrorKind::ServiceUnavailable, true)),
            (empty(504), (ErrorKind::TimeoutError, true)),
            (empty(401), (ErrorKind::AuthenticationError, false)),
            (empty(404), (ErrorKind::InvalidRequestError, false)),
            (page("503 Service Unavailable"), (ErrorKind::ServiceUnavailable, true)),
            (page("403 Forbidden"), (ErrorKind::PermissionDenied, false)),
            (page("500 Internal Server Error"), (ErrorKind::InternalError, true)),
        ] {
            assert_eq!(classification(&Status::unavailable(&message)), expected, "{message}");
        }
    }

    #[test]
    fn a_proxys_rate_limit_keeps_its_hint() {
        let mut status = Status::unavailable(format!("{MAPPED_FROM_HTTP}429"));
        status.metadata_mut().insert("retry-after", "7".parse().unwrap());
        assert_eq!(Classify::retry_after(&status), Some(std::time::Duration::from_secs(7)));
    }
}
