//! The hint of the failure that opens a breaker.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfigBuilder, BreakerState, CircuitBreaker, ErrorKind, Policy, RetryPolicy, Scope,
    resilient,
};
use resilient_tests::Failure;
use tokio::time::advance;

use super::{OPEN, SECOND, breaker, config};

fn limited(hint: Duration) -> Failure {
    Failure::after(ErrorKind::RateLimitError, hint)
}

fn fail(breaker: &CircuitBreaker, hint: Duration) {
    breaker.acquire().unwrap().settle(&Err::<(), _>(limited(hint)));
}

/// How long the breaker stays open, as it says itself in both places.
#[track_caller]
fn wait(breaker: &CircuitBreaker) -> Duration {
    let rejected = breaker.acquire().unwrap_err();
    let stats = breaker.stats();
    assert_eq!(rejected.retry_after, stats.time_until_half_open);
    stats.time_until_half_open.unwrap()
}

/// How long it stays open after a failure with this hint.
fn opened_by(config: BreakerConfigBuilder, hint: Duration) -> Duration {
    let breaker = breaker(config.failure_threshold(1));
    fail(&breaker, hint);
    wait(&breaker)
}

#[tokio::test(start_paused = true)]
async fn an_opening_lasts_as_long_as_the_hint_or_longer() {
    assert_eq!(opened_by(config(), 60 * SECOND), 60 * SECOND);
    assert_eq!(opened_by(config(), 10 * SECOND), OPEN, "a shorter hint changes nothing");
    assert_eq!(opened_by(config(), Duration::MAX), 300 * SECOND, "the longest opening bounds it");
    let bounded = config().open_duration_multiplier(2.0).max_open_duration(40 * SECOND);
    assert_eq!(opened_by(bounded, 60 * SECOND), 40 * SECOND);
    assert_eq!(opened_by(config().max_open_duration(45 * SECOND), 60 * SECOND), 45 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn jitter_of_an_opening_is_added_above_the_hint() {
    let spread: Vec<_> =
        (0..100).map(|_| opened_by(config().open_jitter(0.5), 60 * SECOND)).collect();
    assert!(spread.iter().all(|wait| (60 * SECOND..=90 * SECOND).contains(wait)), "{spread:?}");
    let (least, most) = (spread.iter().min().unwrap(), spread.iter().max().unwrap());
    assert!(most.saturating_sub(*least) > 10 * SECOND, "{spread:?}");
}

#[tokio::test(start_paused = true)]
async fn only_the_hint_of_the_failure_that_opens_it_counts() {
    let breaker = breaker(config().failure_threshold(2));
    fail(&breaker, 60 * SECOND);
    let late = breaker.acquire().unwrap();
    fail(&breaker, SECOND);
    assert_eq!(wait(&breaker), OPEN);
    late.settle(&Err::<(), _>(limited(90 * SECOND)));
    assert_eq!(wait(&breaker), OPEN, "it was open already");
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_an_error_that_does_not_count_changes_nothing() {
    let breaker = breaker(config().failure_threshold(1).ignore(&[ErrorKind::RateLimitError]));
    fail(&breaker, 60 * SECOND);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_hint_of_a_failed_probe_lengthens_its_opening_beside_growth() {
    let breaker = breaker(config().failure_threshold(1).open_duration_multiplier(3.0));
    fail(&breaker, SECOND);
    advance(OPEN).await;
    fail(&breaker, 60 * SECOND);
    assert_eq!(wait(&breaker), 3 * OPEN, "growth is longer");
    advance(3 * OPEN).await;
    fail(&breaker, 280 * SECOND);
    assert_eq!(wait(&breaker), 280 * SECOND, "the hint is longer");
}

#[tokio::test(start_paused = true)]
async fn a_window_opens_for_the_hint_too() {
    for window in [config().window_calls(4), config().window_time(60 * SECOND)] {
        let breaker = breaker(window.minimum_calls(2).failure_rate(1.0));
        fail(&breaker, SECOND);
        fail(&breaker, 60 * SECOND);
        assert_eq!(wait(&breaker), 60 * SECOND);
    }
}

#[resilient(breaker(name = "hint of an attribute", failure_threshold = 1))]
async fn is_limited() -> Result<(), Failure> {
    Err(limited(60 * SECOND))
}

#[resilient(
    retry = "rate_limit_error",
    breaker(name = "hint/{tenant}", failure_threshold = 1, scope = "attempt")
)]
async fn tenant_is_limited(tenant: &str) -> Result<(), Failure> {
    Err(limited(60 * SECOND))
}

#[tokio::test(start_paused = true)]
async fn every_way_to_call_hands_the_hint_to_the_breaker() {
    is_limited().await.unwrap_err();
    assert_eq!(wait(&resilient_runtime::breaker("hint of an attribute").unwrap()), 60 * SECOND);
    tenant_is_limited("acme").await.unwrap_err();
    assert_eq!(wait(&resilient_runtime::breaker("hint/acme").unwrap()), 60 * SECOND);

    let called = breaker(config().failure_threshold(1));
    called.call(|| ready(Err::<(), _>(limited(60 * SECOND)))).await.unwrap_err();
    assert_eq!(wait(&called), 60 * SECOND);

    for scope in [Scope::Call, Scope::Attempt] {
        let breaker = Arc::new(breaker(config().failure_threshold(1)));
        let row = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        let policy = Policy::builder("test").retry(row).breaker(Arc::clone(&breaker)).scope(scope);
        let policy = policy.build().unwrap();
        policy.run(|| ready(Err::<(), _>(limited(60 * SECOND)))).await.unwrap_err();
        assert_eq!(wait(&breaker), 60 * SECOND, "{scope:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_a_call_has_waited_out_lengthens_nothing() {
    let breaker = Arc::new(breaker(config().failure_threshold(2)));
    let row = RetryPolicy::builder().max_attempts(2).max_delay(200 * SECOND).jitter(0.0);
    let policy = Policy::builder("test").retry(row.build().unwrap()).breaker(Arc::clone(&breaker));
    let policy = policy.build().unwrap();
    for hints in [[90 * SECOND, SECOND], [90 * SECOND, 100 * SECOND]] {
        let mut hints = hints.into_iter();
        let call = policy.run(|| ready(Err::<(), _>(limited(hints.next().unwrap()))));
        call.await.unwrap_err();
    }
    assert_eq!(wait(&breaker), 100 * SECOND, "of the last attempt of the last call");
}
