//! The texts that classify a status when neither a type nor its code does. Each names its author.

use tonic::Code;

use crate::ErrorKind;
use crate::error::classification::Classification;

/// The client could not connect. The URI follows, then [`REASON`], then the error of the transport
/// as `{:?}` prints it.
/// (qdrant-client, `src/channel_pool.rs`.)
pub(super) const FAILED_TO_CONNECT: &str = "Failed to connect to ";

/// Ends the URI: no URI contains this.
pub(super) const REASON: &str = ": ";

/// The client could not try to connect: a certificate cannot have the host of the URL as its name,
/// or the system has no root certificates. (qdrant-client, `src/channel_pool.rs`.)
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

/// Classifies the reason that the client's pool of channels gives when it cannot connect. The
/// reason is an error of the transport as `{:?}` prints it, and contains nothing that a user sends.
pub(super) fn of_pool(reason: &str) -> Classification {
    POOL.iter()
        .find(|(words, _)| reason.contains(words))
        .map_or(Classification::ambiguous(ErrorKind::ConnectionError), |(_, meaning)| *meaning)
}

/// The first row whose text the reason contains decides.
const POOL: &[(&str, Classification)] = &[
    // hyper-util, `src/client/legacy/connect/http.rs`: no scheme, or no host. The URL is the
    // client's, so the client's first try has failed in the same way.
    ("invalid URL, ", Classification::not_executed(ErrorKind::InvalidRequestError)),
    // rustls, `src/error.rs`: the peer does not speak TLS, or its certificate is rejected.
    ("InvalidContentType", Classification::ambiguous(ErrorKind::InvalidRequestError)),
    ("InvalidCertificate(", Classification::ambiguous(ErrorKind::AuthenticationError)),
    // tonic, `src/transport/service/tls.rs`: the peer speaks HTTP/1 over TLS.
    ("H2NotNegotiated", Classification::ambiguous(ErrorKind::InvalidRequestError)),
    // std's `io::ErrorKind`, from hyper-util's connector or from the system.
    ("TimedOut", Classification::ambiguous(ErrorKind::ConnectionTimeout)),
];

/// The meaning of a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    /// The failure.
    Is(Classification),
    /// The failure, unless the text that follows says more.
    AtLeast(Classification),
    /// Nothing by itself. The failure follows.
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

/// A text of Qdrant, or of tonic when it reads an answer of Qdrant, and its meaning.
pub(super) struct MessageRule {
    /// The codes with which the text has this meaning. None means all codes.
    codes: &'static [Code],
    /// The text. In it, `#` stands for a number and `@` for a word.
    words: &'static str,
    says: Says,
}

/// Reads one text at the beginning of `message`, and returns its meaning and the rest.
///
/// Only the beginning is read. Data of users, such as payloads, points and documents, follows the
/// server's own words and can contain any text.
pub(super) fn read(code: Code, message: &str) -> Option<(Says, &str)> {
    TABLE
        .iter()
        .filter(|row| row.codes.is_empty() || row.codes.contains(&code))
        .find_map(|row| Some((row.says, strip(row.words, message)?)))
}

/// Returns the rest of `message` if it begins with `words`.
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

const fn unavailable(words: &'static str) -> MessageRule {
    ambiguous(INTERNAL, words, ErrorKind::ServiceUnavailable)
}

const fn invalid_vector(words: &'static str) -> MessageRule {
    safe(INVALID, words, ErrorKind::InvalidVector)
}

const ANY: &[Code] = &[];
const INTERNAL: &[Code] = &[Code::Internal];
const INVALID: &[Code] = &[Code::InvalidArgument];
const NOT_FOUND: &[Code] = &[Code::NotFound];
const EXHAUSTED: &[Code] = &[Code::ResourceExhausted];
const INVALID_REQUEST: Classification = Classification::ambiguous(ErrorKind::InvalidRequestError);
/// A limit of the node's resources: strict mode's in 1.18, the quota's in 1.19.
const LIMITS: &[Code] = &[Code::InvalidArgument, Code::ResourceExhausted];

