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
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker)).build().unwrap();
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

/// Polls `call` once, and panics with it still under way.
async fn panics_beside<F: Future<Output = Result<(), Failure>> + Send + 'static>(call: F) {
    caught(async move {
        let mut call = Box::pin(call);
        std::future::poll_fn(|context| {
            assert!(call.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        panic!("with the call still under way");
    })
    .await;
}

#[resilient(retry = "auto", breaker = "innocent")]
async fn innocent() -> Result<(), Failure> {
    pending().await
}

#[tokio::test]
async fn a_call_that_is_dropped_by_anothers_panic_is_neutral() {
    let breaker = Arc::new(CircuitBreaker::default());
    let calling = Arc::clone(&breaker);
    panics_beside(async move { calling.call(pending::<Result<(), Failure>>).await }).await;
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker)).build().unwrap();
    panics_beside(async move { policy.run(pending::<Result<(), Failure>>).await }).await;
    let totals = breaker.stats().totals;
    assert_eq!((totals.ignored, totals.failures), (2, 0));

    panics_beside(innocent()).await;
    let totals = resilient_runtime::breaker("innocent").unwrap().stats().totals;
    assert_eq!((totals.ignored, totals.failures), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_by_anothers_panic_is_neutral() {
    let breaker = Arc::new(CircuitBreaker::default());
    (0..5).for_each(|_| breaker.acquire().unwrap().failure());
    tokio::time::advance(breaker.config().open_duration()).await;
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker)).build().unwrap();
    panics_beside(async move { policy.run(pending::<Result<(), Failure>>).await }).await;
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.totals.ignored), (BreakerState::HalfOpen, 1));
}

/// What cannot be cloned after all.
struct Unclonable;

impl Clone for Unclonable {
    fn clone(&self) -> Self {
        panic!("while it is cloned")
    }
}

impl Unclonable {
    #[resilient(retry = "auto", breaker = "unclonable self")]
    async fn consumed(self) -> Result<(), Failure> {
        Ok(())
    }
}

#[resilient(retry = "auto", breaker = "unclonable argument")]
async fn consumes(_unclonable: Unclonable) -> Result<(), Failure> {
    Ok(())
}

#[tokio::test]
async fn a_panic_of_clone_counts_as_a_failure() {
    caught(Unclonable.consumed()).await;
    caught(consumes(Unclonable)).await;
    for name in ["unclonable self", "unclonable argument"] {
        let totals = resilient_runtime::breaker(name).unwrap().stats().totals;
        assert_eq!((totals.failures, totals.ignored), (1, 0), "{name}");
    }
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
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker)).build().unwrap();
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
