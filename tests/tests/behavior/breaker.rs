//! The circuit breaker by hand, in paused time.

use std::future::{pending, ready};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use resilient_runtime::{BreakerConfig, BreakerState, CircuitBreaker, CircuitOpenError, Rejection};
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::time::{Instant, advance};

const OPEN: Duration = Duration::from_secs(30);

async fn call(breaker: &CircuitBreaker, result: Result<(), Failure>) -> Result<(), Failure> {
    breaker.call(|| ready(result)).await
}

/// A breaker with the default configuration that has just opened.
async fn opened() -> CircuitBreaker {
    let breaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
    for _ in 0..5 {
        assert_eq!(call(&breaker, Err(DOWN)).await, Err(DOWN));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_the_threshold_of_consecutive_failures() {
    let breaker = CircuitBreaker::default();
    for _ in 0..4 {
        call(&breaker, Err(DOWN)).await.unwrap_err();
    }
    call(&breaker, Ok(())).await.unwrap();
    for _ in 0..4 {
        call(&breaker, Err(DOWN)).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&breaker, Err(DOWN)).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_rejects_without_calling() {
    let breaker = opened().await;
    advance(Duration::from_secs(10)).await;
    let result: Result<(), Failure> =
        breaker.call(|| async { unreachable!("an open breaker still calls") }).await;
    let Err(Failure::Rejected(Rejection::CircuitOpen(error))) = result else {
        panic!("not rejected: {result:?}");
    };
    assert_eq!(error.breaker, "search");
    assert_eq!(error.retry_after, Some(Duration::from_secs(20)));
    assert_eq!(breaker.stats().totals.rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_hint_of_a_rejection_is_let_in_and_it_is_no_longer_than_promised() {
    let breaker = CircuitBreaker::default();
    for _ in 0..5 {
        advance(Duration::from_micros(300)).await;
        call(&breaker, Err(DOWN)).await.unwrap_err();
    }
    let hint = breaker.acquire().unwrap_err().retry_after.unwrap();
    assert!(hint <= OPEN && hint > Duration::from_millis(29_999), "{hint:?}");
    advance(Duration::from_millis(29_999)).await;
    breaker.acquire().unwrap_err();
    advance(Duration::from_millis(1)).await;
    breaker.acquire().unwrap().success();
}

#[tokio::test(start_paused = true)]
async fn it_recovers_through_half_open() {
    let breaker = opened().await;
    advance(OPEN).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "its time is over");
    call(&breaker, Ok(())).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    call(&breaker, Ok(())).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_opens_it_for_the_whole_duration_again() {
    let breaker = opened().await;
    advance(OPEN).await;
    call(&breaker, Ok(())).await.unwrap();
    call(&breaker, Err(DOWN)).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.stats().time_until_half_open, Some(OPEN));
}

#[tokio::test(start_paused = true)]
async fn errors_that_are_not_transient_count_neither_way() {
    let breaker = CircuitBreaker::default();
    for _ in 0..4 {
        call(&breaker, Err(DOWN)).await.unwrap_err();
        call(&breaker, Err(WRONG)).await.unwrap_err();
    }
    assert_eq!(breaker.stats().failure_count, 4);
    assert_eq!(breaker.stats().totals.ignored, 4);
    call(&breaker, Err(DOWN)).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_neutral_probe_gives_its_place_to_the_next() {
    let breaker = opened().await;
    advance(OPEN).await;
    for _ in 0..10 {
        call(&breaker, Err(WRONG)).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    call(&breaker, Ok(())).await.unwrap();
    call(&breaker, Ok(())).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_gives_its_place_back() {
    let breaker = opened().await;
    advance(OPEN).await;
    for _ in 0..10 {
        let hanging = breaker.call(pending::<Result<(), Failure>>);
        tokio::time::timeout(Duration::from_millis(1), hanging).await.unwrap_err();
    }
    assert_eq!(breaker.stats().totals.ignored, 10);
    call(&breaker, Ok(())).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_from_before_the_opening_changes_nothing() {
    let breaker = CircuitBreaker::default();
    let late_success = breaker.acquire().unwrap();
    let late_failure = breaker.acquire().unwrap();
    for _ in 0..5 {
        call(&breaker, Err(DOWN)).await.unwrap_err();
    }
    late_success.success();
    assert_eq!(breaker.state(), BreakerState::Open);

    advance(OPEN).await;
    call(&breaker, Ok(())).await.unwrap();
    late_failure.failure();
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "a stale failure reopened it");
    assert_eq!(breaker.stats().totals.failures, 6, "it is counted all the same");
}

/// In real time: threads have no paused clock.
#[test]
fn hundreds_that_race_for_a_probe_get_exactly_as_many_as_allowed() {
    const THREADS: usize = 200;
    let config = BreakerConfig::builder()
        .failure_threshold(1)
        .success_threshold(7)
        .open_duration(Duration::from_millis(1))
        .build()
        .unwrap();
    let breaker = CircuitBreaker::new(config);
    breaker.acquire().unwrap().failure();
    while breaker.stats().time_until_half_open != Some(Duration::ZERO) {
        thread::yield_now();
    }

    let barrier = Barrier::new(THREADS);
    let race = || {
        barrier.wait();
        let permit = breaker.acquire();
        // Nobody gives a permit back before all have asked.
        barrier.wait();
        permit.is_ok()
    };
    let admitted = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(race)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>()
    });
    assert_eq!(admitted, 7);
    assert_eq!(breaker.stats().totals.rejected, 193);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_dropped_unsaid_is_neutral() {
    let breaker = CircuitBreaker::default();
    drop(breaker.acquire().unwrap());
    assert_eq!(breaker.stats().totals.ignored, 1);
    assert_eq!(breaker.stats().failure_count, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reset_while_closed_forgets_failures_and_calls_under_way() {
    let breaker = CircuitBreaker::default();
    let before = breaker.acquire().unwrap();
    for _ in 0..4 {
        call(&breaker, Err(DOWN)).await.unwrap_err();
    }
    breaker.reset();
    assert_eq!(breaker.stats().failure_count, 0);
    before.failure();
    assert_eq!(breaker.stats().failure_count, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reset_closes_an_open_breaker() {
    let breaker = opened().await;
    breaker.reset();
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&breaker, Ok(())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn held_open_it_stays_open_until_it_is_told_otherwise() {
    let breaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
    breaker.force_open();
    advance(Duration::from_secs(3600)).await;
    let error = breaker.acquire().unwrap_err();
    assert_eq!(error.retry_after, None);
    let stats = breaker.stats();
    assert!(stats.is_forced);
    assert_eq!((stats.failure_count, stats.time_until_half_open), (0, None));
    breaker.reset();
    breaker.acquire().unwrap().success();
}

#[tokio::test(start_paused = true)]
async fn held_closed_it_does_not_open() {
    let breaker = opened().await;
    breaker.force_closed();
    for _ in 0..20 {
        assert_eq!(call(&breaker, Err(DOWN)).await, Err(DOWN));
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.reset();
    assert!(!breaker.stats().is_forced);
}

#[tokio::test(start_paused = true)]
async fn the_stats_tell_the_whole_story() {
    let breaker = opened().await;
    let failed_at = Instant::now();
    advance(Duration::from_secs(12)).await;
    breaker.acquire().unwrap_err();

    let stats = breaker.stats();
    assert_eq!(stats.state.as_str(), "open");
    assert_eq!(stats.failure_count, 5);
    assert_eq!(stats.success_count, 0);
    assert_eq!(stats.last_failure_time, Some(failed_at));
    assert_eq!(stats.time_until_half_open, Some(Duration::from_secs(18)));
    assert_eq!(stats.config, BreakerConfig::DEFAULT);
    assert_eq!((stats.totals.failures, stats.totals.rejected), (5, 1));

    advance(Duration::from_secs(18)).await;
    call(&breaker, Ok(())).await.unwrap();
    let stats = breaker.stats();
    assert_eq!((stats.state.as_str(), stats.success_count), ("half_open", 1));
    assert_eq!(stats.time_until_half_open, None);
    assert_eq!(stats.totals.transitions, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_found_in_the_error_of_a_call() {
    let breaker = opened().await;
    let error = call(&breaker, Ok(())).await.unwrap_err();
    assert_eq!(CircuitOpenError::find(&error).unwrap().breaker, "search");
}
