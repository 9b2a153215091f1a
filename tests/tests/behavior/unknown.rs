//! Errors of kind `unknown`, about which a policy does nothing.

use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    AnnotatedFunction, BreakerConfig, CircuitBreaker, ErrorKind, Policy, RetryExecutor,
    RetryPolicy, catalog, guard, resilient,
};
use resilient_tests::Failure;
use resilient_tests::events::{Caught, Events};
use tracing::Level;

const UNKNOWN: Failure = Failure::of(ErrorKind::Unknown);

fn told(events: &Events) -> Vec<Caught> {
    let is_it = |event: &Caught| event.message().starts_with("an error of kind `unknown`");
    events.all().into_iter().filter(is_it).collect()
}

fn listed(function: &str) -> AnnotatedFunction {
    let name = format!("{}::{function}", module_path!());
    *catalog().functions().iter().find(|listed| listed.name() == name).unwrap()
}

#[resilient(retry = "auto", breaker = "unknown errors")]
async fn guarded(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_does_nothing_is_told_once_and_every_such_error_is_counted() {
    let events = Events::catch();
    guarded(Ok(())).await.unwrap();
    assert_eq!((told(&events), listed("guarded").unknown_errors()), (Vec::new(), 0));
    for _ in 0..3 {
        guarded(Err(UNKNOWN)).await.unwrap_err();
    }
    let told = &told(&events)[..];
    let [unknown] = told else { panic!("{told:?}") };
    assert_eq!(unknown.level, Level::WARN);
    assert_eq!(unknown.field("function"), concat!(module_path!(), "::guarded"));
    assert_eq!(unknown.field("breaker"), "unknown errors");
    assert_eq!((unknown.field("kind"), unknown.field("attempt")), ("unknown", "1"));
    assert!(unknown.field("place").starts_with(concat!(file!(), ":")), "{unknown:?}");
    for advice in ["derive `Classify`", "`classify`", "`QdrantError`"] {
        assert!(unknown.message().contains(advice), "{unknown:?}");
    }
    assert_eq!(listed("guarded").unknown_errors(), 3);
}

#[resilient(retry)]
async fn listed_with_its_errors() -> Result<(), Failure> {
    Err(UNKNOWN)
}

#[tokio::test(start_paused = true)]
async fn the_catalog_shows_how_many_there_were() {
    let shown = || listed("listed_with_its_errors").to_string();
    assert!(shown().ends_with(": retry \"default\" (3 attempts)"), "{}", shown());
    listed_with_its_errors().await.unwrap_err();
    assert!(shown().ends_with(", 1 error of kind `unknown`"), "{}", shown());
    listed_with_its_errors().await.unwrap_err();
    assert!(shown().ends_with(", 2 errors of kind `unknown`"), "{}", shown());
}

#[resilient(breaker(name = "trips on unknown errors", trip_on = ["unknown"]))]
async fn trips() -> Result<(), Failure> {
    Err(UNKNOWN)
}

#[resilient(attempt_timeout = "1s")]
async fn is_only_timed() -> Result<(), Failure> {
    Err(UNKNOWN)
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_counts_them_or_has_nothing_to_do_is_not_told() {
    let events = Events::catch();
    trips().await.unwrap_err();
    is_only_timed().await.unwrap_err();
    assert_eq!(told(&events), []);
    assert_eq!(listed("trips").unknown_errors(), 1);
    assert_eq!(listed("is_only_timed").unknown_errors(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_the_attribute_is_told_once_with_its_clones() {
    let events = Events::catch();
    let breaker = Arc::new(CircuitBreaker::new(BreakerConfig::DEFAULT));
    let policy = Policy::builder("by hand").breaker(breaker).build().unwrap();
    for policy in [policy.clone(), policy.clone()] {
        policy.run(|| async { Err::<(), _>(UNKNOWN) }).await.unwrap_err();
    }
    assert_eq!((told(&events).len(), policy.unknown_errors()), (1, 2));
    assert_eq!(told(&events)[0].field("function"), "by hand");
    assert_eq!(told(&events)[0].field("place"), "");
    let executor = RetryExecutor::new(RetryPolicy::DEFAULT);
    for executor in [executor.clone(), executor.with_name("another")] {
        executor.execute(|| async { Err::<(), _>(UNKNOWN) }).await.unwrap_err();
    }
    assert_eq!(told(&events).len(), 3, "each name is one");
}

#[resilient(attempt_timeout = "1s", retry)]
async fn hangs() -> Result<(), Failure> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn the_library_makes_no_such_error() {
    hangs().await.unwrap_err();
    assert_eq!(listed("hangs").unknown_errors(), 0);
    let policy = Policy::builder("ends").retry(RetryPolicy::DEFAULT);
    let policy = policy.deadline(Duration::from_secs(1)).build().unwrap();
    policy.run(std::future::pending::<Result<(), Failure>>).await.unwrap_err();
    assert_eq!(policy.unknown_errors(), 0);
}

async fn guards_two(result: Result<(), Failure>) -> [u32; 2] {
    let first = guard!(retry; async { result.clone() }).await;
    let second = guard!(retry; async { first.clone() }).await;
    assert_eq!(second, result);
    [line!() - 3, line!() - 2]
}

#[tokio::test(start_paused = true)]
async fn the_event_says_which_call_of_a_function_is_meant() {
    let events = Events::catch();
    let lines = guards_two(Err(UNKNOWN)).await;
    let told = told(&events);
    let [first, second] = &told[..] else { panic!("{told:?}") };
    for (event, line) in [first, second].into_iter().zip(lines) {
        assert_eq!(event.field("function"), concat!(module_path!(), "::guards_two"));
        assert_eq!(event.field("place"), format!("{}:{line}", file!()));
    }
}
