//! `classify` and `reject`: for errors that cannot implement the traits.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilient_runtime::{
    BreakerState, CircuitOpenError, Classification, ErrorKind, Rejection, breaker, guard, resilient,
};
use tokio::time::Instant;

/// An enum of another crate, as far as this one can tell: it cannot be changed.
#[derive(Debug, PartialEq, Eq)]
enum Foreign {
    Down,
    Busy { seconds: u64 },
    Wrong,
    Other(Rejection),
}

fn foreign(error: &Foreign) -> Classification {
    match error {
        Foreign::Down => Classification::new(ErrorKind::ServiceUnavailable),
        Foreign::Busy { seconds } => Classification::new(ErrorKind::RateLimitError)
            .with_retry_after(Duration::from_secs(*seconds))
            .with_maybe_executed(false),
        Foreign::Wrong | Foreign::Other(_) => Classification::new(ErrorKind::InvalidRequestError),
    }
}

fn other(rejection: Rejection) -> Foreign {
    Foreign::Other(rejection)
}

struct Client(AtomicU32);

impl Client {
    fn answer(&self, errors: &[fn() -> Foreign]) -> Result<u32, Foreign> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        errors.get(number as usize).map_or(Ok(number), |error| Err(error()))
    }
}

#[resilient(retry = "rate_limit_error", classify = foreign)]
async fn retried(client: &Client, errors: &[fn() -> Foreign]) -> Result<u32, Foreign> {
    client.answer(errors)
}

#[tokio::test(start_paused = true)]
async fn a_function_classifies_what_is_retried() {
    let started = Instant::now();
    let client = Client(AtomicU32::new(0));
    let errors: [fn() -> Foreign; 2] = [|| Foreign::Down, || Foreign::Busy { seconds: 20 }];
    assert_eq!(retried(&client, &errors).await, Ok(2));
    assert!(started.elapsed() >= Duration::from_secs(20), "the wait of the classification");

    let client = Client(AtomicU32::new(0));
    assert_eq!(retried(&client, &[|| Foreign::Wrong]).await, Err(Foreign::Wrong));
}

#[resilient(retry = "auto", idempotent = false, classify = foreign)]
async fn sent_once(client: &Client, errors: &[fn() -> Foreign]) -> Result<u32, Foreign> {
    client.answer(errors)
}

#[tokio::test(start_paused = true)]
async fn a_function_says_what_may_have_been_executed() {
    let client = Client(AtomicU32::new(0));
    assert_eq!(sent_once(&client, &[|| Foreign::Busy { seconds: 1 }]).await, Ok(1));
    let client = Client(AtomicU32::new(0));
    assert_eq!(sent_once(&client, &[|| Foreign::Down]).await, Err(Foreign::Down));
}

#[test]
fn a_classification_takes_over_all_that_an_error_says() {
    struct Refused;
    impl resilient_runtime::Classify for Refused {
        fn kind(&self) -> ErrorKind {
            ErrorKind::RateLimitError
        }

        fn retry_after(&self) -> Option<Duration> {
            Some(Duration::from_secs(7))
        }

        fn maybe_executed(&self) -> bool {
            false
        }

        fn may_retry(&self) -> bool {
            false
        }
    }
    let taken = Classification::of(&Refused);
    let said = (taken.kind, taken.retry_after, taken.maybe_executed, taken.may_retry);
    assert_eq!(said, (ErrorKind::RateLimitError, Some(Duration::from_secs(7)), false, false));
}

struct Store;

impl Store {
    fn kind_of(error: &str) -> ErrorKind {
        if error == "down" { ErrorKind::ServiceUnavailable } else { ErrorKind::Unknown }
    }

    #[expect(clippy::needless_pass_by_value, reason = "the key takes a function of this type")]
    fn from_rejection(rejection: Rejection) -> String {
        rejection.to_string()
    }

    #[resilient(
        breaker(name = "texts", failure_threshold = 2),
        classify = Self::kind_of,
        reject = Self::from_rejection
    )]
    async fn search(&self, text: &str) -> Result<(), String> {
        Err(text.to_owned())
    }

    #[resilient(
        breaker = "texts/{tenant}",
        attempt_timeout = "1s",
        classify = Self::kind_of,
        reject = Self::from_rejection
    )]
    async fn slow(&self, tenant: &str) -> Result<String, String> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(tenant.to_owned())
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_text_opens_a_breaker_and_carries_its_rejection() {
    assert_eq!(Store.search("wrong").await, Err("wrong".to_owned()));
    for _ in 0..2 {
        assert_eq!(Store.search("down").await, Err("down".to_owned()));
    }
    assert_eq!(breaker("texts").unwrap().state(), BreakerState::Open);
    let rejected = Store.search("down").await.unwrap_err();
    assert!(rejected.contains("circuit breaker `texts`"), "{rejected}");
    let timed_out = Store.slow("a").await.unwrap_err();
    assert!(timed_out.contains("1s"), "{timed_out}");
    assert!(breaker("texts/a").is_some());
}

type Boxed = Box<dyn Error>;

fn boxed_kind(error: &Boxed) -> ErrorKind {
    let source = error.downcast_ref::<std::io::Error>();
    source.map_or(ErrorKind::Unknown, resilient_runtime::Classify::kind)
}

#[resilient(breaker = "boxed", classify = boxed_kind)]
async fn boxed() -> Result<(), Boxed> {
    Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into())
}

#[tokio::test(start_paused = true)]
async fn a_boxed_error_of_one_thread_is_classified() {
    for _ in 0..5 {
        assert!(boxed().await.is_err());
    }
    let rejected = boxed().await.unwrap_err();
    assert!(CircuitOpenError::find(&*rejected).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_guarded_call_takes_the_same_functions() {
    let client = Client(AtomicU32::new(0));
    let answer = guard!(
        retry = "auto",
        breaker = "guarded texts",
        classify = foreign,
        reject = other;
        std::future::ready(client.answer(&[|| Foreign::Down]))
    );
    assert_eq!(answer.await, Ok(1));
}
