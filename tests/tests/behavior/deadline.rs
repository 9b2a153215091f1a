//! What a breaker makes of a call that its own deadline ended.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::QdrantError;
use resilient_runtime::{
    BreakerConfig, BreakerConfigBuilder, BreakerState, CircuitBreaker, Classify, ErrorKind, Policy,
    PolicyBuilder, Rejection, RetryPolicy, Scope, breaker, resilient,
};
use resilient_tests::Failure;
use resilient_tests::events::Events;

const SECOND: Duration = Duration::from_secs(1);

fn with(config: BreakerConfigBuilder) -> Arc<CircuitBreaker> {
    Arc::new(CircuitBreaker::new(config.failure_threshold(1).build().unwrap()))
}

/// Failures and ignored calls so far.
fn totals(breaker: &CircuitBreaker) -> (u64, u64) {
    let totals = breaker.stats().totals;
    (totals.failures, totals.ignored)
}

/// A call that hangs, of a policy with this breaker and a deadline of 10 s.
async fn hangs(policy: PolicyBuilder, breaker: &Arc<CircuitBreaker>) {
    let policy = policy.deadline(10 * SECOND).breaker(Arc::clone(breaker)).build().unwrap();
    let error = policy.run(pending::<Result<(), Failure>>).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
}

/// Three attempts of 6 s at most: the second meets the deadline.
fn timed_attempts(scope: Scope) -> PolicyBuilder {
    let row = RetryPolicy::builder().base_delay(SECOND).jitter(0.0).build().unwrap();
    Policy::builder("test").retry(row).attempt_timeout(6 * SECOND).scope(scope)
}

fn untimed_attempts(scope: Scope) -> PolicyBuilder {
    Policy::builder("test").retry(RetryPolicy::DEFAULT).scope(scope)
}

