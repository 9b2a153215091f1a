//! What an operator sees.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{CircuitBreaker, ErrorKind, Policy, Rejection, resilient};
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

#[resilient(attempt_timeout = "2s")]
async fn hangs() -> Result<(), Failure> {
    pending().await
}

#[resilient(deadline = "1500ms", breaker(name = "hangs", failure_threshold = 1))]
async fn hangs_behind_a_breaker() -> Result<(), Failure> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_that_ends_a_call_without_retry_is_told_once() {
    let events = Events::catch();
    hangs().await.unwrap_err();
    let told = &events.all()[..];
    let [timed_out] = told else { panic!("{told:?}") };
    assert_eq!((timed_out.message(), timed_out.level), ("timed out", Level::WARN));
    assert_eq!(timed_out.field("function"), concat!(module_path!(), "::hangs"));
    assert_eq!((timed_out.field("breaker"), timed_out.field("attempt")), ("", "1"));
    assert_eq!((timed_out.field("kind"), timed_out.field("limit")), ("timeout_error", "2s"));
    drop(events);

    let events = Events::catch();
    hangs_behind_a_breaker().await.unwrap_err();
    let told = &events.all()[..];
    let [timed_out, opened] = told else { panic!("{told:?}") };
    assert_eq!(timed_out.field("breaker"), "hangs");
    assert_eq!((timed_out.field("kind"), timed_out.field("limit")), ("deadline_exceeded", "1.5s"));
    assert_eq!(opened.message(), "circuit breaker changed state");
    drop(events);

    let events = Events::catch();
    let policy = Policy::builder("by hand").breaker(Arc::new(CircuitBreaker::default()));
    let policy = policy.attempt_timeout(Duration::from_secs(1)).build().unwrap();
    policy.run(pending::<Result<(), Failure>>).await.unwrap_err();
    let told = &events.all()[..];
    let [timed_out] = told else { panic!("{told:?}") };
    assert_eq!((timed_out.message(), timed_out.field("function")), ("timed out", "by hand"));
}

/// An error that does not tell a rejection from anything else, and has a secret text.
#[derive(Debug, thiserror::Error)]
#[error("the key is 42")]
struct Opaque;

impl resilient_runtime::Classify for Opaque {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unknown
    }
}

impl From<Rejection> for Opaque {
    fn from(_: Rejection) -> Self {
        Self
    }
}

#[resilient(attempt_timeout = "1s")]
async fn hangs_opaquely() -> Result<(), Opaque> {
    pending().await
}

#[resilient(attempt_timeout = "1s", retry)]
async fn hangs_opaquely_with_retry() -> Result<(), Opaque> {
    pending().await
}

#[resilient(deadline = "1s", retry)]
async fn meets_its_deadline_with_retry() -> Result<(), Failure> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_is_told_whatever_the_error_says_of_it() {
    let events = Events::catch();
    hangs_opaquely().await.unwrap_err();
    hangs_opaquely_with_retry().await.unwrap_err();
    meets_its_deadline_with_retry().await.unwrap_err();
    let told = events.all();
    let messages: Vec<_> = told.iter().map(Caught::message).collect();
    let [timed_out, unknown, gave_up, last] = &messages[..] else { panic!("{told:?}") };
    assert_eq!((*timed_out, *gave_up, *last), ("timed out", "gave up", "gave up"));
    assert!(unknown.starts_with("an error of kind `unknown`"), "{unknown}");
    assert_eq!(told[0].field("kind"), "timeout_error");
    assert_eq!(told[3].field("kind"), "deadline_exceeded");
    assert!(told.iter().all(|event| event.fields.values().all(|value| !value.contains("42"))));
}

#[resilient(attempt_timeout = "1s", deadline = "3s", breaker = "answers in time")]
async fn answers_in_time(result: Result<(), Failure>) -> Result<(), Failure> {
    tokio::time::sleep(Duration::from_millis(500)).await;
    result
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_by_itself_is_not_told_of() {
    let events = Events::catch();
    answers_in_time(Ok(())).await.unwrap();
    answers_in_time(Err(DOWN)).await.unwrap_err();
    answers_in_time(Err(Failure::of(ErrorKind::TimeoutError))).await.unwrap_err();
    assert_eq!(events.all(), []);
}
