//! Failures that the server reports: by the code, and by the message if the code is not enough.

use std::borrow::Cow;

use tonic::{Code, Status};

use super::messages::{self, Says};
use super::peer;
use crate::ErrorKind;
use crate::error::classification::Classification;

/// How many nested statuses of peers are read. A cluster forwards a request once or twice.
const MAX_DEPTH: usize = 4;

/// Classifies an answer of the server.
///
/// The message is read from its beginning. The server's own words lead to the failure. The first
/// text that is not the server's, such as a payload, ends the reading.
pub(super) fn of_answer(status: &Status) -> Classification {
    // Another node of the cluster may have had the space, and may have applied the write.
    if status.metadata().contains_key("qdrant-insufficient-storage") {
        return Classification::ambiguous(ErrorKind::InternalError);
    }
    let mut reader = Reader::new(status.code());
    let mut message = Cow::Borrowed(status.message());
    for _ in 0..MAX_DEPTH {
        let rest = reader.read(&message);
        let Some((code, inner)) = peer::status(rest) else { break };
        reader.descend(code, &inner);
        message = Cow::Owned(inner);
    }
    reader.finish()
}

/// The result of the words that have been read.
struct Reader {
    /// The code of this answer, or of the nested status that is being read.
    code: Code,
    classification: Classification,
    /// Only one part of the request is known to have failed.
    is_part: bool,
    is_read: bool,
    is_inference: bool,
}

impl Reader {
    fn new(code: Code) -> Self {
        let classification = of_code(code);
        Self { code, classification, is_part: false, is_read: false, is_inference: false }
    }

    /// Reads the server's own words, and returns the text after them.
    fn read<'m>(&mut self, message: &'m str) -> &'m str {
        let mut rest = message;
        while let Some((says, after)) = messages::read(self.code, rest) {
            match says {
                Says::Is(classification) => {
                    self.classification = classification;
                    return "";
                }
                Says::Operation => {
                    self.classification = Classification::ambiguous(timed_out(after));
                    return "";
                }
                Says::HttpStatus => {
                    self.of_inference(own_words(after));
                    return "";
                }
                Says::AtLeast(classification) => self.classification = classification,
                Says::WrapsPart => self.is_part = true,
                Says::WrapsRead => self.is_read = true,
                Says::WrapsInference => self.is_inference = true,
                Says::Wraps => {}
            }
            rest = after;
        }
        if self.is_inference {
            self.of_inference(own_words(rest));
            return "";
        }
        rest
    }

    /// Continues with the status of a peer.
    fn descend(&mut self, code: Code, message: &str) {
        // Other replicas or shards may have applied their part.
        self.is_part = true;
        self.code = code;
        self.classification = match code {
            // The connection to the peer made this status, not the peer.
            Code::Cancelled if !message.starts_with("Timeout expired") => {
                Classification::ambiguous(ErrorKind::ServiceUnavailable)
            }
            _ => of_code(code),
        };
    }

    /// Classifies a failure of the inference service by its HTTP status, at the beginning of
    /// `words` or in parentheses.
    fn of_inference(&mut self, words: &str) {
        let number = number(words)
            .or_else(|| words.split('(').skip(1).find_map(number))
            .or_else(|| number(words.strip_prefix("HTTP ")?));
        self.classification = match number {
            Some(401 | 403 | 407) => Classification::not_executed(ErrorKind::AuthenticationError),
            // Earlier operations of a batch may have been applied.
            Some(429) => Classification::ambiguous(ErrorKind::RateLimitError),
            Some(400 | 404..=499) => Classification::not_executed(ErrorKind::InvalidRequestError),
            Some(_) => Classification::ambiguous(ErrorKind::InternalError),
            None => return,
        };
    }

    fn finish(self) -> Classification {
        let kind = match self.classification.kind {
            ErrorKind::TimeoutError if self.is_read => ErrorKind::SearchTimeout,
            kind => kind,
        };
        let maybe_executed = self.classification.maybe_executed || self.is_part;
        Classification::new(kind).with_maybe_executed(maybe_executed)
    }
}

/// Returns the words before the first colon, after which another text follows.
fn own_words(text: &str) -> &str {
    text.split_once(':').map_or(text, |(words, _)| words)
}

