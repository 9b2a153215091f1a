//! A thousand calls, and every transient fault of the testkit once in the middle of them.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::qdrant::{
    CountPointsBuilder, GetPointsBuilder, PointStruct, SearchPointsBuilder, UpsertPointsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use resilient_runtime::{breaker, resilient};
use resilient_testkit::{Answer, EmbeddedQdrant, Fault, Reason};
use resilient_tests::events::Events;
use tonic::Status;

use crate::support::{DOCS, server};

const CALLS: u64 = 1_000;

/// The first call that meets trouble: one of the collections service.
const FIRST: u64 = 60;

/// How long an attempt may take: what hangs or stalls ends by this.
const ATTEMPT: Duration = Duration::from_millis(100);

type BoxError = Box<dyn Error + Send + Sync>;

struct Service(Qdrant);

/// The delays double from 1 ms on, so that ten attempts outlast the longest fault.
#[resilient(
    retry(max_attempts = 10, base_delay = "1ms", max_delay = "1s"),
    breaker = "a thousand calls",
    attempt_timeout = "100ms"
)]
impl Service {
    async fn list(&self) -> Result<(), BoxError> {
        self.0.list_collections().await?;
        Ok(())
    }

    async fn upsert(&self, id: u64) -> Result<(), BoxError> {
        let point = PointStruct::new(id, vec![1.0, 0.0], Payload::new());
        let upsert = UpsertPointsBuilder::new(DOCS, vec![point]).wait(true);
        self.0.upsert_points(upsert).await?;
        Ok(())
    }

    async fn search(&self) -> Result<(), BoxError> {
        let search = SearchPointsBuilder::new(DOCS, vec![1.0, 0.0], 1);
        self.0.search_points(search).await?;
        Ok(())
    }

    async fn get(&self, id: u64) -> Result<(), BoxError> {
        self.0.get_points(GetPointsBuilder::new(DOCS, vec![id.into()])).await?;
        Ok(())
    }

    async fn count(&self) -> Result<(), BoxError> {
        self.0.count(CountPointsBuilder::new(DOCS)).await?;
        Ok(())
    }
}

impl Service {
    /// Call number `n` of the mix. Every fifth is of the collections service.
    async fn call(&self, n: u64) -> Result<(), BoxError> {
        match n % 5 {
            0 => self.list().await,
            1 => self.upsert(n).await,
            2 => self.search().await,
            3 => self.get(n).await,
            _ => self.count().await,
        }
    }
}

/// How often the client may send call number `n` in one attempt.
const fn tries(n: u64) -> u64 {
    if n.is_multiple_of(5) { 1 } else { 2 }
}

enum Trouble {
    /// Of the next request, and of the client's own second try of it.
    Request(Fault),
    /// Each open connection is reset, and none is made for a while.
    Gone,
    /// The next answer breaks off here, and that to the second try too.
    Cut(usize),
    /// Nothing passes for longer than an attempt.
    Stall,
}

fn troubles() -> Vec<Trouble> {
    let requests = [
        Fault::unavailable(),
        Fault::rate_limited(Duration::ZERO),
        Fault::search_timeout(),
        Fault::status(Status::internal("Service internal error: who knows")),
        Fault::status(Status::deadline_exceeded("Update operation timed out")),
        Fault::status(Status::failed_precondition("Pre-condition failure")),
        Fault::status_after_execution(Status::unavailable("the shard moves")),
        Fault::delay(ATTEMPT * 2),
        Fault::hang(),
        Fault::stall_body(),
    ];
    let answers = [408, 429, 500, 502, 503, 504]
        .into_iter()
        .flat_map(|number| ["", "<html></html>", "{\"message\":\"\"}"].map(|it| (number, it)))
        .map(|(number, body)| Answer::http(number).body(body))
        .chain([
            Answer::grpc().body([0, 0, 0, 0, 9, 1]),
            Answer::grpc().body([0, 0, 0, 0, 9, 1]).without_trailers(),
            Answer::grpc().message([]).without_trailers(),
            Answer::grpc().message([255]),
            Answer::grpc().message([]).then_reset(Reason::INTERNAL_ERROR),
        ])
        .map(Fault::answer);
    let resets = [
        Reason::NO_ERROR,
        Reason::INTERNAL_ERROR,
        Reason::REFUSED_STREAM,
        Reason::CANCEL,
        Reason::ENHANCE_YOUR_CALM,
        Reason::INADEQUATE_SECURITY,
        Reason::HTTP_1_1_REQUIRED,
    ]
    .map(Fault::reset_stream);
    let connections = [Trouble::Gone, Trouble::Cut(0), Trouble::Cut(9), Trouble::Stall];
    requests
        .into_iter()
        .chain(answers)
        .chain(resets)
        .map(Trouble::Request)
        .chain(connections)
        .collect()
}

/// Which call meets which trouble. Each meets a call of the collections service, and one of the
/// points service, whose sort varies.
fn plan() -> BTreeMap<u64, Trouble> {
    let of_collections = (FIRST..).step_by(20).zip(troubles());
    let of_points = (0..).map(|index| FIRST + 20 * index + 11 + index % 4).zip(troubles());
    of_collections.chain(of_points).collect()
}

impl Trouble {
    /// Makes trouble for call number `n`.
    fn start(self, server: &Arc<EmbeddedQdrant>, n: u64) {
        let connections = server.connections();
        match self {
            Self::Request(fault) => drop(server.script(fault.times(tries(n)))),
            Self::Gone => {
                connections.refuse();
                connections.reset();
                later(server, Duration::from_millis(5), |server| server.connections().allow());
            }
            Self::Cut(after_bytes) => {
                for _ in 0..tries(n) {
                    connections.cut_next_answer(after_bytes);
                }
            }
            Self::Stall => {
                connections.stall();
                later(server, ATTEMPT * 2, |server| server.connections().resume());
            }
        }
    }
}

fn later(
    server: &Arc<EmbeddedQdrant>,
    delay: Duration,
    then: impl FnOnce(&EmbeddedQdrant) + Send + 'static,
) {
    let server = Arc::clone(server);
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        then(&server);
    });
}

#[tokio::test]
async fn a_thousand_calls_survive_every_transient_fault() {
    let server = Arc::new(server().await);
    let service = Service(server.client());
    let events = Events::catch();
    let mut plan = plan();
    for n in 0..CALLS {
        let before = events.named("retrying").len();
        let trouble = plan.remove(&n);
        let troubled = trouble.is_some();
        if let Some(trouble) = trouble {
            trouble.start(&server, n);
        }
        if let Err(error) = service.call(n).await {
            panic!("call {n} failed: {error}");
        }
        let retried = events.named("retrying").len() > before;
        assert!(retried || !troubled, "the trouble of call {n} met no attempt");
    }
    assert!(plan.is_empty(), "all of them came in the middle of the calls");

    assert_eq!(events.named("gave up"), []);
    let totals = breaker("a thousand calls").unwrap().stats().totals;
    assert_eq!((totals.successes, totals.failures, totals.rejected), (CALLS, 0, 0));
    let stored = server.client().count(CountPointsBuilder::new(DOCS).exact(true)).await.unwrap();
    assert_eq!(stored.result.unwrap().count, CALLS / 5);
}