/// The first row that matches decides. A text that says more comes before one that says less.
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
    // tonic, `src/codec/decode.rs` and `src/codec/compression.rs`, of a request or of an answer.
    // The message does not say which, and for an answer the work was done.
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
    // Qdrant, `lib/collection/src/operations/types.rs`, `CollectionError`: texts around the
    // failure of one of several.
    row(
        ANY,
        "# out of # shards failed to apply operation. First error captured: ",
        Says::WrapsPart,
    ),
    row(ANY, "Remote shard on # failed during forward proxy operation: ", Says::Wraps),
    // Qdrant, `lib/collection/src/shards/replica_set/`: `execute_read_operation.rs`, `update.rs`.
    row(INTERNAL, "# of # read operations failed:\n  ", Says::WrapsRead),
    // There was no replica to read.
    unavailable("# of # read operations failed"),
    row(INTERNAL, "Failed to apply update with @ ordering via leader peer #: ", Says::Wraps),
    unavailable("The replica set for shard # on peer # has no active replica"),
    unavailable("The replica set for shard # on peer # does not have enough active replicas"),
    // "… because no leader could be selected", behind the collection's name.
    unavailable("Cannot update shard "),
    unavailable("Cannot forward update to shard # "),
    unavailable("Local shard # not found"),
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
    // Qdrant, `lib/collection/src/operations/types.rs`: an answer of a peer, or a failed
    // connection to a peer, as an error of this node. A printed status follows the first three.
    row(INTERNAL, "Internal error: ", Says::Wraps),
    row(ANY, "InvalidArgument: ", Says::Wraps),
    row(ANY, "AlreadyExists: ", Says::Wraps),
    unavailable("Tonic status error"),
    unavailable("Tonic transport error"),
    unavailable("Tonic error: "),
    unavailable("transport error"),
    // Qdrant, `lib/collection/src/shards/`: `remote_shard.rs` and `channel_service.rs`. A peer that
    // this node does not know yet, or no longer.
    unavailable("no address found for peer #"),
    unavailable("Address for peer ID is not found"),
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
    // The same, and `lib/storage/src/content_manager/errors.rs`: temporary states.
    unavailable("Shard temporarily unavailable"),
    unavailable("Precondition failed"),
    // Qdrant, `src/common/inference/`. Some failures lack the first text.
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
    // Qdrant, `lib/storage/src/content_manager/errors.rs`: the first text of a message. If the code
    // is not its own, an operation of several steps failed with it.
    row(INTERNAL, "Service internal error: ", Says::Wraps),
    row(LIMITS, "Wrong input: ", Says::Wraps),
    row(LIMITS, "Bad request: ", Says::Wraps),
    row(LIMITS, "Strict mode error: ", Says::Wraps),
    row(INVALID, "Validation failed: ", Says::Wraps),
    row(NOT_FOUND, "Not found: ", Says::Wraps),
    row(INTERNAL, "Wrong input: ", Says::AtLeast(INVALID_REQUEST)),
    row(INTERNAL, "Bad request: ", Says::AtLeast(INVALID_REQUEST)),
    row(INTERNAL, "Not found: ", Says::AtLeast(INVALID_REQUEST)),
    // Rate limits, `CollectionError::rate_limit_error`. With a comma, the request is larger than
    // the whole limit and can never succeed. A read changes nothing, but other parts of a write may
    // have been applied.
    row(
        &[Code::Internal, Code::ResourceExhausted],
        "Rate limiting exceeded: ",
        Says::AtLeast(Classification::ambiguous(ErrorKind::RateLimitError)),
    ),
    safe(EXHAUSTED, "@ rate limit exceeded, ", ErrorKind::InvalidRequestError),
    safe(EXHAUSTED, "Read rate limit exceeded", ErrorKind::RateLimitError),
    // Qdrant, `lib/storage/src/quota/` and `lib/collection/src/operations/verification/`: the state
    // of the node, not a fault of the request.
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
    // `lib/api/src/grpc/`: a vector's dimension, name and type. Texts about
    // the configuration of a collection begin with "Vectors".
    invalid_vector("Vector "),
    invalid_vector("Default vector "),
    invalid_vector("vector blob of "),
    invalid_vector("Dense vector "),
    invalid_vector("Sparse vector "),
    invalid_vector("Multi vector "),
    invalid_vector("Multivector "),
    invalid_vector("Not existing vector name"),
    invalid_vector("Collection requires specified vector name"),
    invalid_vector("Conversion between @ and @ vectors failed"),
    invalid_vector("Wrong usage of @ vectors"),
    invalid_vector("Unable to convert to multi-dense vector"),
    // Qdrant, `src/common/auth/`, and the crate jsonwebtoken: an invalid or expired token. The
    // caller is not authenticated, whatever the code says.
    safe(&[Code::PermissionDenied], "ExpiredSignature", ErrorKind::AuthenticationError),
    safe(&[Code::PermissionDenied], "InvalidSignature", ErrorKind::AuthenticationError),
    safe(&[Code::PermissionDenied], "Invalid JWT", ErrorKind::AuthenticationError),
];

/// Returns every text of the table, with a number for `#` and a word for `@`.
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