/// Reads a number of three digits at the beginning of `text`.
fn number(text: &str) -> Option<u16> {
    let digits = text.get(..3)?;
    let ends = !text[3..].starts_with(|next: char| next.is_ascii_alphanumeric());
    (ends && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Returns the kind of a timeout by the name of the operation, at the beginning of `text`. The name
/// of a write contains what it does. Any other operation is a read.
fn timed_out(text: &str) -> ErrorKind {
    let name = text.split('\'').next().unwrap_or_default().to_ascii_lowercase();
    let is_write = ["update", "upsert", "create", "delete", "consensus", "transfer", "snapshot"]
        .iter()
        .any(|word| name.contains(word));
    if is_write { ErrorKind::TimeoutError } else { ErrorKind::SearchTimeout }
}

/// Classifies an answer by its code.
///
/// An answer is about one part of a request: an operation of a batch, or one shard or replica. The
/// status does not say how many parts there were. So after a transient failure, which is retried,
/// it is never certain that nothing was executed.
fn of_code(code: Code) -> Classification {
    match code {
        Code::ResourceExhausted => Classification::ambiguous(ErrorKind::RateLimitError),
        Code::Unavailable | Code::FailedPrecondition => {
            Classification::ambiguous(ErrorKind::ServiceUnavailable)
        }
        Code::DeadlineExceeded | Code::Cancelled => {
            Classification::ambiguous(ErrorKind::TimeoutError)
        }
        // A write of several points may have applied some before one was missing.
        Code::NotFound => Classification::ambiguous(ErrorKind::NotFoundError),
        // tonic's code for a request or an answer that is too large. For an answer, the work was
        // done.
        Code::OutOfRange => Classification::ambiguous(ErrorKind::InvalidRequestError),
        Code::InvalidArgument | Code::AlreadyExists | Code::Unimplemented => {
            Classification::not_executed(ErrorKind::InvalidRequestError)
        }
        Code::Unauthenticated => Classification::not_executed(ErrorKind::AuthenticationError),
        Code::PermissionDenied => Classification::not_executed(ErrorKind::PermissionDenied),
        Code::Ok | Code::Internal | Code::Unknown | Code::DataLoss | Code::Aborted => {
            Classification::ambiguous(ErrorKind::InternalError)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Classify;
    use crate::ErrorKind as Kind;

    // Failures that take a cluster, a full disk or another version of the server are here, and in
    // the suite `failures`, by the exact status that the server's source makes.

    fn assert_each(rows: &[(Code, &str, ErrorKind, bool)]) {
        for &(code, message, kind, maybe_executed) in rows {
            let status = Status::new(code, message);
            let classification = (status.kind(), Classify::maybe_executed(&status));
            assert_eq!(classification, (kind, maybe_executed), "{code:?} {message}");
        }
    }

    #[test]
    fn a_limit_is_told_from_what_is_larger_than_the_limit() {
        assert_each(&[
            (Code::ResourceExhausted, "Rate limiting exceeded: …", Kind::RateLimitError, true),
            (
                Code::ResourceExhausted,
                "Rate limiting exceeded: Write rate limit exceeded, request larger than rate \
                 limiter capacity, please try to split your request",
                Kind::InvalidRequestError,
                false,
            ),
            (
                Code::OutOfRange,
                "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes",
                Kind::InvalidRequestError,
                true,
            ),
            (
                Code::ResourceExhausted,
                "Error decompressing: size limit, of 4 bytes, exceeded while decompressing message",
                Kind::InvalidRequestError,
                true,
            ),
            (
                Code::ResourceExhausted,
                "grpc: received message larger than max (9 vs. 4)",
                Kind::InvalidRequestError,
                true,
            ),
        ]);
    }

    #[test]
    fn a_search_that_took_too_long_is_told_from_a_write_that_did() {
        assert_each(&[
            (
                Code::Internal,
                "Service internal error: 1 of 1 read operations failed:\n  Timeout error: \
                 Operation 'Search' timed out after 1 seconds",
                Kind::SearchTimeout,
                true,
            ),
            (
                Code::DeadlineExceeded,
                "Timeout: Timeout error: Operation 'Query scroll' timed out after 1s",
                Kind::SearchTimeout,
                true,
            ),
            (
                Code::DeadlineExceeded,
                "Timeout: Operation 'Search' timed out after 1s",
                Kind::SearchTimeout,
                true,
            ),
            (Code::DeadlineExceeded, "Update operation timed out", Kind::TimeoutError, true),
            (
                Code::Internal,
                "Service internal error: Waiting for consensus operation commit failed. Timeout \
                 set at: 10 seconds",
                Kind::TimeoutError,
                true,
            ),
        ]);
    }

    #[test]
    fn a_part_of_the_cluster_that_is_down_is_told_from_a_write_that_is_half_done() {
        assert_each(&[
            (Code::Internal, "Service internal error: out of luck", Kind::InternalError, true),
            (
                Code::Internal,
                "Service internal error: Failed to propose operation: leader is not established \
                 within 10s",
                Kind::ServiceUnavailable,
                false,
            ),
            (
                Code::Internal,
                "Service internal error: The replica set for shard 0 on peer 1 has no active \
                 replica",
                Kind::ServiceUnavailable,
                true,
            ),
            (
                Code::Internal,
                "Service internal error: The replica set for shard 0 on peer 1 does not have \
                 enough active replicas",
                Kind::ServiceUnavailable,
                true,
            ),
            (
                Code::Internal,
                "Service internal error: Cannot update shard docs:0 with Strong ordering because \
                 no leader could be selected",
                Kind::ServiceUnavailable,
                true,
            ),
            (
                Code::Internal,
                "Service internal error: 1 of 1 read operations failed:\n  Service internal \
                 error: Tonic status error: code: 'The service is currently unavailable', \
                 message: \"dns error\"",
                Kind::ServiceUnavailable,
                true,
            ),
            (
                Code::Internal,
                "Service internal error: Some replica of shard 0 failed to apply operation and \
                 deactivation timed out after 30s. Consistency of this update is not guaranteed. \
                 Please retry. Service internal error: Tonic status error: code: 'The service is \
                 currently unavailable'",
                Kind::InternalError,
                true,
            ),
            (
                Code::InvalidArgument,
                "Wrong input: 1 out of 3 shards failed to apply operation. First error captured: \
                 Wrong input: Vector dimension error: expected dim: 4, got 3",
                Kind::InvalidVector,
                true,
            ),
            (Code::Unavailable, "Shard temporarily unavailable", Kind::ServiceUnavailable, true),
            (
                Code::Unavailable,
                "upstream connect error or disconnect/reset before headers. reset reason: \
                 connection termination",
                Kind::ServiceUnavailable,
                true,
            ),
            (
                Code::FailedPrecondition,
                "Pre-condition failure: Precondition failed: shard is not active",
                Kind::ServiceUnavailable,
                true,
            ),
            (
                Code::Internal,
                "Service internal error: No space left on device: WAL buffer size exceeds \
                 available disk space",
                Kind::InternalError,
                true,
            ),
            (
                Code::Internal,
                "Service internal error: No space left on device (os error 28)",
                Kind::InternalError,
                true,
            ),
            (
                Code::Internal,
                "Service internal error: Out of memory, free: 1024, loading a segment",
                Kind::InternalError,
                true,
            ),
        ]);
    }

    #[test]
    fn a_missing_collection_is_told_from_what_is_missing_in_it() {
        assert_each(&[
            (
                Code::NotFound,
                "Not found: Collection `docs` doesn't exist!",
                Kind::CollectionNotFound,
                false,
            ),
            (
                Code::NotFound,
                "Not found: Collection other not found",
                Kind::CollectionNotFound,
                false,
            ),
            (Code::NotFound, "Not found: No point with id 7 found", Kind::NotFoundError, true),
            (
                Code::NotFound,
                "Not found: Snapshot docs.snapshot not found",
                Kind::NotFoundError,
                false,
            ),
            (Code::NotFound, "Not found: Alias today does not exists!", Kind::NotFoundError, false),
        ]);
    }

    #[test]
    fn a_bad_vector_is_told_from_another_bad_request() {
        assert_each(&[
            (
                Code::InvalidArgument,
                "Wrong input: Vector dimension error: expected dim: 4, got 3",
                Kind::InvalidVector,
                false,
            ),
            (
                Code::InvalidArgument,
                "Wrong input: Not existing vector name error: zz",
                Kind::InvalidVector,
                false,
            ),
            (
                Code::InvalidArgument,
                "Wrong input: Conversion between sparse and regular vectors failed",
                Kind::InvalidVector,
                false,
            ),
            (
                Code::InvalidArgument,
                "Wrong input: Conversion between multi and regular vectors failed",
                Kind::InvalidVector,
                false,
            ),
            (Code::InvalidArgument, "Validation error", Kind::InvalidRequestError, false),
            (
                Code::InvalidArgument,
                "Bad request: Limit exceeded 100 > 10 for \"limit\". Help: Reduce the \"limit\".",
                Kind::InvalidRequestError,
                false,
            ),
            (Code::AlreadyExists, "Collection `docs`", Kind::InvalidRequestError, false),
            (Code::Unimplemented, "", Kind::InvalidRequestError, false),
        ]);
    }

    #[test]
    fn a_bad_token_is_told_from_a_good_one_that_is_not_for_this() {
        assert_each(&[
            (Code::Unauthenticated, "Must provide an API key", Kind::AuthenticationError, false),
            (Code::PermissionDenied, "Forbidden: …", Kind::PermissionDenied, false),
            (Code::PermissionDenied, "ExpiredSignature", Kind::AuthenticationError, false),
            (Code::PermissionDenied, "InvalidSignature", Kind::AuthenticationError, false),
            (
                Code::PermissionDenied,
                "Invalid JWT, stateful validation failed",
                Kind::AuthenticationError,
                false,
            ),
        ]);
    }

    #[test]
    fn other_codes_mean_what_they_say() {
        assert_each(&[
            (Code::Cancelled, "", Kind::TimeoutError, true),
            (Code::Unknown, "", Kind::InternalError, true),
            (Code::DataLoss, "", Kind::InternalError, true),
            (Code::Aborted, "", Kind::InternalError, true),
        ]);
    }

    #[test]
    fn a_full_disk_is_no_rate_limit() {
        let mut status = Status::resource_exhausted("storage");
        status.metadata_mut().insert("qdrant-insufficient-storage", "1".parse().unwrap());
        assert_eq!(status.kind(), ErrorKind::InternalError);
        // Another node may have had the space.
        assert!(Classify::maybe_executed(&status));
    }

    #[test]
    fn what_a_user_sent_is_never_read() {
        let failures = [
            (Code::Internal, "Service internal error: Failed to apply operation "),
            (
                Code::Internal,
                "Service internal error: 1 of 1 read operations failed:\n  Json error: ",
            ),
            (Code::Internal, "Inference error: Bad request: Invalid inference request: "),
            (Code::Internal, "Inference error: Service internal error: Failed to parse: "),
            (Code::InvalidArgument, "Wrong input: Invalid BM25 config: "),
            (Code::NotFound, "Not found: No point with id "),
            (Code::PermissionDenied, "Forbidden: "),
            (Code::ResourceExhausted, "Rate limiting exceeded: Write rate limit exceeded: "),
            (Code::FailedPrecondition, "Pre-condition failure: "),
        ];
        for (code, before) in failures {
            let of = |text: &str| of_answer(&Status::new(code, format!("{before}{text}")));
            for sample in messages::samples() {
                for text in [format!("`{sample}`"), format!("{sample:?}"), format!("\n  {sample}")]
                {
                    assert_eq!(of(&text), of("text"), "{code:?} {before}{text}");
                }
            }
        }
    }

    #[test]
    fn peers_inside_peers_are_read_to_a_depth_that_no_cluster_reaches() {
        let mut status = Status::deadline_exceeded("Timeout: Operation 'Search' timed out");
        for _ in 1..MAX_DEPTH {
            status = Status::internal(format!("Service internal error: Internal error: {status}"));
        }
        assert_eq!(status.kind(), Kind::SearchTimeout);
        for _ in 0..MAX_DEPTH {
            status = Status::internal(format!("Service internal error: Internal error: {status}"));
        }
        assert_eq!(status.kind(), Kind::InternalError);
    }

    #[test]
    fn a_hint_is_read_from_the_metadata() {
        for (hint, expected) in [
            ("3", Some(Duration::from_secs(3))),
            ("1.5", Some(Duration::from_millis(1_500))),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::ZERO)),
            // Longer than can be counted, and so than any delay: the call ends.
            ("99999999999999999999", Some(Duration::MAX)),
        ] {
            let mut status = Status::resource_exhausted("Rate limiting exceeded");
            status.metadata_mut().insert("retry-after", hint.parse().unwrap());
            assert_eq!(Classify::retry_after(&status), expected, "{hint}");
            assert!(status.may_retry());
        }
    }

    #[test]
    fn a_pushback_is_a_hint_or_forbids_a_retry() {
        for (pushback, retry_after, expected, may_retry) in [
            ("250", None, Some(Duration::from_millis(250)), true),
            ("250", Some("1"), Some(Duration::from_secs(1)), true),
            ("2500", Some("1"), Some(Duration::from_millis(2_500)), true),
            ("-1", None, None, false),
            ("-1", Some("1"), Some(Duration::from_secs(1)), false),
            ("soon", None, None, false),
        ] {
            let mut status = Status::unavailable("busy");
            let metadata = status.metadata_mut();
            metadata.insert("grpc-retry-pushback-ms", pushback.parse().unwrap());
            if let Some(hint) = retry_after {
                metadata.insert("retry-after", hint.parse().unwrap());
            }
            assert_eq!(Classify::retry_after(&status), expected, "{pushback} {retry_after:?}");
            assert_eq!(status.may_retry(), may_retry, "{pushback}");
        }
    }
}
