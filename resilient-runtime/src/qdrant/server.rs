//! Failures that the server reports: by code, and by its words where the code does not tell.

use tonic::{Code, Status};

use super::Verdict;
use crate::ErrorKind;

/// A row of [`WORDS`]: with this code, a message that contains these words means this.
struct Pattern(Code, &'static str, Verdict);

const fn safe(code: Code, words: &'static str, kind: ErrorKind) -> Pattern {
    Pattern(code, words, Verdict::not_executed(kind))
}

const fn ambiguous(code: Code, words: &'static str, kind: ErrorKind) -> Pattern {
    Pattern(code, words, Verdict::ambiguous(kind))
}

/// What the server says, where its code alone does not tell. The first row that fits decides.
const WORDS: &[Pattern] = &[
    // A request that is larger than the whole allowance never passes.
    safe(Code::ResourceExhausted, "larger than rate limiter", ErrorKind::InvalidRequestError),
    // A gRPC peer's own limit on the size of a message.
    safe(Code::ResourceExhausted, "message larger than max", ErrorKind::InvalidRequestError),
    // The client's own words for an answer that it does not take: the work was done.
    ambiguous(Code::OutOfRange, "decoded message length too large", ErrorKind::InvalidRequestError),
    // One shard's search that ran out of time, inside a failed read.
    ambiguous(Code::Internal, "Timeout error: Operation", ErrorKind::SearchTimeout),
    ambiguous(Code::DeadlineExceeded, "Operation 'Search'", ErrorKind::SearchTimeout),
    ambiguous(Code::Internal, "Waiting for consensus", ErrorKind::TimeoutError),
    safe(Code::Internal, "leader is not established", ErrorKind::ServiceUnavailable),
    safe(Code::Internal, "has no active replica", ErrorKind::ServiceUnavailable),
    safe(Code::Internal, "not have enough active replicas", ErrorKind::ServiceUnavailable),
    safe(Code::Internal, "no leader could be selected", ErrorKind::ServiceUnavailable),
    ambiguous(Code::Internal, "Tonic status error", ErrorKind::ServiceUnavailable),
    safe(Code::Internal, "No space left on device", ErrorKind::InternalError),
    // The client's own words for an answer that ends too early.
    ambiguous(Code::Internal, "Unexpected EOF decoding stream", ErrorKind::NetworkError),
    ambiguous(Code::Unknown, "missing grpc-status trailer", ErrorKind::NetworkError),
    safe(Code::NotFound, "Collection ", ErrorKind::CollectionNotFound),
    safe(Code::InvalidArgument, "Vector dimension error", ErrorKind::InvalidVector),
    safe(Code::InvalidArgument, "Not existing vector name", ErrorKind::InvalidVector),
    safe(Code::InvalidArgument, "between sparse and regular vectors", ErrorKind::InvalidVector),
    // A token that is bad or out of date: nobody is logged in, whatever the code says.
    safe(Code::PermissionDenied, "ExpiredSignature", ErrorKind::AuthenticationError),
    safe(Code::PermissionDenied, "InvalidSignature", ErrorKind::AuthenticationError),
    safe(Code::PermissionDenied, "Invalid JWT", ErrorKind::AuthenticationError),
];

/// By the server's answer.
pub(super) fn of_answer(status: &Status) -> Verdict {
    WORDS
        .iter()
        .find(|Pattern(code, words, _)| status.code() == *code && status.message().contains(words))
        .map_or_else(|| of_code(status), |Pattern(.., verdict)| *verdict)
}

fn of_code(status: &Status) -> Verdict {
    match status.code() {
        Code::ResourceExhausted if out_of_storage(status) => {
            Verdict::not_executed(ErrorKind::InternalError)
        }
        Code::ResourceExhausted => Verdict::not_executed(ErrorKind::RateLimitError),
        Code::Unavailable => Verdict::not_executed(ErrorKind::ServiceUnavailable),
        Code::FailedPrecondition => Verdict::ambiguous(ErrorKind::ServiceUnavailable),
        Code::DeadlineExceeded | Code::Cancelled => Verdict::ambiguous(ErrorKind::TimeoutError),
        // A write of several points may have applied some before it missed one.
        Code::NotFound => Verdict::ambiguous(ErrorKind::NotFoundError),
        Code::InvalidArgument | Code::OutOfRange | Code::AlreadyExists | Code::Unimplemented => {
            Verdict::not_executed(ErrorKind::InvalidRequestError)
        }
        Code::Unauthenticated => Verdict::not_executed(ErrorKind::AuthenticationError),
        Code::PermissionDenied => Verdict::not_executed(ErrorKind::PermissionDenied),
        Code::Ok | Code::Internal | Code::Unknown | Code::DataLoss | Code::Aborted => {
            Verdict::ambiguous(ErrorKind::InternalError)
        }
    }
}

fn out_of_storage(status: &Status) -> bool {
    status.metadata().contains_key("qdrant-insufficient-storage")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Classify;

    #[test]
    fn each_answer_of_the_server_has_its_kind() {
        use ErrorKind as Kind;
        for (code, message, kind, maybe_executed) in [
            (Code::ResourceExhausted, "Rate limiting exceeded: …", Kind::RateLimitError, false),
            (
                Code::ResourceExhausted,
                "Rate limiting exceeded: Write rate limit exceeded, request larger than rate \
                 limiter capacity, please try to split your request",
                Kind::InvalidRequestError,
                false,
            ),
            (
                Code::Internal,
                "Service internal error: 1 of 1 read operations failed:\n  Timeout error: \
                 Operation 'Search' timed out after 1 seconds",
                Kind::SearchTimeout,
                true,
            ),
            (Code::Internal, "Service internal error: out of luck", Kind::InternalError, true),
            (Code::DeadlineExceeded, "Update operation timed out", Kind::TimeoutError, true),
            (Code::Unavailable, "Shard temporarily unavailable", Kind::ServiceUnavailable, false),
            (
                Code::NotFound,
                "Not found: Collection `docs` doesn't exist!",
                Kind::CollectionNotFound,
                false,
            ),
            (Code::NotFound, "Not found: No point with id 7 found", Kind::NotFoundError, true),
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
            (Code::InvalidArgument, "Validation error", Kind::InvalidRequestError, false),
            (Code::AlreadyExists, "Collection `docs`", Kind::InvalidRequestError, false),
            (Code::Unauthenticated, "Must provide an API key", Kind::AuthenticationError, false),
            (Code::PermissionDenied, "Forbidden: …", Kind::PermissionDenied, false),
            (Code::PermissionDenied, "ExpiredSignature", Kind::AuthenticationError, false),
            (Code::Cancelled, "", Kind::TimeoutError, true),
            (
                Code::OutOfRange,
                "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes",
                Kind::InvalidRequestError,
                true,
            ),
            (
                Code::ResourceExhausted,
                "grpc: received message larger than max (9 vs. 4)",
                Kind::InvalidRequestError,
                false,
            ),
        ] {
            let status = Status::new(code, message);
            assert_eq!(
                (status.kind(), Classify::maybe_executed(&status)),
                (kind, maybe_executed),
                "{code:?} {message}"
            );
        }
    }

    #[test]
    fn a_full_disk_is_no_rate_limit() {
        let mut status = Status::resource_exhausted("storage");
        status.metadata_mut().insert("qdrant-insufficient-storage", "1".parse().unwrap());
        assert_eq!(status.kind(), ErrorKind::InternalError);
    }

    #[test]
    fn a_hint_that_is_no_number_of_seconds_is_none() {
        for (hint, expected) in [("3", Some(3)), ("1.5", None), ("soon", None)] {
            let mut status = Status::resource_exhausted("Rate limiting exceeded");
            status.metadata_mut().insert("retry-after", hint.parse().unwrap());
            let seconds = Classify::retry_after(&status).map(|wait| wait.as_secs());
            assert_eq!(seconds, expected, "{hint}");
        }
    }
}
