//! Which kinds of error count: `trip_on` and `ignore`.

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::ErrorKind::{
    ConnectionError, InternalError, NotFoundError, RateLimitError, ServiceUnavailable, TimeoutError,
};
use resilient_runtime::{
    BreakerConfigBuilder, BreakerState, CircuitBreaker, Classify, ErrorKind, KeyedBreakers, Policy,
    RetryPolicy, Scope,
};
use resilient_tests::Failure;
use tokio::time::advance;

use super::{OPEN, SECOND, breaker, config};

/// Failures and ignored calls so far.
fn totals(breaker: &CircuitBreaker) -> (u64, u64) {
    let totals = breaker.stats().totals;
    (totals.failures, totals.ignored)
}

async fn call(breaker: &CircuitBreaker, kind: ErrorKind) {
    let failure = Failure::of(kind);
    assert_eq!(breaker.call(|| ready(Err::<(), _>(failure.clone()))).await, Err(failure));
}

/// The kinds whose errors are failures, as `call` counts them.
async fn counted(config: BreakerConfigBuilder) -> Vec<ErrorKind> {
    let breaker = breaker(config.failure_threshold(100));
    let mut counted = Vec::new();
    for &kind in ErrorKind::ALL {
        let (failures, ignored) = totals(&breaker);
        call(&breaker, kind).await;
        let is_failure = totals(&breaker) == (failures + 1, ignored);
        assert!(is_failure || totals(&breaker) == (failures, ignored + 1), "{kind}");
        counted.extend(is_failure.then_some(kind));
    }
    counted
}

#[tokio::test(start_paused = true)]
async fn the_kinds_that_are_named_count_in_place_of_the_transient_ones() {
    assert_eq!(counted(config().trip_on(&[NotFoundError])).await, [NotFoundError]);
    let unknown = [TimeoutError, ErrorKind::CircuitOpen, ErrorKind::Unknown];
    assert_eq!(counted(config().trip_on(&unknown)).await, unknown);
}

