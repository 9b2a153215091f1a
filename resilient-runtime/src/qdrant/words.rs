//! The texts that are read where no type and no code tells: all of them are here, and who writes
//! each.

use tonic::Code;

use super::Verdict;
use crate::ErrorKind;

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

/// Some shards of a write have failed and others have not, whatever the code of the first failure
/// is. (Qdrant, `lib/collection/src/operations/types.rs`, `InconsistentShardFailure`.)
pub(super) const PARTIALLY_APPLIED: &str = "shards failed to apply operation";

/// Variants of `QdrantError` that exist by the client's feature `serde`: made from a payload, with
/// nothing sent. (qdrant-client, `src/qdrant_client/error.rs`.)
pub(super) const OF_A_PAYLOAD: [&str; 2] =
    ["JSON cannot be converted to payload", "Error in payload deserialization"];

/// Whose words a [`Row`] has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// The client's pool of channels, before any answer. Only in a status without metadata.
    Pool,
    /// The server, or tonic as it reads the server's answer: metadata does not tell which.
    Answer,
}

/// With this code, a message of this writer that has all of these words means this.
struct Row(Writer, Code, &'static [&'static str], Verdict);

/// The meaning of a message, by the first row that fits.
pub(super) fn find(writer: Writer, code: Code, message: &str) -> Option<Verdict> {
    TABLE
        .iter()
        .filter(|Row(by, of, ..)| (*by, *of) == (writer, code))
        .find(|Row(_, _, words, _)| words.iter().all(|words| message.contains(words)))
        .map(|Row(.., verdict)| *verdict)
}

const fn safe(code: Code, words: &'static [&'static str], kind: ErrorKind) -> Row {
    Row(Writer::Answer, code, words, Verdict::not_executed(kind))
}

const fn ambiguous(code: Code, words: &'static [&'static str], kind: ErrorKind) -> Row {
    Row(Writer::Answer, code, words, Verdict::ambiguous(kind))
}

const fn pool(words: &'static [&'static str], verdict: Verdict) -> Row {
    Row(Writer::Pool, Code::Internal, words, verdict)
}

