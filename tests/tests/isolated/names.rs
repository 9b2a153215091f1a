//! What the names of source lead to, inside and outside.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use resilient_runtime::test::isolated;
use resilient_runtime::{
    BreakerState, ErrorKind, Policy, Settings, breaker, breakers, budget, catalog, resilient,
};
use resilient_tests::{DOWN, Failure};

use super::{WRITES, count, guarded, open_search, search, state, totals, upsert, write};

/// Only this test calls it.
#[resilient(breaker = "outside")]
async fn outside(result: Result<u32, Failure>) -> Result<u32, Failure> {
    result
}

#[tokio::test]
async fn what_is_outside_stays_as_it_was() {
    assert_eq!(outside(Err(DOWN)).await, Err(DOWN));
    isolated(async {
        assert_eq!(totals("outside"), (0, 0, 0));
        for _ in 0..5 {
            assert_eq!(outside(Err(DOWN)).await, Err(DOWN));
        }
        assert_eq!(state("outside"), BreakerState::Open);
        assert_eq!(count("outside", Ok(7)).await, Ok(7));
        assert_eq!(upsert(&AtomicU32::new(0)).await, Err(DOWN));
        assert_eq!(budget("qdrant").unwrap().available(), 15);
    })
    .await;
    assert_eq!((state("outside"), totals("outside")), (BreakerState::Closed, (0, 1, 0)));
    assert!(breaker("count/outside").is_none());
    assert_eq!(budget("qdrant").unwrap().available(), 20);
    assert_eq!(outside(Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn functions_and_guarded_calls_share_the_breaker_of_a_name() {
    isolated(async {
        assert_eq!(search(Err(DOWN)).await, Err(DOWN));
        assert_eq!(guarded(Err(DOWN)).await, Err(DOWN));
        assert_eq!(search(Err(DOWN)).await, Err(DOWN));
        assert!(guarded(Ok(7)).await.unwrap_err().is_rejection());
        breaker("search").unwrap().reset();
        assert_eq!(guarded(Ok(7)).await, Ok(7));
    })
    .await;
}

#[tokio::test]
async fn the_list_of_breakers_is_that_of_the_test() {
    let names = |breakers: &[resilient_runtime::SharedBreaker]| {
        breakers.iter().map(|it| it.name().to_string()).collect::<Vec<_>>()
    };
    isolated(async {
        assert_eq!(open_search().await, 3);
        let all = breakers();
        assert!(names(&all).is_sorted());
        for name in ["outside", "search", "upsert", "writes"] {
            let found: Vec<_> = all.iter().filter(|it| *it.name() == *name).collect();
            assert_eq!(found.len(), 1, "{name}");
            assert!(std::ptr::eq(&raw const **found[0], &raw const *breaker(name).unwrap()));
        }
        let open: Vec<_> = all.into_iter().filter(|it| it.state() == BreakerState::Open).collect();
        assert_eq!(names(&open), ["search"]);
        assert!(breaker("serach").is_none() && budget("qdrent").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_function_behind_a_static_has_a_breaker_of_its_own_and_the_static_is_shared() {
    isolated(async {
        for _ in 0..5 {
            assert_eq!(write(Err(DOWN)).await, Err(DOWN));
        }
        assert!(write(Ok(7)).await.unwrap_err().is_rejection());
        assert_eq!(state("writes"), BreakerState::Open, "by its name");
        assert_eq!(WRITES.state(), BreakerState::Closed, "by itself");
        assert_eq!(WRITES.call(|| async { Ok::<_, Failure>(7) }).await, Ok(7));
    })
    .await;
    assert!(WRITES.stats().totals.successes >= 1);
}

#[tokio::test]
async fn a_policy_with_the_breaker_of_a_name_has_that_of_the_test() {
    isolated(async {
        let policy = Policy::builder("by hand").breaker(breaker("search").unwrap());
        let policy = policy.build().unwrap();
        assert_eq!(open_search().await, 3);
        let rejected: Result<u32, _> = policy.run(|| async { Ok::<_, Failure>(7) }).await;
        assert!(rejected.unwrap_err().is_rejection());
    })
    .await;
}

const UNKNOWN: Failure = Failure::of(ErrorKind::Unknown);

#[resilient(breaker = "unknown")]
async fn fails_for_unknown_reasons() -> Result<u32, Failure> {
    Err(UNKNOWN)
}

#[tokio::test]
async fn unknown_errors_are_counted_for_each_test() {
    let errors = || {
        let catalog = catalog();
        let is_it = |name: &str| name.ends_with("::fails_for_unknown_reasons");
        let function = catalog.functions().iter().find(|it| is_it(it.name())).unwrap();
        function.unknown_errors()
    };
    isolated(async {
        assert_eq!(errors(), 0);
        assert_eq!(fails_for_unknown_reasons().await, Err(UNKNOWN));
        assert_eq!(errors(), 1);
    })
    .await;
    assert_eq!(errors(), 0);
}

#[resilient(
    retry(row = "service_unavailable", max_attempts = 3, base_delay = "1ms"),
    budget = "tuned",
    breaker = "tuned"
)]
async fn tuned(asked: &AtomicU32) -> Result<u32, Failure> {
    asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Err(DOWN)
}

#[resilient(breaker = "tuned/{collection}")]
async fn tuned_by_key(collection: &str) -> Result<u32, Failure> {
    Ok(collection.len().try_into().unwrap())
}

/// The only test of this program that applies settings, to names that no other test uses.
#[tokio::test(start_paused = true)]
async fn a_test_begins_with_the_numbers_that_settings_have_given() {
    let settings = |threshold: u32| {
        let function = "isolated::names::tuned";
        Settings::from_toml_str(&format!(
            "[breaker.tuned]\nfailure_threshold = {threshold}\n\
             [breaker.\"tuned/{{collection}}\"]\nfailure_threshold = 7\n\
             [breaker.\"tuned/{{collection}}\".key.big]\nfailure_threshold = 70\n\
             [budget.tuned]\ncapacity = 30\n\
             [function.\"{function}\"]\nmax_attempts = 2"
        ))
        .unwrap()
    };
    settings(1).apply().unwrap();
    isolated(async {
        let asked = AtomicU32::new(0);
        assert_eq!(tuned(&asked).await, Err(DOWN));
        assert!(tuned(&asked).await.unwrap_err().is_rejection());
        assert_eq!(asked.into_inner(), 2, "by the settings of the function");
        let budget = budget("tuned").unwrap();
        assert_eq!((budget.available(), budget.config().capacity()), (30 - 5, 30));

        tuned_by_key("big").await.unwrap();
        tuned_by_key("small").await.unwrap();
        let threshold = |name: &str| breaker(name).unwrap().config().failure_threshold().unwrap();
        assert_eq!((threshold("tuned/big"), threshold("tuned/small")), (70, 7));

        settings(9).apply().unwrap();
        assert_eq!(threshold("tuned"), 1, "what the test has stays");
    })
    .await;
    assert_eq!(breaker("tuned").unwrap().config().failure_threshold(), Some(9));
    Settings::new().apply().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_breaker_of_a_test_recovers_by_its_clock() {
    isolated(async {
        assert_eq!(open_search().await, 3);
        tokio::time::advance(Duration::from_secs(31)).await;
        assert_eq!(search(Ok(7)).await, Ok(7));
        assert_eq!(state("search"), BreakerState::HalfOpen);
        assert_eq!(search(Ok(7)).await, Ok(7));
        assert_eq!(state("search"), BreakerState::Closed);
    })
    .await;
}
