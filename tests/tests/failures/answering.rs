//! Answers that arrive and are broken, or cannot be read.

use qdrant_client::QdrantError;
use qdrant_client::qdrant::collections_client::CollectionsClient;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, ListCollectionsRequest, VectorParamsBuilder,
};
use resilient_runtime::ErrorKind as Kind;
use resilient_testkit::{Answer, Fault};
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic::transport::Endpoint;

use crate::support::{Call, Seen, seen, server};

#[tokio::test]
async fn an_answer_that_cannot_be_read_may_be_that_of_a_call_that_was_executed() {
    // Nine bytes are promised, and one comes.
    let truncated = || Answer::grpc().body([0, 0, 0, 0, 9, 1]);
    for (name, answer, kind) in [
        ("truncated, without trailers", truncated().without_trailers(), Kind::NetworkError),
        ("truncated, with trailers", truncated(), Kind::NetworkError),
        ("truncated in its head", Answer::grpc().body([0, 0]), Kind::NetworkError),
        (
            "larger than the connection carries",
            Answer::grpc().body([0, 255, 255, 255, 255]),
            Kind::NetworkError,
        ),
        ("without a message", Answer::grpc(), Kind::NetworkError),
        ("without trailers", Answer::grpc().message([]).without_trailers(), Kind::NetworkError),
        ("no protobuf", Answer::grpc().message([255, 255, 255]), Kind::InternalError),
        (
            "compressed, and not saying how",
            Answer::grpc().body([1, 0, 0, 0, 1, 0]),
            Kind::InternalError,
        ),
    ] {
        for call in Call::BOTH {
            let seen = seen(Fault::answer(answer.clone()), call).await;
            assert_eq!(seen, Seen::executed_perhaps(kind, call.tries()), "{name} {call:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_in_an_encoding_that_the_client_lacks() {
    for call in Call::BOTH {
        let answer = Answer::grpc().header("grpc-encoding", "zstd").body([1, 0, 0, 0, 1, 0]);
        let seen = seen(Fault::answer(answer), call).await;
        assert_eq!(seen, Seen::executed_perhaps(Kind::InvalidRequestError, 1), "{call:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_larger_than_the_client_takes() {
    let server = server().await;
    // Long, and short when it is compressed.
    let name = "x".repeat(200);
    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    let create = CreateCollectionBuilder::new(name).vectors_config(vectors);
    server.client().create_collection(create).await.unwrap();
    server.reset_counts();

    // The client itself takes answers of any size, so that this takes a channel of tonic.
    let channel = Endpoint::new(server.url()).unwrap().connect().await.unwrap();
    let plain = CollectionsClient::new(channel).max_decoding_message_size(100);
    let compressed = plain.clone().accept_compressed(CompressionEncoding::Gzip);
    for (mut client, code) in [(plain, Code::OutOfRange), (compressed, Code::ResourceExhausted)] {
        let status = client.list(ListCollectionsRequest {}).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        let expected = Seen::executed_perhaps(Kind::InvalidRequestError, 1);
        assert_eq!(Seen::of(&QdrantError::from(status), server.total_requests()), expected);
        server.reset_counts();
    }
}
