//! Why a breaker has changed its state.

use std::time::Duration;

use resilient_runtime::test::isolated;
use resilient_runtime::{BreakerStatus, EventKind, Policy, breaker, resilient, restore, snapshot};
use resilient_tests::{DOWN, Failure};
use tokio::time::{advance, sleep};

use super::{Heard, search};

const SECOND: Duration = Duration::from_secs(1);

#[resilient(breaker = "rates")]
async fn rated(result: Result<u32, Failure>) -> Result<u32, Failure> {
    result
}

#[resilient(breaker = "slow")]
async fn slow(lasts: Duration) -> Result<u32, Failure> {
    sleep(lasts).await;
    Ok(7)
}

#[resilient(breaker = "search")]
async fn panics() -> Result<u32, Failure> {
    panic!("in the function")
}

#[tokio::test(start_paused = true)]
async fn an_outage_names_the_function_and_the_error_and_then_the_probes() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::Transition);
        for _ in 0..3 {
            assert_eq!(search(Err(DOWN)).await, Err(DOWN));
        }
        advance(10 * SECOND).await;
        assert_eq!(search(Err(DOWN)).await, Err(DOWN));
        advance(10 * SECOND).await;
        for _ in 0..2 {
            assert_eq!(search(Ok(7)).await, Ok(7));
        }
        let failed = "with `service_unavailable` in observed::search";
        assert_eq!(
            heard.take(),
            [
                format!("circuit breaker search: closed -> open: 3 failures, the last {failed}"),
                "circuit breaker search: open -> half_open: the open duration is over".into(),
                format!("circuit breaker search: half_open -> open: a probe failed, {failed}"),
                "circuit breaker search: open -> half_open: the open duration is over".into(),
                "circuit breaker search: half_open -> closed: 2 probes succeeded".into(),
            ]
        );
        let change = snapshot().breaker("search").unwrap().last_change.clone().unwrap();
        assert_eq!((&*change.from, &*change.to), ("half_open", "closed"));
        assert_eq!(change.cause, "2 probes succeeded");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_says_how_many_of_how_many() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::Transition);
        for result in [Ok(7), Err(DOWN), Ok(7), Err(DOWN)] {
            let _ = rated(result).await;
        }
        for _ in 0..2 {
            let _ = slow(2 * SECOND).await;
        }
        assert_eq!(
            heard.take(),
            [
                "circuit breaker rates: closed -> open: 2 of 4 calls failed, the last with \
                 `service_unavailable` in observed::causes::rated",
                "circuit breaker slow: closed -> open: 2 of 2 calls were slow, the last with a slow \
                 call in observed::causes::slow",
            ]
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_a_policy_and_a_permit_are_named_as_what_they_are() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::Transition);
        let policy =
            Policy::builder("by name").breaker(breaker("search").unwrap()).build().unwrap();
        for _ in 0..2 {
            let _ = policy.run(|| async { Err::<u32, _>(DOWN) }).await;
        }
        assert!(resilient_runtime::test::spawn(panics()).await.is_err());
        let opened = heard.take();
        assert_eq!(
            opened,
            ["circuit breaker search: closed -> open: 3 failures, the last with a panic in \
              observed::causes::panics"]
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_does_is_by_hand_and_shows_how_the_breaker_is_held() {
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::Transition);
        let search = breaker("search").unwrap();
        search.disable();
        search.force_closed();
        search.force_open();
        assert_eq!(search.status(), BreakerStatus::ForcedOpen);
        search.reset();
        search.reset();
        assert_eq!(
            heard.take(),
            [
                "circuit breaker search: closed -> disabled: by hand",
                "circuit breaker search: disabled -> forced_closed: by hand",
                "circuit breaker search: forced_closed -> forced_open: by hand",
                "circuit breaker search: forced_open -> closed: by hand",
            ],
            "a reset of a breaker that is closed says nothing"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_restored_is_said_to_be() {
    let taken = isolated(async {
        breaker("search").unwrap().force_open();
        snapshot()
    })
    .await;
    isolated(async {
        let (heard, _observation) = Heard::of(EventKind::Transition | EventKind::Restored);
        assert_eq!(restore(&taken).breakers().len(), 1);
        assert_eq!(
            heard.take(),
            [
                "circuit breaker search: closed -> forced_open: restored from a snapshot",
                "restored the circuit breaker search: forced_open",
            ]
        );
    })
    .await;
}
