use std::time::{Duration, Instant};

use qdrant_client::qdrant::{GetPointsBuilder, SearchPointsBuilder};
use qdrant_client::{Qdrant, QdrantError};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::support::{DOCS, assert_status, point, server_with_docs, status, upsert};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(60);

async fn search(client: &Qdrant) -> Result<usize, QdrantError> {
    let search = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1);
    Ok(client.search_points(search).await?.result.len())
}

async fn stored(client: &Qdrant, id: u64) -> bool {
    let get = GetPointsBuilder::new(DOCS, vec![id.into()]);
    !client.get_points(get).await.unwrap().result.is_empty()
}

#[tokio::test]
async fn a_status_is_answered_with_its_metadata() {
    let (server, client) = server_with_docs().await;
    let mut exhausted = Status::resource_exhausted("slow down");
    exhausted.metadata_mut().insert("retry-after", MetadataValue::from_static("7"));
    server.script(Fault::status(exhausted).on(Method::SEARCH));
    let error = search(&client).await.expect_err("the fault");
    assert!(matches!(error, QdrantError::ResourceExhaustedError { retry_after_seconds: 7, .. }));
    assert_eq!(status(&error).message(), "slow down");
    assert_eq!(server.requests(Method::SEARCH), 1);
}

#[tokio::test]
async fn the_clients_second_try_hides_one_unavailable_and_shows_two() {
    let (server, client) = server_with_docs().await;
    let unavailable = || Fault::status(Status::unavailable("gone")).on(Method::SEARCH);
    let once = server.script(unavailable().times(1));
    search(&client).await.unwrap();
    assert_eq!((once.hits(), server.requests(Method::SEARCH)), (1, 2));

    server.reset_counts();
    let twice = server.script(unavailable().times(2));
    assert_status(search(&client).await, Code::Unavailable, "gone");
    assert_eq!((twice.hits(), server.requests(Method::SEARCH)), (2, 2));
    search(&client).await.unwrap();
}

#[tokio::test]
async fn a_status_keeps_the_call_from_being_executed() {
    let (server, client) = server_with_docs().await;
    server.script(Fault::status(Status::aborted("no")).on(Method::UPSERT).times(1));
    assert_status(client.upsert_points(upsert(vec![point(1)])).await, Code::Aborted, "no");
    assert!(!stored(&client, 1).await);
}

#[tokio::test]
async fn a_status_after_execution_leaves_the_write_applied() {
    let (server, client) = server_with_docs().await;
    let fault = Fault::status_after_execution(Status::deadline_exceeded("who knows"));
    server.script(fault.on(Method::UPSERT).times(1));
    assert_status(
        client.upsert_points(upsert(vec![point(1)])).await,
        Code::DeadlineExceeded,
        "who knows",
    );
    assert!(stored(&client, 1).await);
}

#[tokio::test]
async fn a_large_request_gets_its_status_too() {
    let (server, client) = server_with_docs().await;
    server.script(Fault::status(Status::aborted("no")).on(Method::UPSERT));
    for _ in 0..20 {
        let points = (0..20_000).map(point).collect();
        assert_status(client.upsert_points(upsert(points)).await, Code::Aborted, "no");
    }
}

#[tokio::test]
async fn a_delay_comes_before_the_answer() {
    let (server, client) = server_with_docs().await;
    server.script(Fault::delay(SHORT).on(Method::SEARCH));
    let start = Instant::now();
    search(&client).await.unwrap();
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_delay_and_a_status_compose() {
    let (server, client) = server_with_docs().await;
    server.script(Fault::delay(SHORT));
    server.script(Fault::status(Status::aborted("late")));
    let start = Instant::now();
    assert_status(search(&client).await, Code::Aborted, "late");
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_gives_up() {
    let (server, _) = server_with_docs().await;
    let client =
        Qdrant::from_url(&server.url()).timeout(SHORT).skip_compatibility_check().build().unwrap();
    let fault = server.script(Fault::hang().on(Method::SEARCH));
    assert_status(search(&client).await, Code::Cancelled, "Timeout expired");
    assert_eq!(fault.hits(), 2, "the client's second try hangs as well");
    fault.remove();
    search(&client).await.unwrap();
}

#[tokio::test]
async fn a_stalled_body_is_beyond_the_clients_timeout() {
    let (server, _) = server_with_docs().await;
    let client = Qdrant::from_url(&server.url())
        .timeout(SHORT * 5)
        .skip_compatibility_check()
        .build()
        .unwrap();
    let fault = server.script(Fault::stall_body().on(Method::UPSERT));
    let call = client.upsert_points(upsert(vec![point(1)]));
    assert!(
        tokio::time::timeout(SHORT * 10, call).await.is_err(),
        "the client's timeout ends with the headers"
    );
    assert_eq!(fault.hits(), 1);
    assert!(stored(&client, 1).await, "the call was executed");
}

#[tokio::test]
async fn a_fault_meets_only_its_methods() {
    let (server, client) = server_with_docs().await;
    let fault =
        Fault::status(Status::aborted("no")).on(Method::SEARCH).on(Method::LIST_COLLECTIONS);
    server.script(fault);
    assert!(search(&client).await.is_err());
    assert!(client.list_collections().await.is_err());
    assert!(client.health_check().await.is_ok());
    assert!(!stored(&client, 1).await);
}

#[tokio::test]
async fn a_window_of_faults_is_over_by_itself() {
    let (server, client) = server_with_docs().await;
    let fault = Fault::status(Status::aborted("no"));
    let later = server.script(fault.clone().starting_in(LONG));
    search(&client).await.unwrap();
    assert_eq!(later.hits(), 0);

    let start = Instant::now();
    server.script(fault.lasting(SHORT));
    while search(&client).await.is_err() {
        assert!(start.elapsed() < LONG);
    }
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_rate_of_faults_is_steady() {
    let (server, client) = server_with_docs().await;
    let fault = Fault::status(Status::aborted("no")).on(Method::SEARCH).every(3);
    let fault = server.script(fault);
    let mut failed = Vec::new();
    for nth in 1..=9 {
        if search(&client).await.is_err() {
            failed.push(nth);
        }
    }
    assert_eq!(failed, [3, 6, 9]);
    assert_eq!(fault.hits(), 3);
}

#[tokio::test]
async fn a_dropped_handle_leaves_its_fault_at_work() {
    let (server, client) = server_with_docs().await;
    drop(server.script(Fault::status(Status::aborted("no"))));
    assert!(search(&client).await.is_err());
}

#[tokio::test]
async fn requests_are_counted_as_they_arrive() {
    let server = EmbeddedQdrant::start().await.unwrap();
    let client = server.client();
    server.script(Fault::status(Status::aborted("no")).on(Method::HEALTH_CHECK));
    client.list_collections().await.unwrap();
    client.list_collections().await.unwrap();
    client.health_check().await.expect_err("the fault");
    client.collection_info("nope").await.expect_err("no collection");
    client.list_full_snapshots().await.expect_err("no such service");
    assert_eq!(
        server.requests_by_method().into_iter().collect::<Vec<_>>(),
        [(Method::GET_COLLECTION, 1), (Method::LIST_COLLECTIONS, 2), (Method::HEALTH_CHECK, 1),]
    );
    assert_eq!(server.total_requests(), 5, "the snapshots' one included");
    server.reset_counts();
    assert_eq!(server.total_requests(), 0);
    assert_eq!(server.requests(Method::LIST_COLLECTIONS), 0);
}
