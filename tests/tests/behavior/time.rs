//! Attempt timeouts and deadlines.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::QdrantError;
use resilient_runtime::{
    BreakerConfig, BreakerState, CircuitBreaker, Classify, ErrorKind, Policy, Rejection,
    RetryPolicy, breaker, resilient,
};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// The timeout that ended an attempt, and the attempt's number.
fn attempt_timeout(error: &Failure) -> (Duration, u32) {
    let Failure::Rejected(Rejection::AttemptTimeout { timeout, attempt, .. }) = error else {
        panic!("{error:?}")
    };
    (*timeout, *attempt)
}

/// The deadline that ended a call, and the number of its attempts.
fn deadline_exceeded(error: &Failure) -> (Duration, u32) {
    let Failure::Rejected(Rejection::DeadlineExceeded { deadline, attempts, .. }) = error else {
        panic!("{error:?}")
    };
    (*deadline, *attempts)
}

#[resilient(
    attempt_timeout = "2s",
    retry(max_attempts = 3, base_delay = "1s", jitter = 0),
    breaker(name = "timed attempts", failure_threshold = 1)
)]
async fn hangs_at_first(calls: &Cell<u32>, hangs: u32) -> Result<u32, Failure> {
    calls.set(calls.get() + 1);
    if calls.get() <= hangs {
        pending::<()>().await;
    }
    Ok(calls.get())
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_ended_and_retried() {
    let (calls, start) = (Cell::new(0), Instant::now());
    assert_eq!(hangs_at_first(&calls, 2).await, Ok(3));
    assert_eq!(start.elapsed(), 2 * SECOND + SECOND + 2 * SECOND + 2 * SECOND);
    let calls = Cell::new(0);
    let error = hangs_at_first(&calls, 3).await.unwrap_err();
    assert_eq!(attempt_timeout(&error), (2 * SECOND, 3));
    let breaker = breaker("timed attempts").unwrap();
    assert_eq!(breaker.state(), BreakerState::Open, "it is a failure");
}

#[resilient(attempt_timeout = "1s")]
async fn alone(text: String, wait: Duration) -> Result<String, Failure> {
    sleep(wait).await;
    Ok(text)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_needs_no_other_policy() {
    assert_eq!(alone("a".into(), SECOND / 2).await.unwrap(), "a");
    let error = alone("a".into(), 2 * SECOND).await.unwrap_err();
    assert_eq!(attempt_timeout(&error), (SECOND, 1));
    assert_eq!((error.kind(), error.maybe_executed()), (ErrorKind::TimeoutError, true));
    assert_eq!(error.to_string(), "attempt 1 timed out after 1s");
}

#[tokio::test(start_paused = true)]
async fn a_timed_call_can_be_spawned() {
    assert_eq!(tokio::spawn(alone("a".into(), SECOND / 2)).await.unwrap().unwrap(), "a");
}

#[resilient(
    deadline = "10s",
    retry(max_attempts = 10, base_delay = "4s", max_delay = "1m", jitter = 0),
    breaker(name = "deadline", failure_threshold = 1)
)]
async fn fails_slowly(calls: &Cell<u32>, wait: Duration) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    sleep(wait).await;
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_the_attempt_that_it_meets() {
    let (calls, start) = (Cell::new(0), Instant::now());
    let error = fails_slowly(&calls, 3500 * SECOND / 1000).await.unwrap_err();
    assert_eq!((deadline_exceeded(&error), calls.get()), ((10 * SECOND, 2), 2));
    assert_eq!(start.elapsed(), 10 * SECOND);
    let breaker = breaker("deadline").unwrap();
    assert_eq!(breaker.stats().totals.failures, 1);
    breaker.reset();
}

#[resilient(
    deadline = "10s",
    retry(max_attempts = 10, base_delay = "4s", max_delay = "1m", jitter = 0)
)]
async fn fails(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn no_retry_is_begun_whose_delay_would_not_be_over_at_the_deadline() {
    let events = Events::catch();
    let (calls, start) = (Cell::new(0), Instant::now());
    // After 4 s the next delay is 8 s.
    assert_eq!(fails(&calls).await, Err(DOWN), "with the error of the last attempt");
    assert_eq!((calls.get(), start.elapsed()), (2, 4 * SECOND));
    let gave_up = &events.named("gave up")[0];
    assert_eq!(gave_up.field("reason"), "the deadline leaves no time for the delay");
}

#[resilient(deadline = "10s", retry = "rate_limit_error")]
async fn is_limited(calls: &Cell<u32>, hint: Duration) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(Failure::after(ErrorKind::RateLimitError, hint))
}

