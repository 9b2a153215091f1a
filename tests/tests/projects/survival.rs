//! What each project survives: outages, rate limits and lost answers.

use std::sync::Arc;
use std::time::Duration;

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, CreateCollectionBuilder, Distance, VectorParamsBuilder,
};
use resilient_runtime::{BreakerState, SharedBreaker, breaker};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};
use resilient_tests::events::Events;
use tokio::sync::Notify;
use tokio::time::{advance, pause, resume};

/// How many failed calls open a breaker.
const THRESHOLD: u64 = 5;

/// The attempts of a call while the server is unavailable.
const ATTEMPTS: u64 = 3;

/// How often the client sends a call of the points service that fails.
pub(crate) const TRIES: u64 = 2;

/// Longer than a breaker stays open.
const OPEN: Duration = Duration::from_secs(31);

/// A project, as its tests see it. Errors are text, since each project has its own.
pub(crate) trait Project: Sized {
    const COLLECTION: &str;
    /// The breaker that all its calls share.
    const BREAKER: &str;
    /// The method that it finds its documents by.
    const FINDS_BY: Method;

    fn new(client: Qdrant) -> Self;

    /// Stores a document by one upsert.
    async fn store(&self, number: u64) -> Result<(), String>;

    /// Returns how many documents are found by one request.
    async fn find(&self) -> Result<u64, String>;
}

/// The tests that every project passes. They take turns, since they share its breaker.
macro_rules! survives {
    ($project:ty) => {
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

        $crate::survival::survives! { $project;
            a_short_refusal_of_connections_is_bridged
            answers_that_the_server_is_unavailable_are_bridged
            a_long_outage_opens_the_breaker_until_the_server_is_back
            a_server_that_stays_unavailable_gets_no_more_requests
            a_rate_limit_is_waited_out
            a_rate_limit_that_lasts_too_long_ends_the_call
            a_write_whose_answer_is_lost_is_stored_once
        }
    };
    ($project:ty; $($test:ident)*) => {$(
        #[tokio::test]
        async fn $test() {
            let _turn = TURN.lock().await;
            $crate::survival::$test::<$project>().await;
        }
    )*};
}
pub(crate) use survives;

/// Starts a server with the collection of the project, whose breaker is closed.
pub(crate) async fn start<P: Project>() -> (Arc<EmbeddedQdrant>, P) {
    let server = EmbeddedQdrant::start().await.unwrap();
    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    let create = CreateCollectionBuilder::new(P::COLLECTION).vectors_config(vectors);
    server.client().create_collection(create).await.unwrap();
    server.reset_counts();
    breaker_of::<P>().reset();
    let project = P::new(server.client());
    (Arc::new(server), project)
}

pub(crate) fn breaker_of<P: Project>() -> SharedBreaker {
    breaker(P::BREAKER).unwrap()
}

/// The points that the server has.
pub(crate) async fn stored<P: Project>(server: &EmbeddedQdrant) -> u64 {
    let count = CountPointsBuilder::new(P::COLLECTION).exact(true);
    server.client().count(count).await.unwrap().result.unwrap().count
}

