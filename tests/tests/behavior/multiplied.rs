//! Retries inside retries, through different breakers.

use std::cell::Cell;
use std::sync::Arc;

use resilient_runtime::{
    BreakerConfig, CircuitBreaker, Policy, RetryPolicy, guard, policies, resilient,
};
use resilient_tests::events::{Caught, Events};
use resilient_tests::{DOWN, Failure, WRONG};
use tracing::Level;

policies! {
    // It never opens: several tests fail through it.
    breaker "multiplied inner" { failure_threshold: 10_000 }
    breaker "does not multiply" { failure_threshold: 10_000 }
}

/// Each pair of functions of which the retries multiply: the outer one, and the inner one.
fn told(events: &Events) -> Vec<(String, String)> {
    let last = |event: &Caught, field| {
        event.field(field).rsplit("::").next().unwrap_or_default().to_owned()
    };
    let all = events.all();
    let multiplied = all.iter().filter(|event| event.message().starts_with("retries may multiply"));
    multiplied.map(|event| (last(event, "function"), last(event, "inner"))).collect()
}

fn pair(outer: &str, inner: &str) -> (String, String) {
    (outer.to_owned(), inner.to_owned())
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "multiplied inner")]
async fn inner(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    tokio::task::yield_now().await;
    Err(DOWN)
}

#[resilient(retry(max_attempts = 3, base_delay = "1ms"), breaker = "multiplied outer")]
async fn outer(calls: &Cell<u32>) -> Result<(), Failure> {
    inner(calls).await
}

#[tokio::test(start_paused = true)]
async fn the_first_retry_of_retries_is_told_once_for_each_pair() {
    let events = Events::catch();
    let calls = Cell::default();
    outer(&calls).await.unwrap_err();
    assert_eq!(calls.get(), 3 * 2);
    assert_eq!(told(&events), [pair("outer", "inner")]);
    let all = events.all();
    let position = |message| all.iter().position(|it| it.message().starts_with(message)).unwrap();
    let event = &all[position("retries may multiply")];
    assert_eq!((event.level, event.field("breaker")), (Level::WARN, "multiplied outer"));
    assert_eq!(event.field("function"), concat!(module_path!(), "::outer"));
    assert_eq!(event.field("inner"), concat!(module_path!(), "::inner"));
    outer(&calls).await.unwrap_err();
    assert_eq!(told(&events).len(), 1);
}

#[resilient(breaker = "multiplied between")]
async fn between(calls: &Cell<u32>) -> Result<(), Failure> {
    let (first, ()) = tokio::join!(Box::pin(inner(calls)), async {});
    first
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "multiplied outermost")]
async fn outermost(calls: &Cell<u32>) -> Result<(), Failure> {
    between(calls).await
}

#[tokio::test(start_paused = true)]
async fn a_call_between_the_two_hides_nothing() {
    let events = Events::catch();
    outermost(&Cell::default()).await.unwrap_err();
    assert_eq!(told(&events), [pair("outermost", "inner")]);
}

#[tokio::test(start_paused = true)]
async fn policies_with_and_without_a_breaker_are_told() {
    let events = Events::catch();
    let policy = |name: &'static str| {
        let row = RetryPolicy::builder().max_attempts(2).build().unwrap();
        Policy::builder(name).retry(row)
    };
    let first = policy("first by hand").build().unwrap();
    let second = Arc::new(CircuitBreaker::new(BreakerConfig::DEFAULT));
    let second = policy("second by hand").breaker(second).build().unwrap();
    let third = policy("third by hand").build().unwrap();
    let run = first.run(|| second.run(|| third.run(|| async { Err::<(), _>(DOWN) })));
    run.await.unwrap_err();
    let expected =
        [pair("second by hand", "third by hand"), pair("first by hand", "second by hand")];
    assert_eq!(told(&events), expected);
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "multiplied inner")]
async fn of_one_breaker(calls: &Cell<u32>) -> Result<(), Failure> {
    inner(calls).await
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "does not multiply")]
async fn returns_another_error(calls: &Cell<u32>) -> Result<(), Failure> {
    inner(calls).await.map_err(|_| WRONG)
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "does not multiply")]
async fn fails_later(calls: &Cell<u32>) -> Result<(), Failure> {
    let _ = inner(calls).await;
    tokio::task::yield_now().await;
    Err(DOWN)
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "does not multiply")]
async fn fails_by_itself() -> Result<(), Failure> {
    Err(DOWN)
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "does not multiply")]
async fn recovers(calls: &Cell<u32>) -> Result<(), Failure> {
    let _ = inner(calls).await;
    Ok(())
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "does not multiply")]
async fn fails_with_its_own_error(calls: &Cell<u32>) -> Result<(), Failure> {
    let _ = inner(calls).await;
    Err(DOWN)
}

