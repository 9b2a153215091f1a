//! What an annotated function does with the code that people write.

use std::cell::Cell;
use std::fmt::Display;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilient_runtime::{BreakerState, ErrorKind, breaker, resilient};
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::time::Instant;

/// Fails until it has been asked `0` times.
struct FailsUntil(u32, AtomicU32);

impl FailsUntil {
    const fn attempt(number: u32) -> Self {
        Self(number, AtomicU32::new(0))
    }

    fn ask(&self) -> Result<u32, Failure> {
        let attempt = self.1.fetch_add(1, Ordering::Relaxed) + 1;
        if attempt < self.0 { Err(DOWN) } else { Ok(attempt) }
    }
}

#[resilient(retry = "rate_limit_error")]
async fn asks(service: &FailsUntil) -> Result<u32, Failure> {
    service.ask()
}

#[tokio::test(start_paused = true)]
async fn a_function_is_retried_by_the_row_it_names() {
    assert_eq!(asks(&FailsUntil::attempt(5)).await, Ok(5));
    assert_eq!(asks(&FailsUntil::attempt(6)).await, Err(DOWN));
}

#[resilient(retry = "timeout_error")]
async fn with_question_marks(service: &FailsUntil) -> Result<u32, Failure> {
    let attempt = service.ask()?;
    if attempt == 0 {
        return Err(WRONG);
    }
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn a_question_mark_ends_the_attempt_and_not_the_call() {
    assert_eq!(with_question_marks(&FailsUntil::attempt(2)).await, Ok(2));
}

#[resilient(retry(
    row = "service_unavailable",
    max_attempts = 4,
    base_delay = "2s",
    max_delay = "1m",
    jitter = 0,
    backoff = "linear"
))]
async fn by_its_own_numbers(service: &FailsUntil) -> Result<u32, Failure> {
    service.ask()
}

#[tokio::test(start_paused = true)]
async fn overrides_change_the_row() {
    let start = Instant::now();
    assert_eq!(by_its_own_numbers(&FailsUntil::attempt(4)).await, Ok(4));
    assert_eq!(start.elapsed(), Duration::from_secs(2 + 4 + 6));
}

#[resilient(retry)]
async fn by_the_default_row(service: &FailsUntil) -> Result<u32, Failure> {
    service.ask()
}

#[tokio::test(start_paused = true)]
async fn retry_alone_is_the_default_row() {
    assert_eq!(by_the_default_row(&FailsUntil::attempt(3)).await, Ok(3));
    assert_eq!(by_the_default_row(&FailsUntil::attempt(4)).await, Err(DOWN));
}

#[resilient(retry(max_attempts = 1))]
async fn only_once(service: &FailsUntil, moved: Vec<u32>) -> Result<Vec<u32>, Failure> {
    service.ask().map(|_| moved)
}

#[tokio::test(start_paused = true)]
async fn one_attempt_is_no_retry() {
    assert_eq!(only_once(&FailsUntil::attempt(2), vec![1]).await, Err(DOWN));
    assert_eq!(only_once(&FailsUntil::attempt(1), vec![1]).await, Ok(vec![1]));
}

#[resilient(retry = "auto")]
async fn by_kind(calls: &Cell<u32>, kind: ErrorKind) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(Failure::of(kind))
}

#[tokio::test(start_paused = true)]
async fn auto_takes_the_row_of_the_errors_kind() {
    for (kind, attempts) in [
        (ErrorKind::RateLimitError, 5),
        (ErrorKind::TimeoutError, 2),
        (ErrorKind::InvalidVector, 1),
    ] {
        let calls = Cell::new(0);
        by_kind(&calls, kind).await.unwrap_err();
        assert_eq!(calls.get(), attempts, "{kind}");
    }
}

#[resilient(retry = "rate_limit_error", breaker = "every parameter")]
async fn every_parameter(
    service: &FailsUntil,
    mut name: String,
    (number, _): (u32, u8),
    log: &mut Vec<String>,
    mut view: &str,
    _: u8,
    shown: impl Display + Clone,
) -> Result<String, Failure> {
    name.push('!');
    log.push(name.clone());
    view = view.split_at(1).1;
    let attempt = service.ask()?;
    Ok(format!("{name} {number} {view} {shown} {attempt}"))
}

#[tokio::test(start_paused = true)]
async fn each_attempt_starts_from_the_arguments_as_they_came() {
    let mut log = Vec::new();
    let service = FailsUntil::attempt(3);
    let result = every_parameter(&service, "a".into(), (7, 0), &mut log, "view", 0, 'c').await;
    assert_eq!(result.unwrap(), "a! 7 iew c 3");
    assert_eq!(log, ["a!", "a!", "a!"]);
}

