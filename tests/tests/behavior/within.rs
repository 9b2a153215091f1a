//! The time of a request, which all calls inside share.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use qdrant_client::QdrantError;
use resilient_runtime::{
    BreakerConfig, BreakerState, CircuitBreaker, Classify, ErrorKind, Policy, Rejection,
    RetryExecutor, RetryPolicy, Scope, breaker, guard, resilient, time_left, within,
};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// How long a call was allowed to take whose deadline was exceeded, and the number of its attempts.
fn exceeded(error: &Failure) -> (Duration, u32) {
    let Failure::Rejected(Rejection::DeadlineExceeded { deadline, attempts, .. }) = error else {
        panic!("{error:?}")
    };
    (*deadline, *attempts)
}

/// Successes, failures and ignored calls of a breaker so far.
fn totals(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let totals = breaker.stats().totals;
    (totals.successes, totals.failures, totals.ignored)
}

fn totals_of(name: &str) -> (u64, u64, u64) {
    totals(&breaker(name).unwrap())
}

fn row(attempts: u32) -> RetryPolicy {
    RetryPolicy::builder().max_attempts(attempts).base_delay(SECOND).jitter(0.0).build().unwrap()
}

/// Awaits `future`, and checks how long that takes.
async fn takes<T>(time: Duration, future: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let output = future.await;
    assert_eq!(start.elapsed(), time);
    output
}

#[resilient(breaker = "within embed")]
async fn embed() -> Result<(), Failure> {
    sleep(2 * SECOND).await;
    Ok(())
}

#[resilient(retry(max_attempts = 2), breaker = "within search")]
async fn search() -> Result<(), Failure> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn functions_share_the_time() {
    let both = async {
        embed().await?;
        search().await
    };
    let error = takes(5 * SECOND, within(5 * SECOND, both)).await.unwrap_err();
    assert_eq!(exceeded(&error), (3 * SECOND, 1));
    assert_eq!((error.kind(), error.maybe_executed()), (ErrorKind::DeadlineExceeded, true));
    assert_eq!(totals_of("within embed"), (1, 0, 0));
    assert_eq!(totals_of("within search"), (0, 1, 0), "nothing else limits it");
}

#[resilient(breaker = "within breaker alone")]
async fn breaker_alone() -> Result<(), Failure> {
    pending().await
}

#[resilient(retry = "auto", breaker = "within both")]
async fn both(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    if calls.get() < 2 {
        return Err(DOWN);
    }
    pending().await
}

#[resilient(retry, breaker(name = "within scope", scope = "attempt"))]
async fn in_scope() -> Result<(), Failure> {
    pending().await
}

#[resilient(breaker = "within key {key}")]
async fn keyed(key: &str) -> Result<(), Failure> {
    let _ = key;
    pending().await
}

#[resilient(breaker = "within attempt", attempt = ctx)]
async fn knows_its_attempt() -> Result<(), Failure> {
    assert_eq!(ctx.time_left(), Some(3 * SECOND));
    pending().await
}

#[resilient(breaker = "within functions", classify = kind_of, reject = text)]
async fn of_text() -> Result<(), String> {
    pending().await
}

fn kind_of(_: &String) -> ErrorKind {
    ErrorKind::ServiceUnavailable
}

