//! Failures on the way: statuses that the client, the transport or a proxy made up.

use std::error::Error;
use std::io;

use tonic::{ConnectError, Status, TimeoutExpired};

use super::Verdict;
use crate::chain::chain;
use crate::{Classify, ErrorKind};

/// The client could not make a connection: written by `qdrant-client`'s channel pool.
const FAILED_TO_CONNECT: &str = "Failed to connect to ";

/// An answer that is not gRPC, without a body: written by tonic.
const MAPPED_FROM_HTTP: &str = "grpc-status header missing, mapped from HTTP status code ";

/// An answer that is not gRPC, with a body that was read as one: written by tonic.
const NOT_A_MESSAGE: &str = "protocol error: received message with invalid compression flag";
const WITH_STATUS: &str = "while receiving response with status: ";

/// By the source of a status. Its presence says that the transport made the status up.
pub(super) fn of_source(source: &(dyn Error + 'static)) -> Verdict {
    if chain(source).any(<dyn Error>::is::<TimeoutExpired>) {
        return Verdict::ambiguous(ErrorKind::TimeoutError);
    }
    let io = chain(source).find_map(|error| error.downcast_ref::<io::Error>());
    if chain(source).any(<dyn Error>::is::<ConnectError>) {
        return Verdict::not_executed(match io.map(io::Error::kind) {
            Some(io::ErrorKind::TimedOut) => ErrorKind::ConnectionTimeout,
            _ => ErrorKind::ConnectionError,
        });
    }
    match io.map(Classify::kind) {
        Some(ErrorKind::ConnectionError) => Verdict::not_executed(ErrorKind::ConnectionError),
        _ => Verdict::ambiguous(ErrorKind::NetworkError),
    }
}

/// By what the client says before any answer has come: such a status has no metadata, and a
/// server's has.
///
/// A write through the points service is sent a second time by the client itself, and where that
/// try cannot connect, its error hides the first one's: so all of these may have been executed.
pub(super) fn of_client_message(status: &Status) -> Option<Verdict> {
    if !status.metadata().is_empty() {
        return None;
    }
    let reason = status.message().strip_prefix(FAILED_TO_CONNECT)?;
    let says = |words: &str| reason.contains(words);
    // The client prints the error that it got from the transport with `{:?}`.
    Some(Verdict::ambiguous(if says("InvalidContentType") || says("invalid URL") {
        ErrorKind::InvalidRequestError
    } else if says("InvalidCertificate(") {
        ErrorKind::AuthenticationError
    } else if says("TimedOut") {
        ErrorKind::ConnectionTimeout
    } else {
        ErrorKind::ConnectionError
    }))
}

/// By the HTTP status of an answer that is not gRPC, such as a proxy gives.
pub(super) fn of_http_status(status: &Status) -> Option<Verdict> {
    let message = status.message();
    let number = message.strip_prefix(MAPPED_FROM_HTTP).or_else(|| {
        message.starts_with(NOT_A_MESSAGE).then(|| message.split_once(WITH_STATUS))?.map(|it| it.1)
    })?;
    let number: u16 = number.get(..3)?.parse().ok()?;
    Some(match number {
        401 => Verdict::not_executed(ErrorKind::AuthenticationError),
        403 => Verdict::not_executed(ErrorKind::PermissionDenied),
        404 => Verdict::not_executed(ErrorKind::InvalidRequestError),
        429 => Verdict::not_executed(ErrorKind::RateLimitError),
        400 | 413 => Verdict::ambiguous(ErrorKind::InvalidRequestError),
        408 | 504 => Verdict::ambiguous(ErrorKind::TimeoutError),
        502 | 503 => Verdict::ambiguous(ErrorKind::ServiceUnavailable),
        _ => Verdict::ambiguous(ErrorKind::InternalError),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tonic::Code;
    use tonic::metadata::MetadataMap;

    use super::*;

    fn verdict(status: &Status) -> (ErrorKind, bool) {
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
        assert_eq!(verdict(&status), (ErrorKind::TimeoutError, true));
    }

    #[test]
    fn a_connection_that_is_refused_was_surely_not_used() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let status = with_source(Code::Unavailable, ConnectError(Box::new(refused)));
        assert_eq!(verdict(&status), (ErrorKind::ConnectionError, false));
    }

    #[test]
    fn a_connection_that_times_out_is_told_from_a_request_that_does() {
        let timed_out = io::Error::from(io::ErrorKind::TimedOut);
        let status = with_source(Code::Unavailable, ConnectError(Box::new(timed_out)));
        assert_eq!(verdict(&status), (ErrorKind::ConnectionTimeout, false));
    }

    #[test]
    fn a_connection_that_breaks_may_have_carried_the_request() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let status = with_source(Code::Unknown, reset);
        assert_eq!(verdict(&status), (ErrorKind::NetworkError, true));
    }

    #[test]
    fn a_source_overrides_whatever_code_the_transport_chose() {
        let stream = std::fmt::Error;
        let status = with_source(Code::PermissionDenied, stream);
        assert_eq!(verdict(&status), (ErrorKind::NetworkError, true));
    }

    #[test]
    fn a_new_channel_that_cannot_connect_says_why() {
        for (reason, kind) in [
            ("ConnectError(\"tcp connect error\", ConnectionRefused)", ErrorKind::ConnectionError),
            ("kind: TimedOut, error: Elapsed(())", ErrorKind::ConnectionTimeout),
            ("InvalidMessage(InvalidContentType)", ErrorKind::InvalidRequestError),
            ("InvalidCertificate(UnknownIssuer)", ErrorKind::AuthenticationError),
            ("dns error", ErrorKind::ConnectionError),
        ] {
            let message = format!("Failed to connect to http://127.0.0.1:6334/: {reason}");
            assert_eq!(verdict(&Status::internal(message)), (kind, true), "{reason}");
        }
    }

    #[test]
    fn a_servers_words_do_not_pass_for_the_clients() {
        let mut metadata = MetadataMap::new();
        metadata.insert("content-type", "application/grpc".parse().unwrap());
        let message = "Failed to connect to peer";
        let status = Status::with_metadata(Code::Internal, message, metadata);
        assert_eq!(verdict(&status), (ErrorKind::InternalError, true));
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
            assert_eq!(verdict(&Status::unavailable(&message)), expected, "{message}");
        }
    }

    #[test]
    fn a_proxys_rate_limit_keeps_its_hint() {
        let mut status = Status::unavailable(format!("{MAPPED_FROM_HTTP}429"));
        status.metadata_mut().insert("retry-after", "7".parse().unwrap());
        assert_eq!(Classify::retry_after(&status), Some(std::time::Duration::from_secs(7)));
    }
}