#[tokio::test(start_paused = true)]
async fn a_deadline_counts_if_nothing_else_limits_an_attempt() {
    let once = with(BreakerConfig::builder());
    hangs(Policy::builder("test"), &once).await;
    assert_eq!((once.state(), totals(&once)), (BreakerState::Open, (1, 0)));
    for scope in [Scope::Call, Scope::Attempt] {
        let breaker = with(BreakerConfig::builder());
        hangs(untimed_attempts(scope), &breaker).await;
        assert_eq!((breaker.state(), totals(&breaker)), (BreakerState::Open, (1, 0)), "{scope:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_neutral_beside_an_attempt_timeout() {
    let once = with(BreakerConfig::builder());
    let policy = Policy::builder("test").attempt_timeout(6 * SECOND).deadline(10 * SECOND);
    let policy = policy.breaker(Arc::clone(&once)).build().unwrap();
    policy.run(pending::<Result<(), Failure>>).await.unwrap_err();
    assert_eq!(totals(&once), (1, 0), "the attempt timeout itself counts");

    let breaker = with(BreakerConfig::builder());
    hangs(timed_attempts(Scope::Call), &breaker).await;
    assert_eq!((breaker.state(), totals(&breaker)), (BreakerState::Closed, (0, 1)));

    let breaker = Arc::new(CircuitBreaker::default());
    hangs(timed_attempts(Scope::Attempt), &breaker).await;
    assert_eq!(totals(&breaker), (1, 1), "its timeout counts, and the deadline does not");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_speaks_of_deadlines_wins() {
    use ErrorKind::{DeadlineExceeded, NotFoundError, TimeoutError};

    let config = BreakerConfig::builder;
    for (config, untimed, timed) in [
        (config().ignore(&[DeadlineExceeded]), (0, 1), (0, 1)),
        (config().ignore(&[TimeoutError]), (1, 0), (0, 1)),
        (config().trip_on(&[DeadlineExceeded]), (1, 0), (1, 0)),
        (config().trip_on(&[NotFoundError]), (0, 1), (0, 1)),
    ] {
        let breaker = with(config);
        hangs(untimed_attempts(Scope::Call), &breaker).await;
        assert_eq!(totals(&breaker), untimed, "{config:?}");
        let breaker = with(config);
        hangs(timed_attempts(Scope::Call), &breaker).await;
        assert_eq!(totals(&breaker), timed, "{config:?}");
    }
}

/// An error that says of every rejection that it is of this kind.
#[derive(Debug)]
struct Hides<const TRANSIENT: bool>;

impl<const TRANSIENT: bool> Classify for Hides<TRANSIENT> {
    fn kind(&self) -> ErrorKind {
        if TRANSIENT { ErrorKind::ServiceUnavailable } else { ErrorKind::Unknown }
    }
}

impl<const TRANSIENT: bool> From<Rejection> for Hides<TRANSIENT> {
    fn from(_: Rejection) -> Self {
        Self
    }
}

async fn hides<const TRANSIENT: bool>() {
    for timed in [false, true] {
        let breaker = Arc::new(CircuitBreaker::default());
        let policy = if timed { timed_attempts } else { untimed_attempts };
        let policy = policy(Scope::Call).deadline(5 * SECOND + SECOND * u32::from(timed) * 5);
        let policy = policy.breaker(Arc::clone(&breaker)).build().unwrap();
        let events = Events::catch();
        let error = policy.run(pending::<Result<(), Hides<TRANSIENT>>>).await.unwrap_err();
        if timed && !TRANSIENT {
            // The attempt's own timeout is what the error says: here, it is not retried.
            assert_eq!(totals(&breaker), (0, 1), "{error:?}");
            continue;
        }
        let counted = if timed { (0, 1) } else { (1, 0) };
        assert_eq!(totals(&breaker), counted, "{error:?}");
        let gave_up = &events.named("gave up")[0];
        assert_eq!(gave_up.field("kind"), "deadline_exceeded");
        assert_eq!(gave_up.field("reason"), "the deadline was exceeded");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_error_says_of_a_rejection_does_not_matter() {
    hides::<true>().await;
    hides::<false>().await;
}

#[resilient(deadline = "1s", breaker(name = "untimed qdrant", failure_threshold = 1))]
async fn untimed_qdrant() -> Result<(), QdrantError> {
    pending().await
}

#[resilient(
    retry(max_attempts = 3, base_delay = "100ms", jitter = 0),
    attempt_timeout = "600ms",
    deadline = "1s",
    breaker(name = "timed qdrant deadline", failure_threshold = 1)
)]
async fn timed_qdrant() -> Result<(), QdrantError> {
    pending().await
}

#[resilient(
    deadline = "1s",
    breaker(name = "ignored deadline", failure_threshold = 1, ignore = ["deadline_exceeded"])
)]
async fn ignored() -> Result<(), QdrantError> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn in_a_qdrant_error_it_is_known_too() {
    for (error, name, state) in [
        (untimed_qdrant().await.unwrap_err(), "untimed qdrant", BreakerState::Open),
        (timed_qdrant().await.unwrap_err(), "timed qdrant deadline", BreakerState::Closed),
        (ignored().await.unwrap_err(), "ignored deadline", BreakerState::Closed),
    ] {
        assert_eq!((error.kind(), error.maybe_executed()), (ErrorKind::DeadlineExceeded, true));
        assert_eq!(breaker(name).unwrap().state(), state, "{name}");
    }
}

#[resilient(deadline = "1s", breaker(name = "untimed/{tenant}", failure_threshold = 1))]
async fn untimed_of(tenant: &str) -> Result<(), Failure> {
    pending().await
}

#[resilient(
    retry(max_attempts = 3, base_delay = "100ms", jitter = 0),
    attempt_timeout = "600ms",
    deadline = "1s",
    breaker(name = "timed/{tenant}", failure_threshold = 1)
)]
async fn timed_of(tenant: &str) -> Result<(), Failure> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn breakers_of_a_key_follow_the_policy_too() {
    untimed_of("acme").await.unwrap_err();
    assert_eq!(breaker("untimed/acme").unwrap().state(), BreakerState::Open);
    timed_of("acme").await.unwrap_err();
    assert_eq!(breaker("timed/acme").unwrap().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_the_deadline_ends_reopens_the_breaker() {
    let breaker = with(BreakerConfig::builder());
    breaker.acquire().unwrap().failure();
    tokio::time::advance(breaker.config().open_duration()).await;
    hangs(Policy::builder("test"), &breaker).await;
    assert_eq!((breaker.state(), breaker.stats().consecutive_openings), (BreakerState::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_an_inner_call_says_nothing_to_an_outer_breaker() {
    let breaker = with(BreakerConfig::builder());
    let inner = Policy::builder("inner").deadline(SECOND).build().unwrap();
    breaker.call(|| inner.run(pending::<Result<(), Failure>>)).await.unwrap_err();
    assert_eq!(totals(&breaker), (0, 1));
}