#[resilient(
    retry(max_attempts = 5, base_delay = "1ms"),
    breaker(name = "by attempt", failure_threshold = 3, scope = "attempt")
)]
async fn by_attempt(service: &FailsUntil) -> Result<u32, Failure> {
    service.ask()
}

#[tokio::test(start_paused = true)]
async fn inside_the_retries_the_breaker_counts_attempts() {
    let service = FailsUntil::attempt(4);
    assert_eq!(by_attempt(&service).await, Err(DOWN), "with the error of its last attempt");
    assert_eq!(service.1.load(Ordering::Relaxed), 3, "the third has opened the breaker");
    assert!(by_attempt(&service).await.unwrap_err().is_rejection());
    assert_eq!(service.1.load(Ordering::Relaxed), 3, "and a rejected call sends nothing");
}

#[resilient(retry, breaker(name = "dropped", failure_threshold = 1))]
async fn never_answers() -> Result<(), Failure> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_dropped_is_neutral() {
    let call = tokio::time::timeout(Duration::from_secs(1), never_answers());
    call.await.unwrap_err();
    let stats = breaker("dropped").unwrap().stats();
    assert_eq!((stats.state, stats.totals.ignored), (BreakerState::Closed, 1));
}

struct Store {
    service: FailsUntil,
    asked: u32,
}

impl Store {
    /// A documented method.
    #[resilient(retry = "connection_error", breaker = "store")]
    pub(crate) async fn ask<T>(&mut self, value: T) -> Result<(T, u32), Failure>
    where
        T: Clone,
    {
        self.asked += 1;
        Ok((value, self.service.ask()?))
    }

    #[resilient(breaker(name = "store by value", failure_threshold = 1))]
    async fn take(self) -> Result<Self, Failure> {
        self.service.ask()?;
        Ok(self)
    }
}

#[tokio::test(start_paused = true)]
async fn methods_keep_self_and_generics() {
    let mut store = Store { service: FailsUntil::attempt(3), asked: 0 };
    assert_eq!(store.ask("x").await, Ok(("x", 3)));
    assert_eq!(store.asked, 3);
    assert_eq!(store.take().await.unwrap().asked, 3);
}

#[resilient(retry = "connection_error", breaker = "names")]
async fn with_names_like_ours(__call: u8, __slot0: String, __last: u8) -> Result<String, Failure> {
    let __result = __slot0;
    Ok(format!("{__call}{__result}{__last}"))
}

/// A static and a parameter of one name do not go together, so these are told apart by their place
/// and not by hygiene.
#[expect(non_snake_case)]
#[resilient(retry = "connection_error", breaker = "names/{__RESILIENT_SITE}", attempt = __attempt)]
async fn with_names_like_our_statics(
    __RESILIENT_SITE: u8,
    __BREAKERS: String,
) -> Result<String, Failure> {
    Ok(format!("{__RESILIENT_SITE}{__BREAKERS}{}", __attempt.number()))
}

#[tokio::test(start_paused = true)]
async fn names_in_the_body_do_not_meet_generated_ones() {
    assert_eq!(with_names_like_ours(1, "a".into(), 2).await, Ok("1a2".into()));
    assert_eq!(with_names_like_our_statics(1, "a".into()).await, Ok("1a1".into()));
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[resilient(retry = "connection_error", breaker = "sent")]
async fn sent(not_sync: Cell<u32>, text: String) -> Result<String, Failure> {
    tokio::task::yield_now().await;
    Ok(format!("{text}{}", not_sync.get()))
}

#[tokio::test(start_paused = true)]
async fn the_future_is_send_where_the_plain_one_is() {
    let result = tokio::spawn(assert_send(sent(Cell::new(7), "a".into()))).await;
    assert_eq!(result.unwrap(), Ok("a7".into()));
}

#[resilient(retry = "connection_error")]
async fn of_every_transient_kind() -> Result<(), Failure> {
    Ok(())
}

macro_rules! retried_by {
    ($($name:literal),*) => {
        $({
            #[resilient(retry = $name)]
            async fn retried() -> Result<(), Failure> {
                Ok(())
            }
            assert!(retried().await.is_ok());
            $name
        }),*
    };
    (list $($name:literal),*) => { [$(retried_by!($name)),*] };
}

#[tokio::test(start_paused = true)]
async fn the_attribute_knows_every_transient_kind() {
    of_every_transient_kind().await.unwrap();
    let known = retried_by!(
        list "connection_error", "connection_timeout", "rate_limit_error", "service_unavailable",
        "timeout_error", "search_timeout", "internal_error", "network_error"
    );
    let transient = ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient());
    assert_eq!(transient.map(ErrorKind::as_str).collect::<Vec<_>>(), known);
}
