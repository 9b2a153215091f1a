//! Each event arrives, with what it says.

use std::time::Duration;

use resilient_runtime::test::isolated;
use resilient_runtime::{ErrorKind, Event, EventKind, EventSet, observe, resilient, within};
use resilient_tests::{DOWN, Failure};

use super::{Heard, of_tenant, search};

const SECOND: Duration = Duration::from_secs(1);

#[resilient(
    retry(row = "service_unavailable", max_attempts = 2, base_delay = "100ms", jitter = 0.0),
    budget = "qdrant"
)]
async fn upsert(result: Result<u32, Failure>) -> Result<u32, Failure> {
    result
}

#[resilient(attempt_timeout = "1s")]
async fn hangs() -> Result<u32, Failure> {
    std::future::pending().await
}

#[resilient(retry = "auto")]
async fn unknown(error: Failure) -> Result<u32, Failure> {
    Err(error)
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_said_and_why_there_is_no_other() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventSet::ALL);
        assert_eq!(upsert(Err(DOWN)).await, Err(DOWN));
        assert_eq!(
            heard.take(),
            [
                "retrying observed::each_event::upsert after attempt 1 with service_unavailable, in \
                 100ms",
                "gave up observed::each_event::upsert after attempt 2 with service_unavailable: \
                 attempts exhausted",
            ]
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_runs_out_is_said_once_until_it_is_half_full_again() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::BudgetExhausted);
        // Two retries, and no third.
        for _ in 0..5 {
            assert_eq!(upsert(Err(DOWN)).await, Err(DOWN));
        }
        let exhausted = "the retry budget qdrant is exhausted: no retry of \
                         observed::each_event::upsert after attempt 1";
        assert_eq!(heard.take(), [exhausted]);
        // Half of it comes back, and is spent.
        assert_eq!(upsert(Ok(7)).await, Ok(7));
        for _ in 0..3 {
            assert_eq!(upsert(Err(DOWN)).await, Err(DOWN));
        }
        assert_eq!(heard.take(), [exhausted]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rejections_and_limits_are_said() {
    isolated(async {
        let (heard, _observation) = Heard::of(
            EventKind::Rejected | EventKind::TimedOut,
        );
        for _ in 0..4 {
            let _ = search(Err(DOWN)).await;
        }
        let _ = hangs().await;
        let none_left = within(Duration::ZERO, search(Ok(7))).await;
        assert!(none_left.unwrap_err().is_rejection());
        assert_eq!(
            heard.take(),
            [
                "rejected observed::search with circuit_open by the circuit breaker search, for 10s \
                 more",
                "timed out observed::each_event::hangs after attempt 1 with timeout_error, after 1s",
                "rejected observed::search with deadline_exceeded by the circuit breaker search",
            ]
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_is_evicted_open_is_said() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::Evicted);
        for tenant in ["acme", "umbrella"] {
            let _ = of_tenant(tenant, Err(DOWN)).await;
        }
        assert_eq!(
            heard.take(),
            ["evicted the circuit breaker tenant/acme, which was open: raise `max_keys`"]
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_fields_of_an_event_are_values() {
    isolated(async {
        let (sender, received) = std::sync::mpsc::channel();
        let _observation = observe(move |event: &Event<'_>| {
            if let Event::Retrying { call, kind, delay, .. } = event {
                let place = call.place.unwrap();
                assert!(place.file.ends_with("each_event.rs") && place.line > 1);
                sender.send((call.attempt, *kind, *delay, event.kind())).unwrap();
                assert_eq!(event.function(), Some("observed::each_event::upsert"));
                assert_eq!(event.breaker(), None);
            }
        });
        let _ = upsert(Err(DOWN)).await;
        let retrying = received.try_recv().unwrap();
        let delay = Duration::from_millis(100);
        assert_eq!(retrying, (1, ErrorKind::ServiceUnavailable, delay, EventKind::Retrying));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_event_carries_the_text_of_an_error() {
    const KEY: &str = "api-key-1234";

    #[derive(Debug, thiserror::Error)]
    #[error("the server did not accept {KEY}")]
    struct Secret;

    impl resilient_runtime::Classify for Secret {
        fn kind(&self) -> ErrorKind {
            ErrorKind::ServiceUnavailable
        }
    }

    impl From<resilient_runtime::Rejection> for Secret {
        fn from(_: resilient_runtime::Rejection) -> Self {
            Self
        }
    }

    #[resilient(retry(row = "service_unavailable", max_attempts = 2), breaker = "search")]
    async fn secret() -> Result<u32, Secret> {
        Err(Secret)
    }

    isolated(async {
        let (heard, _observation) = Heard::of(EventSet::ALL);
        for _ in 0..5 {
            assert!(secret().await.is_err());
        }
        let heard = heard.take();
        assert!(heard.len() > 8 && heard.iter().all(|event| !event.contains(KEY)), "{heard:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_error_is_said_once() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::UnknownError);
        for _ in 0..2 {
            let _ = unknown(Failure::of(ErrorKind::Unknown)).await;
        }
        assert_eq!(heard.take().len(), 1);
        tokio::time::sleep(SECOND).await;
    })
    .await;
}
