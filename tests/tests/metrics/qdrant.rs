//! An outage of a server, with many clients: the metrics against what the clients and an observer
//! count.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qdrant_client::qdrant::QueryPointsBuilder;
use qdrant_client::{Qdrant, QdrantError};
use resilient_runtime::{
    BreakerState, CallOutcome, Classify, ErrorKind, Event, EventKind, GiveUpReason, Rejection,
    breaker, observe, only, resilient,
};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};
use tokio::time::{sleep, timeout};

use super::Metrics;
use super::text::Scrape;

const CLIENTS: usize = 8;
const FUNCTION: (&str, &str) = ("function", "metrics::qdrant::query");
const BREAKER: (&str, &str) = ("breaker", "outage");

#[derive(Debug, thiserror::Error)]
enum QueryError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(transparent)]
    Qdrant(#[from] QdrantError),
}

impl Classify for QueryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rejected(rejection) => rejection.kind(),
            Self::Qdrant(error) => error.kind(),
        }
    }
}

/// There is no collection, so that a server that works answers with an error that is not retried.
#[resilient(
    retry(row = "service_unavailable", max_attempts = 3, base_delay = "10ms", jitter = 0.5),
    breaker(name = "outage", failure_threshold = 5, open_duration = "150ms"),
    attempt_timeout = "100ms",
    deadline = "400ms",
    budget = "outage",
    durations = true
)]
async fn query(client: &Qdrant, attempts: &AtomicU64, exists: bool) -> Result<(), QueryError> {
    attempts.fetch_add(1, Ordering::Relaxed);
    let result = client.query(QueryPointsBuilder::new("docs").query(vec![0.6, 0.8])).await;
    match result {
        Err(error) if !exists && error.kind() == ErrorKind::CollectionNotFound => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

/// What is true, by the name of what is counted.
#[derive(Clone, Default)]
struct Truth(Arc<Mutex<BTreeMap<String, u64>>>);

impl Truth {
    fn count(&self, what: impl Into<String>) {
        *self.0.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    fn of(&self, what: &str) -> u64 {
        self.0.lock().unwrap().get(what).copied().unwrap_or_default()
    }
}

/// Calls until it is told to end. Some of its futures are dropped.
async fn call(client: Qdrant, attempts: Arc<AtomicU64>, truth: Truth, ended: Arc<AtomicBool>) {
    for round in 0_u64.. {
        if ended.load(Ordering::Relaxed) {
            return;
        }
        let patience = Duration::from_millis(if round % 5 == 4 { 30 } else { 10_000 });
        // Each eleventh asks for a collection that does not exist.
        let answer = timeout(patience, query(&client, &attempts, round % 11 == 10)).await;
        truth.count(match answer {
            Ok(Ok(())) => CallOutcome::Success.as_str(),
            Ok(Err(QueryError::Rejected(Rejection::CircuitOpen(_)))) => "rejected",
            Ok(Err(QueryError::Rejected(_))) => "timeout",
            Ok(Err(QueryError::Qdrant(_))) => "error",
            Err(_) => "cancelled",
        });
        sleep(Duration::from_millis(3)).await;
    }
}

/// One way to fail after the other, each until it shows, and health between them.
async fn outage(server: &EmbeddedQdrant, truth: &Truth) {
    let phase = Duration::from_millis(300);
    sleep(phase).await;
    for (fault, outcomes) in [
        (Fault::unavailable(), ["error", "rejected"]),
        (Fault::hang(), ["timeout", "cancelled"]),
        (Fault::rate_limited(phase / 4), ["error", "rejected"]),
    ] {
        let before = outcomes.map(|outcome| truth.of(outcome));
        let fault = server.script(fault.on(Method::QUERY));
        sleep(phase).await;
        while outcomes
            .map(|outcome| truth.of(outcome))
            .iter()
            .zip(before)
            .any(|(now, it)| *now == it)
        {
            sleep(Duration::from_millis(10)).await;
        }
        fault.remove();
        sleep(phase).await;
    }
    server.kill();
    sleep(phase).await;
    server.start_again().unwrap();
    while breaker("outage").unwrap().state() != BreakerState::Closed {
        sleep(Duration::from_millis(10)).await;
    }
    sleep(phase).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_metrics_of_an_outage_are_what_clients_and_an_observer_count() {
    let metrics = Metrics::serve().await;
    let server = EmbeddedQdrant::start().await.unwrap();
    let (truth, attempts) = (Truth::default(), Arc::new(AtomicU64::new(0)));
    let hearing = truth.clone();
    let events = EventKind::GaveUp | EventKind::Transition;
    let _observation = observe(only(events, move |event: &Event<'_>| match event {
        Event::GaveUp { call, reason, .. } if call.function == FUNCTION.1 => {
            hearing.count(reason.as_str());
        }
        Event::Transition { breaker: "outage", from, to, .. } => {
            hearing.count(format!("{from} to {to}"));
        }
        _ => {}
    }));

    let ended = Arc::new(AtomicBool::new(false));
    let calling: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (attempts, truth, ended) =
                (Arc::clone(&attempts), truth.clone(), Arc::clone(&ended));
            tokio::spawn(call(server.client(), attempts, truth, ended))
        })
        .collect();
    let watched = async {
        let mut states = BTreeMap::<String, u32>::new();
        let mut last = metrics.scrape().await;
        while !ended.load(Ordering::Relaxed) {
            let scrape = metrics.scrape().await;
            scrape.assert_follows(&last);
            match scrape.states(BREAKER.1).as_slice() {
                [(state, 1.0)] => *states.entry(state.clone()).or_default() += 1,
                other => panic!("{other:?}"),
            }
            let tokens = scrape.value("resilient_budget_tokens", &[("budget", "outage")]);
            assert!((0.0..=500.0).contains(&tokens), "{tokens}");
            last = scrape;
            sleep(Duration::from_millis(10)).await;
        }
        states
    };
    let driven = async {
        outage(&server, &truth).await;
        ended.store(true, Ordering::Relaxed);
    };
    let (states, ()) = tokio::join!(watched, driven);
    for client in calling {
        client.await.unwrap();
    }
    assert!(states.contains_key("open") && states.contains_key("closed"), "{states:?}");
    compare(&metrics.scrape().await, &truth, attempts.load(Ordering::Relaxed));
}

fn compare(scrape: &Scrape, truth: &Truth, attempts: u64) {
    let whole = |value: f64| {
        assert!(value.fract() == 0.0 && value >= 0.0, "{value}");
        format!("{value}").parse::<u64>().unwrap()
    };
    let mut calls = 0;
    for outcome in CallOutcome::ALL {
        let labels = [FUNCTION, ("outcome", outcome.as_str())];
        let told = whole(scrape.value("resilient_calls_total", &labels));
        assert_eq!(told, truth.of(outcome.as_str()), "{outcome:?}");
        assert!(told > 0, "the outage has no {outcome:?}");
        let measured = whole(scrape.value("resilient_call_duration_seconds_count", &labels));
        assert_eq!(measured, told, "each call has a duration");
        calls += told;
    }
    let retries = whole(scrape.sum("resilient_retries_total", FUNCTION));
    assert_eq!(calls - truth.of("rejected") + retries, attempts, "each attempt is known");
    assert!(retries > 0);
    let gave_up = GiveUpReason::ALL.iter().map(|reason| {
        let labels = [FUNCTION, ("reason", reason.as_str())];
        let told = whole(scrape.value("resilient_gave_up_total", &labels));
        assert_eq!(told, truth.of(reason.as_str()), "{reason:?}");
        told
    });
    assert!(gave_up.sum::<u64>() > 0);
    let results = whole(scrape.sum("resilient_breaker_results_total", BREAKER));
    assert_eq!(results, calls, "each call is one result of the breaker");
    let transitions = scrape.series.iter().filter(|((name, labels), _)| {
        name == "resilient_breaker_transitions_total" && labels["breaker"] == BREAKER.1
    });
    let mut opened = 0;
    for ((_, labels), value) in transitions {
        let (from, to) = (&labels["from"], &labels["to"]);
        assert_eq!(whole(*value), truth.of(&format!("{from} to {to}")), "{from} to {to}");
        opened += if to == "open" { whole(*value) } else { 0 };
    }
    assert!(opened > 1, "it has opened more than once");
    assert_eq!(scrape.states(BREAKER.1), [("closed".to_owned(), 1.0)]);
}