/// A known limit: an error does not say where it comes from.
#[tokio::test(start_paused = true)]
async fn another_error_in_the_same_poll_is_taken_for_the_inner_one() {
    let events = Events::catch();
    fails_with_its_own_error(&Cell::default()).await.unwrap_err();
    assert_eq!(told(&events), [pair("fails_with_its_own_error", "inner")]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_if_only_one_of_the_two_retries_the_failure() {
    let events = Events::catch();
    let calls = Cell::default();
    inner(&calls).await.unwrap_err();
    fails_by_itself().await.unwrap_err();
    of_one_breaker(&calls).await.unwrap_err();
    returns_another_error(&calls).await.unwrap_err();
    fails_by_itself().await.unwrap_err();
    fails_later(&calls).await.unwrap_err();
    recovers(&calls).await.unwrap();
    fails_by_itself().await.unwrap_err();
    assert_eq!(told(&events), []);
}

#[resilient(
    retry(max_attempts = 2, base_delay = "1ms"),
    breaker = "multiplied safely",
    idempotent = false
)]
async fn not_idempotent(calls: &Cell<u32>) -> Result<(), Failure> {
    inner(calls).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_an_outer_call_that_does_not_retry_such_failures() {
    let events = Events::catch();
    not_idempotent(&Cell::default()).await.unwrap_err();
    assert_eq!(told(&events), []);
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "multiplied spawned")]
async fn spawned() -> Result<(), Failure> {
    Err(DOWN)
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), breaker = "multiplied spawning")]
async fn spawns() -> Result<(), Failure> {
    tokio::spawn(spawned()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_call_in_a_task_of_its_own_is_not_inside() {
    let events = Events::catch();
    spawns().await.unwrap_err();
    assert_eq!(told(&events), []);
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"), deadline = "1m")]
async fn without_a_breaker(calls: &Cell<u32>, end: End) -> Result<(), Failure> {
    let failed = inner(calls).await;
    match end {
        End::Retried => failed,
        End::NotRetried => failed.map_err(|_| WRONG),
        End::Recovered => Ok(()),
    }
}

/// How the outer call of an inner one that fails ends.
#[derive(Clone, Copy)]
enum End {
    Retried,
    NotRetried,
    Recovered,
}

#[resilient(retry(max_attempts = 2, base_delay = "1ms"))]
async fn unrelated() -> Result<(), Failure> {
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_ended_leaves_nothing_for_an_unrelated_one() {
    for end in [End::Recovered, End::NotRetried, End::Retried] {
        let events = Events::catch();
        let _ = without_a_breaker(&Cell::default(), end).await;
        let outer = told(&events).len();
        assert_eq!(outer, usize::from(matches!(end, End::Retried)));
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        unrelated().await.unwrap_err();
        assert_eq!(told(&events).len(), outer);
    }
}

fn fails() -> std::future::Ready<Result<(), Failure>> {
    std::future::ready(Err(DOWN))
}

/// Returns the lines of its guards. On each, one is inside the other.
async fn guards_twice() -> [u32; 2] {
    let one = line!() + 1;
    let _ = guard!(retry, breaker = "guards twice"; async { guard!(retry; fails()).await }).await;
    let other = line!() + 1;
    let _ = guard!(retry, breaker = "guards twice"; async { guard!(retry; fails()).await }).await;
    [one, other]
}

#[tokio::test(start_paused = true)]
async fn guards_in_one_function_are_told_apart_by_their_places() {
    let events = Events::catch();
    let places = guards_twice().await.map(|line| format!("{}:{line}", file!()));
    let pair = pair("guards_twice", "guards_twice");
    assert_eq!(told(&events), [pair.clone(), pair]);
    let all = events.all();
    let told: Vec<_> =
        all.iter().filter(|it| it.message().starts_with("retries may multiply")).collect();
    for (event, place) in told.into_iter().zip(&places) {
        assert_eq!((event.field("place"), event.field("inner_place")), (&**place, &**place));
    }
}
