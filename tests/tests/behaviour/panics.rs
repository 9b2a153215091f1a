//! A panic is a failure; whatever else is dropped on its way is not.

use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};

use resilient_runtime::{
    BreakerState, CircuitBreaker, Classify, ErrorKind, Policy, Rejection, resilient,
};
use resilient_tests::Failure;
use resilient_tests::events::Events;
use std::sync::Arc;

/// Runs `future` to its panic.
async fn caught<F: Future + Send + 'static>(future: F)
where
    F::Output: Send,
{
    assert!(tokio::spawn(future).await.is_err_and(|error| error.is_panic()));
}

#[tokio::test]
async fn a_panic_counts_as_a_failure() {
    let breaker = Arc::new(CircuitBreaker::default());
    let panicking = Arc::clone(&breaker);
    caught(async move {
        panicking.call(|| async { panic!("in the future") as Result<(), Failure> }).await
    })
    .await;
    let panicking = Arc::clone(&breaker);
    caught(async move {
        panicking
            .call(|| -> std::future::Ready<Result<(), Failure>> { panic!("before the future") })
            .await
    })
    .await;
    assert_eq!(breaker.stats().failure_count, 2);
}

#[tokio::test]
async fn a_panic_in_a_policy_counts_as_a_failure() {
    let breaker = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker)).build();
    caught(async move {
        policy.run(|| async { panic!("in the future") as Result<(), Failure> }).await
    })
    .await;
    assert_eq!(breaker.stats().failure_count, 1);
}

#[tokio::test]
async fn a_permit_on_the_stack_of_a_panic_counts_as_a_failure() {
    let breaker = CircuitBreaker::default();
    let unwinding = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _permit = breaker.acquire().unwrap();
        panic!("while it is held");
    }));
    assert!(unwinding.is_err());
    assert_eq!(breaker.stats().failure_count, 1);
}

#[test]
fn a_subscriber_that_panics_has_no_call_counted_twice() {
    let breaker = CircuitBreaker::default();
    (0..4).for_each(|_| breaker.acquire().unwrap().failure());
    let fifth = breaker.acquire().unwrap();
    let events = Events::catch_and(|| panic!("in the subscriber"));
    assert!(std::panic::catch_unwind(AssertUnwindSafe(|| fifth.failure())).is_err());
    drop(events);
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.totals.failures), (BreakerState::Open, 5));
}

#[tokio::test]
async fn a_call_that_is_dropped_by_anothers_panic_is_neutral() {
    let breaker = Arc::new(CircuitBreaker::default());
    let innocent = Arc::clone(&breaker);
    caught(async move {
        let mut call = Box::pin(innocent.call(pending::<Result<(), Failure>>));
        std::future::poll_fn(|context| {
            assert!(call.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        panic!("with the call still under way");
    })
    .await;
    let stats = breaker.stats();
    assert_eq!((stats.totals.ignored, stats.totals.failures), (1, 0));
}

/// An error that cannot be classified.
#[derive(Debug)]
struct Unclassifiable;

impl Classify for Unclassifiable {
    fn kind(&self) -> ErrorKind {
        panic!("while it is judged")
    }
}

impl From<Rejection> for Unclassifiable {
    fn from(_: Rejection) -> Self {
        Self
    }
}

#[tokio::test]
async fn a_panic_of_classify_counts_as_a_failure() {
    let breaker = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker)).build();
    caught(async move { policy.run(|| ready(Err::<(), _>(Unclassifiable))).await }).await;
    let calling = Arc::clone(&breaker);
    caught(async move { calling.call(|| ready(Err::<(), _>(Unclassifiable))).await }).await;
    assert_eq!(breaker.stats().totals.failures, 2);
}

static PANICS: AtomicU32 = AtomicU32::new(0);

#[resilient(retry = "auto", breaker(name = "panics", failure_threshold = 1))]
async fn panics_once() -> Result<(), Failure> {
    assert!(PANICS.fetch_add(1, Ordering::Relaxed) > 0, "the first call panics");
    ready(Ok(())).await
}

#[tokio::test]
async fn a_panic_in_an_annotated_function_counts_and_leaves_the_breaker_usable() {
    caught(panics_once()).await;
    assert!(panics_once().await.unwrap_err().is_rejection());
    resilient_runtime::breaker("panics").unwrap().reset();
    panics_once().await.unwrap();
}

/// An error that panics where it is to carry a rejection.
#[derive(Debug)]
struct Untold;

impl Classify for Untold {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unknown
    }
}

impl From<Rejection> for Untold {
    fn from(_: Rejection) -> Self {
        panic!("no room for it")
    }
}

#[resilient(attempt_timeout = "1s", breaker = "untold timeouts")]
async fn hangs() -> Result<(), Untold> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn a_panic_over_a_timeout_counts_as_a_failure() {
    caught(hangs()).await;
    let totals = resilient_runtime::breaker("untold timeouts").unwrap().stats().totals;
    assert_eq!((totals.failures, totals.ignored), (1, 0));
}