#[tokio::test(start_paused = true)]
async fn the_kinds_that_are_ignored_are_taken_from_the_transient_ones() {
    let transient = counted(config()).await;
    let rest = counted(config().ignore(&[RateLimitError, InternalError])).await;
    assert_eq!((transient.len(), rest.len()), (8, 6));
    assert!(rest.iter().all(|kind| transient.contains(kind)), "{rest:?}");
    assert!(!rest.contains(&RateLimitError) && !rest.contains(&InternalError), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_does_not_count_breaks_no_row_of_failures() {
    let breaker = breaker(config().failure_threshold(2).ignore(&[RateLimitError]));
    for kind in [ConnectionError, RateLimitError, RateLimitError] {
        call(&breaker, kind).await;
    }
    assert_eq!((breaker.state(), breaker.stats().failure_count), (BreakerState::Closed, 1));
    call(&breaker, ServiceUnavailable).await;
    assert_eq!(breaker.state(), BreakerState::Open);
}

/// A breaker that has opened, and lets one probe at once through by now.
async fn probing(config: BreakerConfigBuilder) -> CircuitBreaker {
    let breaker = breaker(config.half_open_max_calls(1).failure_threshold(1));
    breaker.acquire().unwrap().failure();
    advance(OPEN).await;
    breaker
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_does_not_count_gives_its_place_back() {
    let config = config().trip_on(&[NotFoundError]).probe_timeout(SECOND);
    let breaker = probing(config).await;
    for _ in 0..10 {
        call(&breaker, ServiceUnavailable).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }
    assert_eq!(breaker.stats().success_count, 0);
    assert_eq!(totals(&breaker), (1, 10));
    advance(10 * SECOND).await;
    assert!(breaker.acquire().is_ok(), "no place hangs");
}

#[tokio::test(start_paused = true)]
async fn a_probe_of_a_kind_that_is_named_counts_as_failed() {
    let breaker = probing(config().trip_on(&[NotFoundError])).await;
    call(&breaker, NotFoundError).await;
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.stats().consecutive_openings, 2);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_count_is_in_no_window_however_slow_it_was() {
    for window in [config().window_calls(4), config().window_time(60 * SECOND)] {
        let window = window.minimum_calls(4).slow_call_duration(SECOND).slow_call_rate(0.5);
        let breaker = breaker(window.ignore(&[RateLimitError]));
        for kind in [RateLimitError, ConnectionError, RateLimitError] {
            let permit = breaker.acquire().unwrap();
            advance(2 * SECOND).await;
            permit.settle(&Err::<(), _>(Failure::of(kind)));
        }
        let window = breaker.stats().window.unwrap();
        assert_eq!((window.calls, window.failures, window.slow_calls), (1, 1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_counts_whatever_is_named() {
    let breaker = Arc::new(breaker(config().failure_threshold(1).trip_on(&[NotFoundError])));
    let panicking = Arc::clone(&breaker);
    let call = async move { panicking.call(|| async { panicked() }).await };
    assert!(tokio::spawn(call).await.is_err_and(|error| error.is_panic()));
    assert_eq!(breaker.state(), BreakerState::Open);
}

fn panicked() -> Result<(), Failure> {
    panic!("in the call")
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_counts_neither_way() {
    let breaker = breaker(config().trip_on(&[TimeoutError]));
    let hanging = breaker.call(pending::<Result<(), Failure>>);
    tokio::time::timeout(SECOND, hanging).await.unwrap_err();
    assert_eq!(totals(&breaker), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_too_long_counts_as_failed_whatever_is_named() {
    let breaker = probing(config().trip_on(&[NotFoundError]).probe_timeout(SECOND)).await;
    let _hanging = breaker.acquire().unwrap();
    advance(SECOND).await;
    breaker.acquire().unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn each_breaker_of_a_key_follows_the_list() {
    let config = config().failure_threshold(1).ignore(&[RateLimitError]).build().unwrap();
    let breakers = KeyedBreakers::new(config, 10);
    call(&breakers.get("one"), RateLimitError).await;
    call(&breakers.get("other"), ConnectionError).await;
    let states = ["one", "other"].map(|name| breakers.get(name).state());
    assert_eq!(states, [BreakerState::Closed, BreakerState::Open]);
}

/// A policy of three attempts, and its breaker.
fn three_attempts(config: BreakerConfigBuilder, scope: Scope) -> (Policy, Arc<CircuitBreaker>) {
    let breaker = Arc::new(breaker(config));
    let policy = Policy::builder("test")
        .retry(RetryPolicy::DEFAULT)
        .breaker(Arc::clone(&breaker))
        .scope(scope)
        .attempt_timeout(SECOND)
        .build()
        .unwrap();
    (policy, breaker)
}

#[tokio::test(start_paused = true)]
async fn what_is_retried_does_not_depend_on_what_counts() {
    for (scope, attempts) in [(Scope::Call, 1), (Scope::Attempt, 3)] {
        let config = config().trip_on(&[NotFoundError]);
        let (policy, breaker) = three_attempts(config, scope);
        let failing = |kind| policy.run(move || ready(Err::<(), _>(Failure::of(kind))));
        failing(ConnectionError).await.unwrap_err();
        assert_eq!(totals(&breaker), (0, attempts), "retried, and does not count");
        failing(NotFoundError).await.unwrap_err();
        assert_eq!(totals(&breaker), (1, attempts), "counts, and is not retried");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_error_of_a_call_is_what_counts() {
    let config = config().failure_threshold(1).ignore(&[RateLimitError]);
    let (policy, breaker) = three_attempts(config, Scope::Call);
    let mut kinds = [ConnectionError, ConnectionError, RateLimitError].into_iter();
    let error = policy.run(|| ready(Err::<(), _>(Failure::of(kinds.next().unwrap())))).await;
    assert_eq!(error.unwrap_err().kind(), RateLimitError);
    assert_eq!((breaker.state(), totals(&breaker)), (BreakerState::Closed, (0, 1)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_counts_opens_the_breaker_within_the_call() {
    let config = config().failure_threshold(1).ignore(&[RateLimitError]);
    let (policy, breaker) = three_attempts(config, Scope::Attempt);
    let mut kinds = [RateLimitError, ConnectionError].into_iter();
    policy.run(|| ready(Err::<(), _>(Failure::of(kinds.next().unwrap())))).await.unwrap_err();
    assert_eq!((breaker.state(), totals(&breaker)), (BreakerState::Open, (1, 1)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_timeout_is_a_timeout_error() {
    for (config, failures) in [
        (config(), 1),
        (config().ignore(&[TimeoutError]), 0),
        (config().trip_on(&[TimeoutError]), 1),
        (config().trip_on(&[ConnectionError]), 0),
    ] {
        let breaker = Arc::new(breaker(config));
        let policy = Policy::builder("test").attempt_timeout(Duration::from_millis(10));
        let policy = policy.breaker(Arc::clone(&breaker)).build().unwrap();
        let error = policy.run(pending::<Result<(), Failure>>).await.unwrap_err();
        assert!(error.is_rejection() && error.kind() == TimeoutError, "{error}");
        assert_eq!(totals(&breaker), (failures, 1 - failures));
    }
}