/// Lets time go by without waiting for it.
async fn skip(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

/// Lets the time go by for which the breaker stays open.
async fn wait_until_half_open<P: Project>() {
    assert_eq!(breaker_of::<P>().state(), BreakerState::Open);
    skip(OPEN).await;
    assert_eq!(breaker_of::<P>().state(), BreakerState::HalfOpen);
}

/// Two probes close the breaker.
async fn recover<P: Project>(server: &EmbeddedQdrant, project: &P) {
    project.store(1).await.unwrap();
    assert_eq!(project.find().await, Ok(1));
    assert_eq!(breaker_of::<P>().state(), BreakerState::Closed);
    assert_eq!(server.requests(Method::UPSERT), 1);
    assert_eq!(server.requests(P::FINDS_BY), 1);
    assert_eq!(stored::<P>(server).await, 1);
}

pub(crate) async fn a_short_refusal_of_connections_is_bridged<P: Project>() {
    let (server, project) = start::<P>().await;
    project.store(1).await.unwrap();
    for outage in 1..=2 {
        server.kill();
        // The server is back before the first retry.
        let events = Events::catch_and({
            let server = Arc::clone(&server);
            move || server.start_again().unwrap()
        });
        if outage == 1 {
            project.store(2).await.unwrap();
        } else {
            assert_eq!(project.find().await, Ok(2));
        }
        assert_eq!(events.named("retrying").len(), 1);
    }
    assert_eq!(server.requests(Method::UPSERT), 2);
    assert_eq!(server.requests(P::FINDS_BY), 1);
    assert_eq!(stored::<P>(&server).await, 2);
}

pub(crate) async fn answers_that_the_server_is_unavailable_are_bridged<P: Project>() {
    let (server, project) = start::<P>().await;
    server.script(Fault::unavailable().on(Method::UPSERT).times(TRIES));
    project.store(1).await.unwrap();
    assert_eq!(server.requests(Method::UPSERT), TRIES + 1);

    let before = server.requests(P::FINDS_BY);
    server.script(Fault::unavailable().on(P::FINDS_BY).times(TRIES));
    assert_eq!(project.find().await, Ok(1));
    assert_eq!(server.requests(P::FINDS_BY), before + TRIES + 1);
    assert_eq!(stored::<P>(&server).await, 1);
}

pub(crate) async fn a_long_outage_opens_the_breaker_until_the_server_is_back<P: Project>() {
    let (server, project) = start::<P>().await;
    server.kill();
    for number in 1..=THRESHOLD {
        project.store(number).await.unwrap_err();
    }
    assert_eq!(breaker_of::<P>().state(), BreakerState::Open);

    server.start_again().unwrap();
    project.store(1).await.unwrap_err();
    project.find().await.unwrap_err();
    assert_eq!(server.total_requests(), 0, "an open breaker lets nothing through");

    wait_until_half_open::<P>().await;
    recover(&server, &project).await;
}

pub(crate) async fn a_server_that_stays_unavailable_gets_no_more_requests<P: Project>() {
    let (server, project) = start::<P>().await;
    let outage = server.script(Fault::unavailable());
    for number in 1..=THRESHOLD {
        project.store(number).await.unwrap_err();
    }
    assert_eq!(server.total_requests(), THRESHOLD * ATTEMPTS * TRIES);
    for number in 1..=THRESHOLD {
        project.store(number).await.unwrap_err();
        project.find().await.unwrap_err();
    }
    assert_eq!(server.total_requests(), THRESHOLD * ATTEMPTS * TRIES);
    assert_eq!(server.requests(Method::UPSERT), outage.hits());

    outage.remove();
    server.reset_counts();
    wait_until_half_open::<P>().await;
    recover(&server, &project).await;
}

pub(crate) async fn a_rate_limit_is_waited_out<P: Project>() {
    let (server, project) = start::<P>().await;
    let wait = Duration::from_secs(20);
    server.script(Fault::rate_limited(wait).on(Method::UPSERT).times(1));
    let retrying = Arc::new(Notify::new());
    let _events = Events::catch_and({
        let retrying = Arc::clone(&retrying);
        move || retrying.notify_one()
    });
    let time = async {
        retrying.notified().await;
        skip(wait / 2).await;
        assert_eq!(stored::<P>(&server).await, 0);
        assert_eq!(server.requests(Method::UPSERT), 1, "the wait is not over");
        skip(wait).await;
    };
    let (result, ()) = tokio::join!(project.store(1), time);
    result.unwrap();
    assert_eq!(server.requests(Method::UPSERT), 2);
    assert_eq!(stored::<P>(&server).await, 1);
}

pub(crate) async fn a_rate_limit_that_lasts_too_long_ends_the_call<P: Project>() {
    let (server, project) = start::<P>().await;
    server.script(Fault::rate_limited(Duration::from_secs(60)).on(Method::UPSERT));
    project.store(1).await.unwrap_err();
    assert_eq!(server.requests(Method::UPSERT), 1);
    assert_eq!(stored::<P>(&server).await, 0);
}

pub(crate) async fn a_write_whose_answer_is_lost_is_stored_once<P: Project>() {
    let (server, project) = start::<P>().await;
    for _ in 0..TRIES {
        server.connections().cut_next_answer(0);
    }
    project.store(1).await.unwrap();
    assert_eq!(server.requests(Method::UPSERT), TRIES + 1);
    assert_eq!(stored::<P>(&server).await, 1);
}
