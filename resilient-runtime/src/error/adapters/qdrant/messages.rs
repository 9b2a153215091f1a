//! The texts that are read where no type and no code tells: all of them are here, and who writes
//! each.

use tonic::Code;

use crate::ErrorKind;
use crate::error::classification::Classification;

/// What the client says where it could not make a connection. The URI follows, and after
/// [`REASON`] the error of the transport, printed with `{:?}`.
/// (qdrant-client, `src/channel_pool.rs`.)
pub(super) const FAILED_TO_CONNECT: &str = "Failed to connect to ";

/// No URI has this in it.
pub(super) const REASON: &str = ": ";

/// What the client says where it cannot even try to: the URL's host is no name that a certificate
/// can have, or the system has no root certificates. (qdrant-client, `src/channel_pool.rs`.)
pub(super) const NO_TLS: &str = "Failed to create TLS config: ";

/// An answer without `grpc-status` and without a body. The HTTP status follows.
/// (tonic, `src/status.rs`.)
pub(super) const MAPPED_FROM_HTTP: &str =
    "grpc-status header missing, mapped from HTTP status code ";

/// An answer with a body that is not gRPC, such as a page or JSON. The HTTP status comes at the
/// end. (tonic, `src/codec/decode.rs`.)
pub(super) const NOT_A_MESSAGE: &str =
    "protocol error: received message with invalid compression flag";
pub(super) const WITH_STATUS: &str = "while receiving response with status: ";

/// The meaning of what the client's pool of channels says when it cannot connect, by the first row
/// of which the text has the words. The text is a printed error of the transport, without anything
/// that a user sends.
pub(super) fn of_pool(reason: &str) -> Classification {
    POOL.iter()
        .find(|(words, _)| reason.contains(words))
        .map_or(Classification::ambiguous(ErrorKind::ConnectionError), |(_, verdict)| *verdict)
}

/// The first row that fits decides.
const POOL: &[(&str, Classification)] = &[
    // hyper-util, `src/client/legacy/connect/http.rs`: no scheme, or no host. It is the client's
    // own URL, so the client's first try has met it too.
    ("invalid URL, ", Classification::not_executed(ErrorKind::InvalidRequestError)),
    // rustls, `src/error.rs`: the peer does not speak TLS, or has a certificate that does not pass.
    ("InvalidContentType", Classification::ambiguous(ErrorKind::InvalidRequestError)),
    ("InvalidCertificate(", Classification::ambiguous(ErrorKind::AuthenticationError)),
    // tonic, `src/transport/service/tls.rs`: it speaks TLS, and HTTP/1 behind it.
    ("H2NotNegotiated", Classification::ambiguous(ErrorKind::InvalidRequestError)),
    // std's `io::ErrorKind`, of hyper-util's connector or of the system.
    ("TimedOut", Classification::ambiguous(ErrorKind::ConnectionTimeout)),
];

/// What a text at its place says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    /// What failed.
    Is(Classification),
    /// What failed, unless the words that follow say more.
    AtLeast(Classification),
    /// Nothing of its own: the words that follow do.
    Wraps,
    /// Other parts of the request may have been applied. The failure of one part follows.
    WrapsPart,
    /// Reads of replicas failed. The first failure follows.
    WrapsRead,
    /// The server's inference failed. The failure follows.
    WrapsInference,
    /// The HTTP status of the inference service follows.
    HttpStatus,
    /// The name of the operation that timed out follows, up to a quotation mark.
    Operation,
}

/// A text that Qdrant, or tonic as it reads Qdrant's answer, writes.
pub(super) struct MessageRule {
    /// The codes with which the text has this meaning. None means all codes.
    codes: &'static [Code],
    /// The text. In it, `#` stands for a number and `@` for a word.
    words: &'static str,
    says: Says,
}

/// Reads one text at the beginning of `message`, and returns what it says and the rest.
///
/// A text is never looked for anywhere else: what users send, such as payloads, points and
/// documents, stands behind the server's own words and can contain any text.
pub(super) fn read(code: Code, message: &str) -> Option<(Says, &str)> {
    TABLE
        .iter()
        .filter(|row| row.codes.is_empty() || row.codes.contains(&code))
        .find_map(|row| Some((row.says, strip(row.words, message)?)))
}

