//! A panic is a failure; whatever else is dropped on its way is not.

use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};

use std::task::{Context, Waker};
use std::time::Duration;

use resilient_runtime::{
    BreakerState, BudgetConfig, CircuitBreaker, Classify, ErrorKind, Policy, Rejection,
    RetryBudget, RetryPolicy, Scope, resilient,
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

/// A transient error that panics when it is dropped, unless a panic is under way already.
#[derive(Debug)]
struct Undroppable;

impl Classify for Undroppable {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ServiceUnavailable
    }
}

impl From<Rejection> for Undroppable {
    fn from(_: Rejection) -> Self {
        Self
    }
}

impl Drop for Undroppable {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "while it is dropped");
    }
}

/// What a breaker has counted: failures, ignored calls and successes.
fn results(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let totals = breaker.stats().totals;
    (totals.failures, totals.ignored, totals.successes)
}

/// A policy of three attempts, and its breaker.
fn three_attempts(scope: Scope) -> (Policy, Arc<CircuitBreaker>) {
    let breaker = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("test")
        .retry(RetryPolicy::DEFAULT)
        .breaker(Arc::clone(&breaker))
        .scope(scope)
        .build()
        .unwrap();
    (policy, breaker)
}

#[resilient(retry = "auto", breaker = "undroppable errors")]
async fn fails_with_what_cannot_be_dropped() -> Result<(), Undroppable> {
    Err(Undroppable)
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_an_error_that_is_dropped_between_attempts_counts_as_a_failure() {
    // With one permit for each attempt, the first failure has been counted already.
    for (scope, failures) in [(Scope::Call, 1), (Scope::Attempt, 2)] {
        let (policy, breaker) = three_attempts(scope);
        caught(async move { policy.run(|| ready(Err::<(), _>(Undroppable))).await }).await;
        assert_eq!(results(&breaker), (failures, 0, 0), "{scope:?}");
        breaker.acquire().unwrap().success();
    }
    caught(async { std::mem::forget(fails_with_what_cannot_be_dropped().await) }).await;
    let breaker = resilient_runtime::breaker("undroppable errors").unwrap();
    assert_eq!(results(&breaker), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_a_panic_prevents_costs_no_token() {
    let budget = Arc::new(RetryBudget::named("test", BudgetConfig::DEFAULT));
    let policy = Policy::builder("test")
        .retry(RetryPolicy::DEFAULT)
        .budget(Arc::clone(&budget))
        .build()
        .unwrap();
    caught(async move { policy.run(|| ready(Err::<(), _>(Undroppable))).await }).await;
    assert_eq!(budget.available(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cancelled_is_neutral_even_if_its_error_panics() {
    for scope in [Scope::Call, Scope::Attempt] {
        let (policy, breaker) = three_attempts(scope);
        let mut call =
            Box::pin(async move { policy.run(|| ready(Err::<(), _>(Undroppable))).await });
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
        assert!(std::panic::catch_unwind(AssertUnwindSafe(|| drop(call))).is_err());
        let counted = if scope == Scope::Call { (0, 1, 0) } else { (1, 0, 0) };
        assert_eq!(results(&breaker), counted, "{scope:?}");
    }
}

/// Polls `call` to its end, and catches the panic in it.
async fn caught_here<F: Future>(call: F) {
    let mut call = Box::pin(call);
    let panicked = std::future::poll_fn(move |context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
            Ok(poll) => poll.map(|_| false),
            Err(_) => std::task::Poll::Ready(true),
        }
    });
    assert!(panicked.await, "nothing has panicked");
}

#[resilient(retry = "auto", breaker = "unheard retries")]
async fn retries_unheard() -> Result<(), Failure> {
    Err(resilient_tests::DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_subscriber_to_a_retry_counts_as_a_failure() {
    for scope in [Scope::Call, Scope::Attempt] {
        let (policy, breaker) = three_attempts(scope);
        let events = Events::catch_and(|| panic!("in the subscriber"));
        caught_here(policy.run(|| ready(Err::<(), Failure>(resilient_tests::DOWN)))).await;
        assert_eq!(events.all()[0].message(), "retrying");
        drop(events);
        assert_eq!(results(&breaker), (1, 0, 0), "{scope:?}");
    }
    let events = Events::catch_and(|| panic!("in the subscriber"));
    caught_here(retries_unheard()).await;
    drop(events);
    let breaker = resilient_runtime::breaker("unheard retries").unwrap();
    assert_eq!(results(&breaker), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_subscriber_to_the_end_of_the_retries_counts_as_a_failure() {
    let row = RetryPolicy::builder().max_attempts(1).build().unwrap();
    let breaker = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("test").retry(row).breaker(Arc::clone(&breaker)).build().unwrap();
    let events = Events::catch_and(|| panic!("in the subscriber"));
    caught_here(policy.run(|| ready(Err::<(), Failure>(resilient_tests::DOWN)))).await;
    assert_eq!(events.all()[0].message(), "gave up");
    drop(events);
    assert_eq!(results(&breaker), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_subscriber_after_the_pause_counts_as_a_failure() {
    for scope in [Scope::Call, Scope::Attempt] {
        let (policy, breaker) = three_attempts(scope);
        let opening = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            breaker.force_open();
        };
        let gives_up = || panic!("in the subscriber");
        let call = async {
            let mut call = Box::pin(policy.run(|| ready(Err::<(), _>(resilient_tests::DOWN))));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            tokio::time::sleep(Duration::from_secs(1)).await;
            let events = Events::catch_and(gives_up);
            caught_here(call).await;
            assert_eq!(events.all()[0].message(), "gave up");
        };
        tokio::join!(call, opening);
        assert_eq!(results(&breaker), (1, 0, 0), "{scope:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_subscriber_to_a_timeout_counts_as_a_failure() {
    let breaker = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker));
    let policy = policy.attempt_timeout(Duration::from_secs(1)).build().unwrap();
    let events = Events::catch_and(|| panic!("in the subscriber"));
    caught_here(policy.run(pending::<Result<(), Failure>>)).await;
    assert_eq!(events.all()[0].message(), "timed out");
    drop(events);
    assert_eq!(results(&breaker), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_subscriber_to_a_rejection_counts_as_a_rejection_only() {
    let (policy, breaker) = three_attempts(Scope::Call);
    breaker.force_open();
    let events = Events::catch_and(|| panic!("in the subscriber"));
    caught_here(policy.run(|| ready(Ok::<_, Failure>(())))).await;
    drop(events);
    assert_eq!((results(&breaker), breaker.stats().totals.rejected), ((0, 0, 0), 1));
}

/// What panics when it is dropped, unless a panic is under way already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "while it is dropped");
    }
}

#[resilient(attempt_timeout = "1s", breaker = "undroppable bodies")]
async fn hangs_with_a_bomb() -> Result<(), Failure> {
    let _bomb = Bomb;
    pending().await
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_drop_of_a_body_that_timed_out_counts_as_a_failure() {
    caught(hangs_with_a_bomb()).await;
    let breaker = resilient_runtime::breaker("undroppable bodies").unwrap();
    assert_eq!(results(&breaker), (1, 0, 0));

    let breaker = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("test")
        .breaker(Arc::clone(&breaker))
        .deadline(Duration::from_secs(1))
        .build()
        .unwrap();
    let body = || async {
        let _bomb = Bomb;
        pending::<Result<(), Failure>>().await
    };
    caught(async move { policy.run(body).await }).await;
    assert_eq!(results(&breaker), (1, 0, 0));
}

/// An error that answers one question only.
#[derive(Debug)]
struct HalfClassified;

impl Classify for HalfClassified {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFoundError
    }

    fn retry_after(&self) -> Option<Duration> {
        panic!("while it is asked for a hint")
    }
}

impl From<Rejection> for HalfClassified {
    fn from(_: Rejection) -> Self {
        Self
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_over_a_hint_counts_as_a_failure() {
    let (policy, breaker) = three_attempts(Scope::Call);
    caught(async move { policy.run(|| ready(Err::<(), _>(HalfClassified))).await }).await;
    assert_eq!(results(&breaker), (1, 0, 0));
}

/// Polls `call` once, outside of any runtime, where it panics because it needs a timer.
fn panics_without_a_runtime<F: Future>(call: F) {
    let mut call = Box::pin(call);
    let mut context = Context::from_waker(Waker::noop());
    let poll = AssertUnwindSafe(|| call.as_mut().poll(&mut context).is_ready());
    assert!(std::panic::catch_unwind(poll).is_err());
}

#[resilient(attempt_timeout = "1s", breaker = "timeouts without a runtime")]
async fn is_timed() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn a_timer_without_a_runtime_counts_as_a_failure() {
    let (retrying, breaker) = three_attempts(Scope::Call);
    panics_without_a_runtime(retrying.run(|| ready(Err::<(), _>(resilient_tests::DOWN))));
    assert_eq!(results(&breaker), (1, 0, 0), "a retry");

    let breaker = Arc::new(CircuitBreaker::default());
    let timed = Policy::builder("test")
        .breaker(Arc::clone(&breaker))
        .attempt_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    panics_without_a_runtime(timed.run(|| ready(Ok::<_, Failure>(()))));
    assert_eq!(results(&breaker), (1, 0, 0), "a timeout");

    panics_without_a_runtime(is_timed());
    let breaker = resilient_runtime::breaker("timeouts without a runtime").unwrap();
    assert_eq!(results(&breaker), (1, 0, 0), "a timeout in an attribute");
}