#[tokio::test(start_paused = true)]
async fn a_hint_longer_than_what_is_left_ends_the_call_at_once() {
    let (calls, start) = (Cell::new(0), Instant::now());
    is_limited(&calls, 20 * SECOND).await.unwrap_err();
    assert_eq!((calls.get(), start.elapsed()), (1, Duration::ZERO));
    let calls = Cell::new(0);
    is_limited(&calls, 6 * SECOND).await.unwrap_err();
    assert_eq!(calls.get(), 2, "one fits, and is waited out");
    let elapsed = start.elapsed();
    assert!((6 * SECOND..=(6 * SECOND).mul_f64(1.11)).contains(&elapsed), "{elapsed:?}");
}

#[resilient(attempt_timeout = "4s", deadline = "10s", retry(max_attempts = 3, base_delay = "2s", jitter = 0), attempt = ctx)]
async fn notes(seen: &RefCell<Vec<(u32, bool, Option<u64>)>>) -> Result<(), Failure> {
    seen.borrow_mut().push((ctx.number(), ctx.is_last(), ctx.seconds_left()));
    pending().await
}

#[tokio::test(start_paused = true)]
async fn the_body_knows_its_attempt_and_the_time_left() {
    let seen = RefCell::default();
    let error = notes(&seen).await.unwrap_err();
    // The second attempt begins after 6 s and ends with the call.
    assert_eq!(*seen.borrow(), [(1, false, Some(4)), (2, false, Some(4))]);
    assert_eq!(deadline_exceeded(&error), (10 * SECOND, 2));
}

/// Its number, whether it is the last, and the time left.
type Known = (u32, bool, Option<Duration>);

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), attempt = current)]
async fn counts(mut argument: Vec<Known>) -> Result<Vec<Known>, Failure> {
    argument.push((current.number(), current.is_last(), current.time_left()));
    if current.number() == 1 { Err(DOWN) } else { Ok(argument) }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_a_timeout_has_no_end() {
    assert_eq!(counts(Vec::new()).await.unwrap(), [(2, true, None)]);
}

#[resilient(attempt_timeout = "1s", breaker = "timed qdrant")]
async fn qdrant() -> Result<(), QdrantError> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_status_of_a_qdrant_error() {
    let error = qdrant().await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_executed()), (ErrorKind::TimeoutError, true));
    assert!(error.to_string().contains("attempt 1 timed out after 1s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_the_attribute_keeps_time_too() {
    let breaker = Arc::new(CircuitBreaker::new(
        BreakerConfig::builder().failure_threshold(1).build().unwrap(),
    ));
    let policy = Policy::builder("test")
        .retry(RetryPolicy::builder().base_delay(SECOND).jitter(0.0).build().unwrap())
        .breaker(Arc::clone(&breaker))
        .attempt_timeout(2 * SECOND)
        .deadline(4 * SECOND)
        .build()
        .unwrap();
    let start = Instant::now();
    let result: Result<(), Failure> = policy.run(pending).await;
    assert_eq!(deadline_exceeded(&result.unwrap_err()), (4 * SECOND, 2));
    assert_eq!(start.elapsed(), 4 * SECOND);
    assert_eq!(breaker.stats().totals.ignored, 1, "nothing is known of the last attempt");
}

#[resilient(attempt_timeout = "50ms")]
async fn is_always_busy() -> Result<(), Failure> {
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        tokio::task::consume_budget().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_always_busy_is_ended_too() {
    let error = is_always_busy().await.unwrap_err();
    assert_eq!(attempt_timeout(&error), (Duration::from_millis(50), 1));
}

#[resilient(deadline = "100ms", retry(max_attempts = 3, base_delay = "50ms", jitter = 0))]
async fn fails_once(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test]
async fn no_attempt_is_begun_after_the_deadline_by_a_timer_that_is_late() {
    let calls = Cell::new(0);
    let late = async {
        // The runtime has something else to do when the pause is over.
        sleep(Duration::from_millis(10)).await;
        std::thread::sleep(Duration::from_millis(150));
    };
    let (result, ()) = tokio::join!(fails_once(&calls), late);
    assert_eq!((result, calls.get()), (Err(DOWN), 1));
}
