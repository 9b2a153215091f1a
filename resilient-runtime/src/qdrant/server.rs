//! Failures that the server reports: by code, and by its words where the code does not tell.

use tonic::{Code, Status};

use super::Verdict;
use super::words::{self, Writer};
use crate::ErrorKind;

/// By the server's answer.
pub(super) fn of_answer(status: &Status) -> Verdict {
    let (code, message) = (status.code(), status.message());
    let verdict =
        words::find(Writer::Answer, code, message).unwrap_or_else(|| of_code(code, status));
    if message.contains(words::PARTIALLY_APPLIED) {
        return Verdict::ambiguous(verdict.kind);
    }
    verdict
}

fn of_code(code: Code, status: &Status) -> Verdict {
    match code {
        Code::ResourceExhausted if out_of_storage(status) => {
            Verdict::not_executed(ErrorKind::InternalError)
        }
        Code::ResourceExhausted => Verdict::not_executed(ErrorKind::RateLimitError),
        Code::Unavailable | Code::FailedPrecondition => {
            Verdict::ambiguous(ErrorKind::ServiceUnavailable)
        }
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
    use crate::ErrorKind as Kind;

    // Failures that take a cluster, a full disk or another version of the server are here and
    // nowhere else: by the exact status that its source makes.

    fn assert_each(rows: &[(Code, &str, ErrorKind, bool)]) {
        for &(code, message, kind, maybe_executed) in rows {
            let status = Status::new(code, message);
            let verdict = (status.kind(), Classify::maybe_executed(&status));
            assert_eq!(verdict, (kind, maybe_executed), "{code:?} {message}");
        }
    }

    #[test]
    fn a_limit_is_told_from_what_is_larger_than_the_limit() {
        assert_each(&[
            (Code::ResourceExhausted, "Rate limiting exceeded: …", Kind::RateLimitError, false),
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
                false,
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
                false,
            ),
            (
                Code::Internal,
                "Service internal error: The replica set for shard 0 on peer 1 does not have \
                 enough active replicas",
                Kind::ServiceUnavailable,
                false,
            ),
            (
                Code::Internal,
                "Service internal error: Cannot update shard docs:0 with Strong ordering because \
                 no leader could be selected",
                Kind::ServiceUnavailable,
                false,
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
            (Code::Unavailable, "Shard temporarily unavailable", Kind::ServiceUnavailable, false),
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
                false,
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
        assert!(!Classify::maybe_executed(&status));
    }

    #[test]
    fn a_hint_that_is_no_number_of_seconds_is_none() {
        for (hint, expected) in [
            ("3", Some(3)),
            ("0", Some(0)),
            ("1.5", None),
            ("soon", None),
            ("-1", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            // Longer than can be counted, and so than any delay: the call ends.
            ("99999999999999999999", Some(u64::MAX)),
        ] {
            let mut status = Status::resource_exhausted("Rate limiting exceeded");
            status.metadata_mut().insert("retry-after", hint.parse().unwrap());
            let seconds = Classify::retry_after(&status).map(|wait| wait.as_secs());
            assert_eq!(seconds, expected, "{hint}");
        }
    }
}