/// What follows `words` in `message`, if `message` begins with them.
fn strip<'m>(words: &str, message: &'m str) -> Option<&'m str> {
    let mut rest = message;
    for expected in words.chars() {
        let is_part: fn(&char) -> bool = match expected {
            '#' => char::is_ascii_digit,
            '@' => char::is_ascii_alphabetic,
            _ => {
                rest = rest.strip_prefix(expected)?;
                continue;
            }
        };
        let after = rest.trim_start_matches(|part: char| is_part(&part));
        if after.len() == rest.len() {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

const fn row(codes: &'static [Code], words: &'static str, says: Says) -> MessageRule {
    MessageRule { codes, words, says }
}

const fn safe(codes: &'static [Code], words: &'static str, kind: ErrorKind) -> MessageRule {
    row(codes, words, Says::Is(Classification::not_executed(kind)))
}

const fn ambiguous(codes: &'static [Code], words: &'static str, kind: ErrorKind) -> MessageRule {
    row(codes, words, Says::Is(Classification::ambiguous(kind)))
}

const ANY: &[Code] = &[];
const INTERNAL: &[Code] = &[Code::Internal];
const INVALID: &[Code] = &[Code::InvalidArgument];
const NOT_FOUND: &[Code] = &[Code::NotFound];
const EXHAUSTED: &[Code] = &[Code::ResourceExhausted];
const INVALID_REQUEST: Classification = Classification::ambiguous(ErrorKind::InvalidRequestError);
/// A limit of the node's resources: strict mode's in 1.18, the quota's in 1.19.
const LIMITS: &[Code] = &[Code::InvalidArgument, Code::ResourceExhausted];

/// The first row that fits decides: what says more comes before what says less.
const TABLE: &[MessageRule] = &[
    // tonic, `src/codec/decode.rs`, `src/client/grpc.rs` and `src/status.rs`: an answer that ends
    // too early, without trailers, with trailers, and before them.
    ambiguous(INTERNAL, "Unexpected EOF decoding stream", ErrorKind::NetworkError),
    ambiguous(INTERNAL, "Missing response message.", ErrorKind::NetworkError),
    ambiguous(
        &[Code::Unknown],
        "protocol error: missing grpc-status trailer",
        ErrorKind::NetworkError,
    ),
    // tonic, `src/codec/decode.rs` and `src/codec/compression.rs`, of a request or of an answer:
    // the message does not tell, and in the second case the work was done.
    ambiguous(EXHAUSTED, "Error decompressing: size limit", ErrorKind::InvalidRequestError),
    ambiguous(
        &[Code::Unimplemented],
        "Content is compressed with ",
        ErrorKind::InvalidRequestError,
    ),
    // grpc-go, `rpc_util.go`: a proxy's own limit on the size of a request or of an answer.
    ambiguous(EXHAUSTED, "grpc: received message larger than max", ErrorKind::InvalidRequestError),
    ambiguous(
        EXHAUSTED,
        "grpc: trying to send message larger than max",
        ErrorKind::InvalidRequestError,
    ),
    // Qdrant, `lib/collection/src/operations/types.rs`, `CollectionError`: what wraps the failure
    // of one of several.
    row(
        ANY,
        "# out of # shards failed to apply operation. First error captured: ",
        Says::WrapsPart,
    ),
    row(ANY, "Remote shard on # failed during forward proxy operation: ", Says::Wraps),
    // Qdrant, `lib/collection/src/shards/replica_set/`: `execute_read_operation.rs`, `update.rs`.
    row(INTERNAL, "# of # read operations failed:\n  ", Says::WrapsRead),
    // No replica was there to read.
    ambiguous(INTERNAL, "# of # read operations failed", ErrorKind::ServiceUnavailable),
    row(INTERNAL, "Failed to apply update with @ ordering via leader peer #: ", Says::Wraps),
    ambiguous(
        INTERNAL,
        "The replica set for shard # on peer # has no active replica",
        ErrorKind::ServiceUnavailable,
    ),
    ambiguous(
        INTERNAL,
        "The replica set for shard # on peer # does not have enough active replicas",
        ErrorKind::ServiceUnavailable,
    ),
    // "… because no leader could be selected", behind the collection's name.
    ambiguous(INTERNAL, "Cannot update shard ", ErrorKind::ServiceUnavailable),
    ambiguous(INTERNAL, "Cannot forward update to shard # ", ErrorKind::ServiceUnavailable),
    ambiguous(INTERNAL, "Local shard # not found", ErrorKind::ServiceUnavailable),
    // Qdrant, `lib/storage/src/content_manager/consensus_manager.rs`. An operation of the
    // consensus is a request of one part, and is not proposed without a leader.
    safe(
        INTERNAL,
        "Failed to propose operation: leader is not established",
        ErrorKind::ServiceUnavailable,
    ),
    // The same, with `channel_service.rs` and `replica_set/mod.rs` in `lib/collection/src/shards/`:
    // this node waited for the consensus, for another peer or for a replica. The reason follows the
    // first two.
    row(INTERNAL, "Failed to wait for consensus commit on peer #: ", Says::Wraps),
    row(INTERNAL, "Failed to wait for replica set state: ", Says::Wraps),
    ambiguous(INTERNAL, "Failed to wait for ", ErrorKind::TimeoutError),
    ambiguous(INTERNAL, "Waiting for ", ErrorKind::TimeoutError),
    // Qdrant, `lib/collection/src/operations/types.rs`: how a peer's answer, and a connection to a
    // peer, become an error of this node. A printed status follows the first three.
    row(INTERNAL, "Internal error: ", Says::Wraps),
    row(ANY, "InvalidArgument: ", Says::Wraps),
    row(ANY, "AlreadyExists: ", Says::Wraps),
    ambiguous(INTERNAL, "Tonic status error", ErrorKind::ServiceUnavailable),
    ambiguous(INTERNAL, "Tonic transport error", ErrorKind::ServiceUnavailable),
    ambiguous(INTERNAL, "Tonic error: ", ErrorKind::ServiceUnavailable),
    ambiguous(INTERNAL, "transport error", ErrorKind::ServiceUnavailable),
    // Qdrant, `lib/collection/src/shards/`: `remote_shard.rs` and `channel_service.rs`. A peer that
    // this node does not know yet, or no longer.
    ambiguous(INTERNAL, "no address found for peer #", ErrorKind::ServiceUnavailable),
    ambiguous(INTERNAL, "Address for peer ID is not found", ErrorKind::ServiceUnavailable),
    // The same, and `lib/segment/src/common/operation_error.rs`: time.
    row(
        &[Code::Internal, Code::DeadlineExceeded],
        "Timeout error: ",
        Says::AtLeast(Classification::ambiguous(ErrorKind::TimeoutError)),
    ),
    row(&[Code::DeadlineExceeded], "Timeout: ", Says::Wraps),
    row(&[Code::Internal, Code::DeadlineExceeded], "Deadline Exceeded: ", Says::Wraps),
    row(&[Code::Internal, Code::DeadlineExceeded], "Operation '", Says::Operation),
    row(INTERNAL, "Operation cancelled: ", Says::Wraps),
    row(INTERNAL, "Operation Cancelled: ", Says::Wraps),
    // The same, and `lib/storage/src/content_manager/errors.rs`: states that pass.
    ambiguous(INTERNAL, "Shard temporarily unavailable", ErrorKind::ServiceUnavailable),
    ambiguous(INTERNAL, "Precondition failed", ErrorKind::ServiceUnavailable),
    // Qdrant, `src/common/inference/`. Some of it comes without the first text.
    row(INTERNAL, "Inference error: ", Says::WrapsInference),
    safe(ANY, "Inference request validation failed", ErrorKind::InvalidRequestError),
    safe(ANY, "Invalid inference request", ErrorKind::InvalidRequestError),
    safe(INTERNAL, "Document conversion error", ErrorKind::InvalidRequestError),
    safe(INTERNAL, "Image conversion error", ErrorKind::InvalidRequestError),
    safe(INTERNAL, "Object conversion error", ErrorKind::InvalidRequestError),
    row(ANY, "Inference service error (", Says::HttpStatus),
    row(ANY, "Inference can't process request (", Says::HttpStatus),
    row(ANY, "Unexpected inference service response (", Says::HttpStatus),
    row(ANY, "Unexpected inference error (", Says::HttpStatus),
    safe(ANY, "Authentication failed for inference service", ErrorKind::AuthenticationError),
    // Qdrant, `lib/storage/src/content_manager/errors.rs`: what stands before everything else. With
    // another code than its own, it is what an operation of several steps failed with.
    row(INTERNAL, "Service internal error: ", Says::Wraps),
    row(LIMITS, "Wrong input: ", Says::Wraps),
    row(LIMITS, "Bad request: ", Says::Wraps),
    row(LIMITS, "Strict mode error: ", Says::Wraps),
    row(INVALID, "Validation failed: ", Says::Wraps),
    row(NOT_FOUND, "Not found: ", Says::Wraps),
    row(INTERNAL, "Wrong input: ", Says::AtLeast(INVALID_REQUEST)),
    row(INTERNAL, "Bad request: ", Says::AtLeast(INVALID_REQUEST)),
    row(INTERNAL, "Not found: ", Says::AtLeast(INVALID_REQUEST)),
    // The limits of the rate, `CollectionError::rate_limit_error`. With a comma, the request is
    // larger than the whole limit and never passes. Reads have nothing that stays, but of a write
    // other parts may have been applied.
    row(
        &[Code::Internal, Code::ResourceExhausted],
        "Rate limiting exceeded: ",
        Says::AtLeast(Classification::ambiguous(ErrorKind::RateLimitError)),
    ),
    safe(EXHAUSTED, "@ rate limit exceeded, ", ErrorKind::InvalidRequestError),
    safe(EXHAUSTED, "Read rate limit exceeded", ErrorKind::RateLimitError),
    // Qdrant, `lib/storage/src/quota/` and `lib/collection/src/operations/verification/`: the state
    // of the node, and not the request's fault.
    ambiguous(LIMITS, "Resident memory usage is at #%", ErrorKind::InternalError),
    ambiguous(LIMITS, "Disk usage is at #%", ErrorKind::InternalError),
    // Qdrant, `lib/storage/src/content_manager/toc/` and `lib/collection/src/operations/types.rs`:
    // the collection of the call, and another one that it looks up.
    safe(NOT_FOUND, "Collection ", ErrorKind::CollectionNotFound),
    // The same, with `lib/collection/src/common/snapshots_manager.rs` and
    // `lib/storage/src/content_manager/alias_mapping.rs`.
    safe(NOT_FOUND, "Snapshot ", ErrorKind::NotFoundError),
    safe(NOT_FOUND, "Alias ", ErrorKind::NotFoundError),
    // Qdrant, `lib/segment/src/common/operation_error.rs`, `lib/collection/src/config.rs` and
    // `lib/api/src/grpc/`: a vector's dimension, name and type. The configuration of a collection
    // has "Vectors", and is none.
    safe(INVALID, "Vector ", ErrorKind::InvalidVector),
    safe(INVALID, "Default vector ", ErrorKind::InvalidVector),
    safe(INVALID, "vector blob of ", ErrorKind::InvalidVector),
    safe(INVALID, "Dense vector ", ErrorKind::InvalidVector),
    safe(INVALID, "Sparse vector ", ErrorKind::InvalidVector),
    safe(INVALID, "Multi vector ", ErrorKind::InvalidVector),
    safe(INVALID, "Multivector ", ErrorKind::InvalidVector),
    safe(INVALID, "Not existing vector name", ErrorKind::InvalidVector),
    safe(INVALID, "Collection requires specified vector name", ErrorKind::InvalidVector),
    safe(INVALID, "Conversion between @ and @ vectors failed", ErrorKind::InvalidVector),
    safe(INVALID, "Wrong usage of @ vectors", ErrorKind::InvalidVector),
    safe(INVALID, "Unable to convert to multi-dense vector", ErrorKind::InvalidVector),
    // Qdrant, `src/common/auth/`, and the crate jsonwebtoken: a token that is bad or out of date.
    // Nobody is logged in, whatever the code says.
    safe(&[Code::PermissionDenied], "ExpiredSignature", ErrorKind::AuthenticationError),
    safe(&[Code::PermissionDenied], "InvalidSignature", ErrorKind::AuthenticationError),
    safe(&[Code::PermissionDenied], "Invalid JWT", ErrorKind::AuthenticationError),
];

/// Every text of the table, with a number and a word in their places.
#[cfg(test)]
pub(super) fn samples() -> impl Iterator<Item = String> {
    TABLE.iter().map(|row| row.words.replace('#', "1").replace('@', "Write"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_hides_a_later_one() {
        for (place, row) in TABLE.iter().enumerate() {
            let sample = row.words.replace('#', "1").replace('@', "Write");
            for earlier in &TABLE[..place] {
                let shared = |code: &Code| earlier.codes.is_empty() || earlier.codes.contains(code);
                let is_hidden = match row.codes {
                    [] => earlier.codes.is_empty(),
                    codes => codes.iter().any(shared),
                };
                let hides = is_hidden && strip(earlier.words, &sample).is_some();
                assert!(!hides, "`{}` hides `{}`", earlier.words, row.words);
            }
        }
    }

    #[test]
    fn numbers_and_words_are_read_whole() {
        assert_eq!(strip("# of # read", "12 of 345 reads"), Some("s"));
        assert_eq!(strip("# of # read", "12 of  reads"), None);
        assert_eq!(strip("with @ ordering", "with Strong ordering"), Some(""));
        assert_eq!(strip("with @ ordering", "with 1 ordering"), None);
        assert_eq!(strip("peer #", "peer 7"), Some(""));
        assert_eq!(strip("peer #", "a peer 7"), None);
    }
}