#[expect(clippy::needless_pass_by_value, reason = "the attribute gives it the rejection")]
fn text(rejection: Rejection) -> String {
    rejection.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_hanging_function_is_ended_when_the_time_is_over() {
    let time = 3 * SECOND;
    let error = takes(time, within(time, breaker_alone())).await.unwrap_err();
    assert_eq!(exceeded(&error), (time, 1));
    assert_eq!(error.to_string(), "deadline of 3s exceeded in attempt 1");

    let error = takes(time, within(time, both(&Cell::new(0)))).await.unwrap_err();
    assert_eq!(exceeded(&error), (time, 2), "the time of the call, not of the attempt");

    for call in [in_scope().await_within(time).await, keyed("a").await_within(time).await] {
        assert_eq!(exceeded(&call.unwrap_err()), (time, 1));
    }
    let error = knows_its_attempt().await_within(time).await.unwrap_err();
    assert_eq!(exceeded(&error), (time, 1));
    let error = takes(time, within(time, of_text())).await.unwrap_err();
    assert_eq!(error, "deadline of 3s exceeded in attempt 1");

    for name in ["breaker alone", "both", "scope", "key a", "attempt", "functions"] {
        let failures = breaker(&format!("within {name}")).unwrap().stats().totals.failures;
        assert_eq!(failures, 1, "{name}");
    }
}

/// `within`, and a check that it takes all of the time.
trait AwaitWithin: Future + Sized {
    async fn await_within(self, time: Duration) -> Self::Output {
        takes(time, within(time, self)).await
    }
}

impl<F: Future> AwaitWithin for F {}

#[tokio::test(start_paused = true)]
async fn a_hanging_guarded_call_is_ended() {
    let once = guard!(breaker = "within guard"; pending::<Result<(), Failure>>());
    assert_eq!(exceeded(&once.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
    let retried =
        guard!(retry = "auto", breaker = "within guard"; pending::<Result<(), Failure>>());
    assert_eq!(exceeded(&retried.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
    let timed = guard!(attempt_timeout = "1m"; pending::<Result<(), Failure>>());
    assert_eq!(exceeded(&timed.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
    assert_eq!(totals_of("within guard"), (0, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_operation_of_a_policy_is_ended() {
    let breaker = Arc::new(CircuitBreaker::default());
    let empty = Policy::builder("empty").build().unwrap();
    let full = Policy::builder("full").retry(row(3)).breaker(Arc::clone(&breaker));
    for policy in [empty, full.build().unwrap()] {
        let run = policy.run(pending::<Result<(), Failure>>);
        assert_eq!(exceeded(&run.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
        let run = policy.run_with(|attempt| {
            assert_eq!(attempt.time_left(), Some(SECOND));
            pending::<Result<(), Failure>>()
        });
        assert_eq!(exceeded(&run.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
    }
    assert_eq!(totals(&breaker), (0, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_of_a_breaker_is_ended() {
    let breaker = CircuitBreaker::default();
    let call = breaker.call(pending::<Result<(), Failure>>);
    assert_eq!(exceeded(&call.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
    assert_eq!(totals(&breaker), (0, 1, 0));
    within(SECOND, breaker.call(|| ready(Ok::<_, Failure>(())))).await.unwrap();
    within(SECOND, breaker.call(|| ready(Err::<(), _>(DOWN)))).await.unwrap_err();
    assert_eq!(totals(&breaker), (1, 2, 0));
    let calls = Cell::new(0);
    let call = breaker.call(|| async {
        calls.set(calls.get() + 1);
        Ok::<_, Failure>(())
    });
    assert_eq!(exceeded(&within(Duration::ZERO, call).await.unwrap_err()), (Duration::ZERO, 0));
    assert_eq!((calls.get(), totals(&breaker)), (0, (1, 2, 0)));
    breaker.force_open();
    let rejected = within(SECOND, breaker.call(|| ready(Ok::<_, Failure>(())))).await;
    assert_eq!(rejected.unwrap_err().kind(), ErrorKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_set_of_futures_is_ended() {
    async fn of(key: &str, delay: Duration) -> Result<(), Failure> {
        sleep(delay).await;
        keyed(key).await
    }
    let ended = async {
        let mut ended = Vec::new();
        let mut calls: FuturesUnordered<_> =
            ["d", "e"].map(|key| of(key, SECOND)).into_iter().collect();
        while let Some(result) = calls.next().await {
            ended.push(exceeded(&result.unwrap_err()));
        }
        ended
    };
    assert_eq!(ended.await_within(3 * SECOND).await, [(2 * SECOND, 1); 2]);
}

#[tokio::test(start_paused = true)]
async fn calls_of_join_and_select_are_ended() {
    let joined = async { tokio::join!(keyed("calls_of_join_and_select"), keyed("join")) };
    let (one, other) = joined.await_within(SECOND).await;
    assert_eq!([exceeded(&one.unwrap_err()), exceeded(&other.unwrap_err())], [(SECOND, 1); 2]);
    let selected = async {
        tokio::select! {
            ended = keyed("select") => ended,
            () = sleep(5 * SECOND) => Ok(()),
        }
    };
    assert_eq!(exceeded(&selected.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
}

#[resilient(
    attempt_timeout = "4s",
    deadline = "1m",
    retry(max_attempts = 3),
    breaker = "within timed"
)]
async fn timed(left: &RefCell<Vec<Option<Duration>>>) -> Result<(), Failure> {
    search_left(left).await
}

/// Notes the time that is left, and hangs.
#[resilient(attempt_timeout = "1h", attempt = ctx)]
async fn search_left(left: &RefCell<Vec<Option<Duration>>>) -> Result<(), Failure> {
    left.borrow_mut().push(ctx.time_left());
    pending().await
}

#[tokio::test(start_paused = true)]
async fn limits_of_its_own_stay() {
    let left = RefCell::default();
    // The first attempt ends by its own timeout, and the second by the request.
    let error = timed(&left).await_within(6 * SECOND).await.unwrap_err();
    let left = left.take();
    assert_eq!((left.len(), left[0]), (2, Some(6 * SECOND)));
    assert_eq!(exceeded(&error), (left[1].unwrap(), 1), "it ends the innermost call");
    assert_eq!(totals_of("within timed"), (0, 0, 1), "neutral beside an attempt timeout");

    let error = takes(2 * SECOND, within(10 * SECOND, own_deadline())).await.unwrap_err();
    assert_eq!(exceeded(&error), (2 * SECOND, 1));
    let error = own_deadline().await_within(SECOND).await.unwrap_err();
    assert_eq!(exceeded(&error), (SECOND, 1));
}

#[resilient(deadline = "2s", breaker = "within deadline")]
async fn own_deadline() -> Result<(), Failure> {
    pending().await
}

#[resilient(
    retry(max_attempts = 5, base_delay = "2s", backoff = "linear", jitter = 0),
    breaker = "within down"
)]
async fn down(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn no_retry_starts_that_would_be_too_late() {
    let (calls, events) = (Cell::new(0), Events::catch());
    // Delays of 2, 4 and 6 seconds.
    let error = takes(6 * SECOND, within(8 * SECOND, down(&calls))).await.unwrap_err();
    assert_eq!((error, calls.get()), (DOWN, 3));
    let gave_up = &events.named("gave up")[0];
    assert_eq!(gave_up.field("kind"), "service_unavailable");
    assert!(gave_up.field("reason").contains("deadline"), "{gave_up:?}");

    let calls = Cell::new(0);
    let hint = Failure::after(ErrorKind::RateLimitError, 2 * SECOND);
    let policy = Policy::builder("hint").retry(row(5)).build().unwrap();
    let run = policy.run(|| {
        calls.set(calls.get() + 1);
        ready(Err::<(), _>(hint.clone()))
    });
    takes(Duration::ZERO, within(SECOND, run)).await.unwrap_err();
    assert_eq!(calls.get(), 1, "the server asks for a longer wait");
}

#[resilient(retry(
    max_attempts = 9,
    base_delay = "1s",
    backoff = "linear",
    max_delay = "1s",
    jitter = 0
))]
async fn retry_alone(calls: &Cell<u32>, time: Duration) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    sleep(time).await;
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_retry_alone_is_not_ended_but_not_followed_either() {
    let calls = Cell::new(0);
    let retried = within(4 * SECOND, retry_alone(&calls, SECOND));
    assert_eq!(takes(3 * SECOND, retried).await, Err(DOWN));
    assert_eq!(calls.take(), 2);
    let retried = within(4 * SECOND, retry_alone(&calls, 10 * SECOND));
    assert_eq!(takes(10 * SECOND, retried).await, Err(DOWN));
    assert_eq!(calls.take(), 1);
    assert_eq!(within(Duration::ZERO, retry_alone(&calls, SECOND)).await, Err(DOWN));
    assert_eq!(calls.take(), 1, "nothing can reject it");

    let executor = RetryExecutor::new(row(9));
    let retried = executor.execute(|| {
        calls.set(calls.get() + 1);
        ready(Err::<(), _>(DOWN))
    });
    assert_eq!(within(4 * SECOND, retried).await, Err(DOWN));
    assert_eq!(calls.take(), 3, "after delays of 1 and 2 seconds");
}

#[resilient(retry, attempt = ctx)]
async fn left_of_retry_alone() -> Result<Option<Duration>, Failure> {
    Ok(ctx.time_left())
}

#[resilient(attempt_timeout = "4s", attempt = ctx)]
async fn left_of_timed() -> Result<(Option<Duration>, Option<u64>), Failure> {
    Ok((ctx.time_left(), ctx.seconds_left()))
}

#[tokio::test(start_paused = true)]
async fn an_attempt_knows_the_time_that_is_left() {
    assert_eq!(left_of_retry_alone().await.unwrap(), None);
    assert_eq!(left_of_timed().await.unwrap(), (Some(4 * SECOND), Some(4)));
    let request = async {
        assert_eq!(left_of_retry_alone().await.unwrap(), Some(6 * SECOND));
        assert_eq!(left_of_timed().await.unwrap(), (Some(4 * SECOND), Some(4)));
        sleep(3 * SECOND).await;
        assert_eq!(left_of_timed().await.unwrap(), (Some(3 * SECOND), Some(3)));
        assert_eq!(time_left(), Some(3 * SECOND));
        sleep(4 * SECOND).await;
        assert_eq!(time_left(), Some(Duration::ZERO));
        left_of_timed().await.unwrap_err()
    };
    let error = takes(7 * SECOND, within(6 * SECOND, request)).await;
    assert_eq!(exceeded(&error), (Duration::ZERO, 0));
    assert_eq!(time_left(), None);
}

#[resilient(retry, breaker = "within late")]
async fn late(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Ok(())
}

#[resilient(deadline = "1s")]
async fn late_without_a_breaker(calls: &Cell<u32>) -> Result<(), QdrantError> {
    calls.set(calls.get() + 1);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn without_time_left_nothing_is_sent() {
    let (calls, events) = (Cell::new(0), Events::catch());
    let request = async {
        sleep(2 * SECOND).await;
        let error = late(&calls).await.unwrap_err();
        assert_eq!(exceeded(&error), (Duration::ZERO, 0));
        assert_eq!(error.to_string(), "deadline exceeded before the first attempt");
        let error = late_without_a_breaker(&calls).await.unwrap_err();
        let kind = (error.kind(), error.maybe_executed());
        assert_eq!(kind, (ErrorKind::DeadlineExceeded, false));
        let policy = Policy::builder("late").build().unwrap();
        policy.run(|| late(&calls)).await.unwrap_err();
        policy.run_with(|_| late(&calls)).await.unwrap_err();
        guard!(breaker = "within late"; late(&calls)).await.unwrap_err();
    };
    within(SECOND, request).await;
    assert_eq!((calls.get(), totals_of("within late")), (0, (0, 0, 0)));
    assert_eq!(breaker("within late").unwrap().stats().totals.rejected, 0);
    let rejected = events.named("rejected");
    assert_eq!(rejected.len(), 5);
    assert_eq!(rejected[0].field("kind"), "deadline_exceeded");
    assert_eq!(rejected[0].field("breaker"), "within late");
    assert!(rejected[0].field("function").ends_with("within::late"));
}

#[tokio::test(start_paused = true)]
async fn the_event_names_the_time_that_the_call_had() {
    let events = Events::catch();
    let request = async {
        sleep(SECOND).await;
        keyed("the_event_names_the_time").await.unwrap_err();
    };
    within(3 * SECOND, request).await;
    let timed_out = &events.named("timed out")[0];
    assert!(timed_out.field("function").ends_with("keyed"));
    assert_eq!(timed_out.field("kind"), "deadline_exceeded");
    assert_eq!(timed_out.field("limit"), "2s");
    both(&Cell::new(1)).await_within(SECOND).await.unwrap_err();
    assert_eq!(events.named("gave up")[0].field("reason"), "the deadline was exceeded");
    let breaker = CircuitBreaker::default();
    breaker.call(pending::<Result<(), Failure>>).await_within(SECOND).await.unwrap_err();
    assert_eq!(events.named("timed out")[1].field("limit"), "1s");
}

#[tokio::test(start_paused = true)]
async fn of_nested_ones_the_earlier_moment_holds() {
    let longer_inside = within(SECOND, within(3 * SECOND, keyed("of_nested_ones_the_earli")));
    assert_eq!(exceeded(&takes(SECOND, longer_inside).await.unwrap_err()), (SECOND, 1));
    let shorter_inside = async {
        let inner = within(SECOND, keyed("of_nested_ones_the_earli")).await.unwrap_err();
        [exceeded(&inner), exceeded(&keyed("of_nested_ones_the_earli").await.unwrap_err())]
    };
    let both = takes(3 * SECOND, within(3 * SECOND, shorter_inside)).await;
    assert_eq!(both, [(SECOND, 1), (2 * SECOND, 1)]);
    let unlimited =
        within(SECOND, within(None, within(Duration::MAX, keyed("of_nested_ones_the_earli"))));
    assert_eq!(exceeded(&takes(SECOND, unlimited).await.unwrap_err()), (SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn the_time_begins_with_the_call_of_within() {
    let request = within(2 * SECOND, keyed("the_time_begins_with_the"));
    sleep(SECOND).await;
    assert_eq!(exceeded(&takes(SECOND, request).await.unwrap_err()), (SECOND, 1));
}

#[resilient(breaker(name = "within nesting", failure_threshold = 100))]
async fn outer(swallows: bool) -> Result<(), Failure> {
    let result = inner().await;
    if swallows { inner().await } else { result }
}

#[resilient(breaker = "within nesting")]
async fn inner() -> Result<(), Failure> {
    pending().await
}

#[resilient(breaker = "within around")]
async fn around() -> Result<(), Failure> {
    inner().await
}

#[tokio::test(start_paused = true)]
async fn of_calls_inside_calls_the_innermost_is_ended_and_counted_once() {
    for (swallows, failures) in [(false, 1), (true, 2)] {
        let error = outer(swallows).await_within(SECOND).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(totals_of("within nesting"), (0, failures, 0));
    }
    around().await_within(SECOND).await.unwrap_err();
    assert_eq!(totals_of("within nesting"), (0, 3, 0));
    assert_eq!(totals_of("within around"), (0, 0, 1));
    // A `within` in the body of a call does not hide the call.
    let breaker = CircuitBreaker::default();
    let part = || breaker.call(pending::<Result<(), Failure>>);
    let call = breaker.call(|| within(SECOND, part()));
    assert_eq!(exceeded(&takes(SECOND, call).await.unwrap_err()), (SECOND, 1));
    assert_eq!(totals(&breaker), (0, 1, 0));
    let call = breaker.call(part);
    assert_eq!(exceeded(&call.await_within(SECOND).await.unwrap_err()), (SECOND, 1));
    assert_eq!(totals(&breaker), (0, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_is_not_inside_unless_the_time_is_passed_on() {
    let request = async {
        sleep(SECOND).await;
        tokio::spawn(async { assert_eq!(time_left(), None) }).await.unwrap();
        tokio::spawn(within(time_left(), keyed("a_spawned_task_is_not_in")))
            .await
            .unwrap()
            .unwrap_err()
    };
    let error = takes(3 * SECOND, within(3 * SECOND, request)).await;
    assert_eq!(exceeded(&error), (2 * SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn within_ends_nothing_but_calls() {
    let request = async {
        sleep(3 * SECOND).await;
        pin!(keyed("within_ends_nothing_but")).await.unwrap_err();
        sleep(SECOND).await;
        7
    };
    assert_eq!(takes(4 * SECOND, within(SECOND, request)).await, 7);
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_counts_as_ever() {
    within(SECOND, answers()).await.unwrap();
    let breaker = Arc::new(CircuitBreaker::default());
    let policy = Policy::builder("test").breaker(Arc::clone(&breaker)).build().unwrap();
    let slow = policy.run(|| async {
        sleep(SECOND).await;
        Ok::<_, Failure>(())
    });
    // An answer that is ready when the time is over is returned.
    within(SECOND, slow).await.unwrap();
    assert_eq!(totals(&breaker), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_leaves_no_trace() {
    let mut request = Box::pin(within(SECOND, keyed("a_request_that_is_droppe")));
    assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(time_left(), None);
    drop(request);
    assert_eq!(time_left(), None);
    advance(2 * SECOND).await;
    answers().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_inside_leaves_no_trace() {
    let panics = within(SECOND, async { panic!("in a handler") });
    let mut panics = Box::pin(panics);
    let poll = || panics.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll));
    assert!(caught.is_err());
    assert_eq!(time_left(), None);
    advance(2 * SECOND).await;
    answers().await.unwrap();
}

/// Panics when it is dropped.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in a drop");
    }
}

#[resilient(breaker = "within drop")]
async fn panics_in_drop() -> Result<(), Failure> {
    let _panics = PanicsInDrop;
    pending().await
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_what_the_end_drops_is_a_panic_of_the_call() {
    let joined = tokio::spawn(within(SECOND, panics_in_drop())).await;
    assert!(joined.unwrap_err().is_panic());
    assert_eq!(totals_of("within drop"), (0, 1, 0));
}

/// Uses up the turn of its task at each poll.
#[resilient(breaker = "within busy")]
async fn busy() -> Result<(), Failure> {
    loop {
        tokio::task::consume_budget().await;
    }
}

#[tokio::test]
async fn a_call_that_always_has_work_is_ended_too() {
    let time = Duration::from_millis(50);
    assert_eq!(within(time, busy()).await.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_the_request_ends_counts_as_by_its_deadline() {
    for (is_timed, state) in [(false, BreakerState::Open), (true, BreakerState::HalfOpen)] {
        let config = BreakerConfig::builder().failure_threshold(1).build().unwrap();
        let breaker = Arc::new(CircuitBreaker::new(config));
        breaker.acquire().unwrap().failure();
        advance(config.open_duration()).await;
        let policy = Policy::builder("test").retry(row(2)).scope(Scope::Attempt);
        let policy = policy.breaker(Arc::clone(&breaker));
        let policy = if is_timed { policy.attempt_timeout(2 * SECOND) } else { policy };
        let policy = policy.build().unwrap();
        let run = policy.run(pending::<Result<(), Failure>>);
        run.await_within(SECOND).await.unwrap_err();
        assert_eq!(breaker.state(), state);
    }
}

#[test]
fn nothing_needs_a_runtime_before_a_call_has_to_wait() {
    let mut request = pin!(within(SECOND, answers()));
    let poll = request.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(poll, Poll::Ready(Ok(())));
}

#[resilient(retry, breaker = "within answers")]
async fn answers() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn it_is_send_if_its_future_is() {
    fn is_send<T: Send>(_: T) {}
    is_send(within(SECOND, keyed("it_is_send_if_its_future")));
    is_send(within(SECOND, in_scope()));
    is_send(within(SECOND, async { within(None, keyed("send")).await }));
    let breaker = Arc::new(CircuitBreaker::default());
    is_send(within(SECOND, async move { breaker.call(|| ready(Ok::<_, Failure>(()))).await }));
}
