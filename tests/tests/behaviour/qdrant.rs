//! A real client against the embedded server: how each failure is recognised, and survived.
//!
//! The client sends a failed call of the points service a second time by itself, so a fault on
//! such a call is injected twice, and requests are counted at the server.

use std::time::Duration;

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, GetPointsBuilder, PointId, PointStruct, QueryPointsBuilder,
    SearchPointsBuilder, SearchResponse, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Qdrant, QdrantError};
use resilient_runtime::{BreakerState, CircuitOpenError, Classify, ErrorKind, breaker, resilient};
use resilient_testkit::tonic::metadata::MetadataMap;
use resilient_testkit::tonic::{Code, Status};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};

const DOCS: &str = "docs";

/// A server with a collection of one point.
async fn server() -> EmbeddedQdrant {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    let create = CreateCollectionBuilder::new(DOCS).vectors_config(vectors);
    client.create_collection(create).await.unwrap();
    client.upsert_points(UpsertPointsBuilder::new(DOCS, vec![point(1)])).await.unwrap();
    server.reset_counts();
    server
}

fn point(id: u64) -> PointStruct {
    PointStruct::new(id, vec![1.0, 0.0], qdrant_client::Payload::new())
}

async fn search(client: &Qdrant) -> Result<SearchResponse, QdrantError> {
    client.search_points(SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1)).await
}

/// What is known of the failure of a search that meets this fault.
async fn judged(fault: Fault) -> (ErrorKind, Option<Duration>, bool) {
    let server = server().await;
    server.script(fault.on(Method::SEARCH));
    let error = search(&server.client()).await.unwrap_err();
    (error.kind(), error.retry_after(), error.maybe_executed())
}

#[tokio::test]
async fn a_rate_limit_is_recognised_with_its_hint_and_without() {
    let hint = Duration::from_secs(7);
    let limited = Fault::rate_limited(hint);
    assert_eq!(judged(limited).await, (ErrorKind::RateLimitError, Some(hint), false));

    let mut metadata = MetadataMap::new();
    metadata.insert("retry-after", "soon".parse().unwrap());
    let status = Status::with_metadata(Code::ResourceExhausted, "Rate limiting", metadata);
    let limited = Fault::status(status);
    assert_eq!(judged(limited).await, (ErrorKind::RateLimitError, None, false));
}

#[tokio::test]
async fn answers_of_the_server_have_their_kinds() {
    assert_eq!(judged(Fault::unavailable()).await.0, ErrorKind::ServiceUnavailable);
    assert_eq!(judged(Fault::search_timeout()).await.0, ErrorKind::SearchTimeout);
    for (status, kind) in [
        (Status::internal("Service internal error: panic"), ErrorKind::InternalError),
        (Status::unauthenticated("Must provide an API key"), ErrorKind::AuthenticationError),
        (Status::permission_denied("Forbidden: Global access"), ErrorKind::PermissionDenied),
        (Status::permission_denied("Forbidden: ExpiredSignature"), ErrorKind::AuthenticationError),
        (Status::invalid_argument("Wrong input: limit"), ErrorKind::InvalidRequestError),
    ] {
        let message = status.message().to_owned();
        assert_eq!(judged(Fault::status(status)).await.0, kind, "{message}");
    }
}

#[tokio::test]
async fn what_the_request_gets_wrong_is_not_transient() {
    let server = server().await;
    let client = server.client();

    let missing = SearchPointsBuilder::new("nowhere", vec![1.0, 0.0], 1);
    let error = client.search_points(missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CollectionNotFound);

    let missing = QueryPointsBuilder::new(DOCS).query(PointId::from(999));
    let error = client.query(missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFoundError);

    let long = SearchPointsBuilder::new(DOCS, vec![1.0; 3], 1);
    let error = client.search_points(long).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidVector);
    assert!(!error.maybe_executed());
}

#[tokio::test]
async fn a_refused_connection_is_a_connection_error_on_new_and_old_channels() {
    let server = server().await;
    let mut config = Qdrant::from_url(&server.url()).skip_compatibility_check();
    config.set_pool_size(1);
    let client = config.build().unwrap();
    search(&client).await.unwrap();
    server.connections().refuse();
    server.connections().reset();
    for _ in 0..2 {
        let error = search(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionError, "{error}");
    }
}

#[tokio::test]
async fn the_clients_timeout_is_a_timeout_though_it_arrives_as_cancelled() {
    let server = server().await;
    server.script(Fault::hang().on(Method::SEARCH));
    let client = Qdrant::from_url(&server.url())
        .timeout(Duration::from_millis(50))
        .skip_compatibility_check()
        .build()
        .unwrap();
    let error = search(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimeoutError, "{error}");
    assert!(error.maybe_executed());
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_network_error() {
    let server = server().await;
    let client = server.client();
    server.connections().cut_next_answer(3);
    server.connections().cut_next_answer(3);
    let error = search(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkError, "{error}");
    assert!(error.maybe_executed());
}

#[resilient(retry = "rate_limit_error")]
async fn upsert(client: &Qdrant, points: Vec<PointStruct>) -> Result<(), QdrantError> {
    client.upsert_points(UpsertPointsBuilder::new(DOCS, points).wait(true)).await?;
    Ok(())
}

#[tokio::test]
async fn a_rate_limited_write_is_stored_after_the_hint() {
    let server = server().await;
    server.script(Fault::rate_limited(Duration::from_secs(1)).on(Method::UPSERT).times(1));
    let start = std::time::Instant::now();
    upsert(&server.client(), vec![point(2)]).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests(Method::UPSERT), 2);
    let get = GetPointsBuilder::new(DOCS, vec![2.into()]);
    assert_eq!(server.client().get_points(get).await.unwrap().result.len(), 1);
}

#[resilient(
    retry(max_attempts = 2, base_delay = "1ms"),
    breaker(name = "real search", failure_threshold = 2, open_duration = "1s")
)]
async fn guarded_search(client: &Qdrant) -> Result<SearchResponse, QdrantError> {
    search(client).await
}

#[tokio::test]
async fn an_outage_is_survived_end_to_end() {
    let server = server().await;
    let client = server.client();
    let breaker = breaker("real search").unwrap();

    let down = server.script(Fault::unavailable().on(Method::SEARCH));
    for _ in 0..2 {
        guarded_search(&client).await.unwrap_err();
    }
    // Two calls of two attempts, each sent twice by the client.
    assert_eq!(server.requests(Method::SEARCH), 8);
    assert_eq!(breaker.state(), BreakerState::Open);

    let error = guarded_search(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    let open = CircuitOpenError::find(&error).unwrap();
    assert_eq!(open.breaker, "real search");
    assert_eq!(server.requests(Method::SEARCH), 8, "an open breaker sends nothing");

    down.remove();
    tokio::time::sleep(open.retry_after.unwrap()).await;
    for _ in 0..2 {
        guarded_search(&client).await.unwrap();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(server.requests(Method::SEARCH), 10);
}