/// The first row that fits decides: what tells more comes before what tells less.
const TABLE: &[Row] = &[
    // hyper-util, `src/client/legacy/connect/http.rs`: no scheme, or no host. It is the client's
    // own URL, so the client's first try has met it too.
    pool(&["invalid URL, "], Verdict::not_executed(ErrorKind::InvalidRequestError)),
    // rustls, `src/error.rs`: the peer does not speak TLS, or has a certificate that does not pass.
    pool(&["InvalidContentType"], Verdict::ambiguous(ErrorKind::InvalidRequestError)),
    pool(&["InvalidCertificate("], Verdict::ambiguous(ErrorKind::AuthenticationError)),
    // tonic, `src/transport/service/tls.rs`: it speaks TLS, and HTTP/1 behind it.
    pool(&["H2NotNegotiated"], Verdict::ambiguous(ErrorKind::InvalidRequestError)),
    // std's `io::ErrorKind`, of hyper-util's connector or of the system.
    pool(&["TimedOut"], Verdict::ambiguous(ErrorKind::ConnectionTimeout)),
    pool(&[], Verdict::ambiguous(ErrorKind::ConnectionError)),
    // tonic, `src/codec/decode.rs`, `src/client/grpc.rs` and `src/status.rs`: an answer that ends
    // too early, without trailers, with trailers, and before them.
    ambiguous(Code::Internal, &["Unexpected EOF decoding stream"], ErrorKind::NetworkError),
    ambiguous(Code::Internal, &["Missing response message."], ErrorKind::NetworkError),
    ambiguous(Code::Unknown, &["missing grpc-status trailer"], ErrorKind::NetworkError),
    // tonic, `src/codec/decode.rs` and `src/codec/compression.rs`, of a request or of an answer:
    // the message does not tell, and in the second case the work was done.
    ambiguous(
        Code::OutOfRange,
        &["decoded message length too large"],
        ErrorKind::InvalidRequestError,
    ),
    ambiguous(
        Code::ResourceExhausted,
        &["Error decompressing: size limit"],
        ErrorKind::InvalidRequestError,
    ),
    ambiguous(
        Code::Unimplemented,
        &["Content is compressed with", "isn't supported"],
        ErrorKind::InvalidRequestError,
    ),
    // grpc-go, `rpc_util.go`: a peer's own limit on the size of a message, such as a proxy's.
    safe(Code::ResourceExhausted, &["message larger than max"], ErrorKind::InvalidRequestError),
    // Qdrant, `lib/common/common/src/rate_limiting.rs`: it never passes.
    safe(Code::ResourceExhausted, &["larger than rate limiter"], ErrorKind::InvalidRequestError),
    // Qdrant, `lib/collection/src/shards/replica_set/update.rs`: some replicas have the write. The
    // failure of the others follows, and is not to be taken for that of the whole.
    ambiguous(
        Code::Internal,
        &["Consistency of this update is not guaranteed"],
        ErrorKind::InternalError,
    ),
    // Qdrant, `lib/collection/src/operations/types.rs`: one shard's read that ran out of time,
    // inside a failed read or alone.
    ambiguous(Code::Internal, &["Timeout error: Operation '"], ErrorKind::SearchTimeout),
    ambiguous(Code::DeadlineExceeded, &["Timeout error: Operation '"], ErrorKind::SearchTimeout),
    ambiguous(Code::DeadlineExceeded, &["Operation 'Search'"], ErrorKind::SearchTimeout),
    // Qdrant, `lib/storage/src/content_manager/consensus_manager.rs`.
    ambiguous(Code::Internal, &["Waiting for consensus"], ErrorKind::TimeoutError),
    safe(Code::Internal, &["leader is not established"], ErrorKind::ServiceUnavailable),
    // Qdrant, `lib/collection/src/shards/replica_set/`: `execute_read_operation.rs`, `update.rs`.
    safe(Code::Internal, &["has no active replica"], ErrorKind::ServiceUnavailable),
    safe(Code::Internal, &["not have enough active replicas"], ErrorKind::ServiceUnavailable),
    safe(Code::Internal, &["no leader could be selected"], ErrorKind::ServiceUnavailable),
    // Qdrant, `lib/storage/src/content_manager/errors.rs`. Another peer that is unavailable, such as
    // a proxy whose connection broke, may have passed the request on.
    safe(Code::Unavailable, &["Shard temporarily unavailable"], ErrorKind::ServiceUnavailable),
    // Qdrant, `lib/collection/src/operations/types.rs`: what another peer of the cluster answered.
    ambiguous(Code::Internal, &["Tonic status error"], ErrorKind::ServiceUnavailable),
    // Qdrant, `lib/collection/src/shards/local_shard/`, before a write begins. The system's own
    // "No space left on device" comes in the middle of one.
    safe(Code::Internal, &["No space left on device: WAL buffer"], ErrorKind::InternalError),
    // Qdrant, `lib/storage/src/content_manager/errors.rs` for the beginning, `toc/` beside it and
    // `lib/collection/src/operations/types.rs` for what comes after it: the collection of the call,
    // and another one that it looks up.
    safe(Code::NotFound, &["Not found: Collection "], ErrorKind::CollectionNotFound),
    // The same, with `lib/collection/src/common/snapshots_manager.rs` and
    // `lib/storage/src/content_manager/alias_mapping.rs`.
    safe(Code::NotFound, &["Not found: Snapshot "], ErrorKind::NotFoundError),
    safe(Code::NotFound, &["Not found: Alias "], ErrorKind::NotFoundError),
    // Qdrant, `lib/segment/src/common/operation_error.rs`.
    safe(Code::InvalidArgument, &["Vector dimension error"], ErrorKind::InvalidVector),
    safe(Code::InvalidArgument, &["Not existing vector name"], ErrorKind::InvalidVector),
    safe(
        Code::InvalidArgument,
        &["Conversion between ", " and regular vectors failed"],
        ErrorKind::InvalidVector,
    ),
    // Qdrant, `src/common/auth/`, and the crate jsonwebtoken: a token that is bad or out of date.
    // Nobody is logged in, whatever the code says.
    safe(Code::PermissionDenied, &["ExpiredSignature"], ErrorKind::AuthenticationError),
    safe(Code::PermissionDenied, &["InvalidSignature"], ErrorKind::AuthenticationError),
    safe(Code::PermissionDenied, &["Invalid JWT"], ErrorKind::AuthenticationError),
];
