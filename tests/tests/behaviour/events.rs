//! What an operator sees.

use std::time::Duration;

use resilient_runtime::{CircuitBreaker, ErrorKind, resilient};
use resilient_tests::events::{Caught, Events};
use resilient_tests::{DOWN, Failure, WRONG};
use tracing::Level;

const FUNCTION: &str = concat!(module_path!(), "::failing");

#[resilient(retry = "auto", breaker(name = "events", failure_threshold = 1))]
async fn failing(failure: Failure) -> Result<(), Failure> {
    Err(failure)
}

#[tokio::test(start_paused = true)]
async fn a_call_tells_of_retries_of_giving_up_of_opening_and_of_rejecting() {
    let events = Events::catch();
    failing(Failure::of(ErrorKind::TimeoutError)).await.unwrap_err();
    failing(DOWN).await.unwrap_err();
    let events = events.all();
    let messages: Vec<_> = events.iter().map(Caught::message).collect();
    assert_eq!(messages, ["retrying", "gave up", "circuit breaker changed state", "rejected"]);

    let retrying = &events[0];
    assert_eq!(retrying.level, Level::INFO);
    assert_eq!(retrying.field("function"), FUNCTION);
    assert_eq!(retrying.field("breaker"), "events");
    assert_eq!(retrying.field("attempt"), "1");
    assert_eq!(retrying.field("kind"), "timeout_error");
    assert!(retrying.field("delay").ends_with('s'), "{retrying:?}");

    let gave_up = &events[1];
    assert_eq!(gave_up.level, Level::WARN);
    assert_eq!(gave_up.field("attempt"), "2");
    assert_eq!(gave_up.field("reason"), "attempts exhausted");

    let opened = &events[2];
    assert_eq!(opened.level, Level::WARN);
    assert_eq!((opened.field("from"), opened.field("to")), ("closed", "open"));

    let rejected = &events[3];
    assert_eq!(rejected.level, Level::DEBUG);
    assert_eq!(rejected.field("function"), FUNCTION);
    assert_eq!(rejected.field("breaker"), "events");
    assert_eq!(rejected.field("kind"), "circuit_open");
    assert_eq!(rejected.field("retry_after"), "30s");
}

#[resilient(retry)]
async fn wrong() -> Result<(), Failure> {
    Err(WRONG)
}

#[tokio::test(start_paused = true)]
async fn an_error_that_no_retry_could_help_is_left_to_the_caller() {
    let events = Events::catch();
    wrong().await.unwrap_err();
    assert_eq!(events.all(), []);
}

#[tokio::test(start_paused = true)]
async fn recovery_is_told_step_by_step() {
    let breaker = CircuitBreaker::default();
    (0..5).for_each(|_| breaker.acquire().unwrap().failure());
    tokio::time::advance(Duration::from_secs(30)).await;
    let events = Events::catch();
    (0..2).for_each(|_| breaker.acquire().unwrap().success());
    let changes: Vec<_> = events
        .named("circuit breaker changed state")
        .iter()
        .map(|event| (event.level, event.field("from").to_owned(), event.field("to").to_owned()))
        .collect();
    let change = |from: &str, to: &str| (Level::INFO, from.to_owned(), to.to_owned());
    assert_eq!(changes, [change("open", "half_open"), change("half_open", "closed")]);
}
