//! Probes that have only so much time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use resilient_runtime::{BreakerState, CircuitBreaker};
use tokio::time::{Instant, advance};

use super::{OPEN, SECOND, config, opened};

const LIMIT: Duration = Duration::from_secs(10);

/// Half-open with room for three probes of ten seconds.
async fn probing() -> CircuitBreaker {
    let three = config().success_threshold(100).half_open_max_calls(3).probe_timeout(LIMIT);
    let breaker = opened(three);
    advance(OPEN).await;
    breaker
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_seen_among_others_that_come_and_go() {
    let breaker = probing().await;
    let hanging = breaker.acquire().unwrap();
    for _ in 0..9 {
        advance(SECOND).await;
        let (first, second) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
        assert!(breaker.acquire().is_err());
        first.success();
        second.success();
    }
    advance(SECOND).await;
    let rejection = breaker.acquire().unwrap_err();
    assert_eq!((rejection.state, rejection.retry_after), (BreakerState::Open, Some(OPEN)));
    assert_eq!(breaker.stats().last_failure_time, Some(Instant::now()));

    advance(OPEN).await;
    breaker.acquire().unwrap().success();
    hanging.failure();
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "its late end is stale");
    assert_eq!(breaker.stats().totals.failures, 2, "but it is counted");
}

#[tokio::test(start_paused = true)]
async fn each_has_its_own_time() {
    let breaker = probing().await;
    let first = breaker.acquire().unwrap();
    advance(9 * SECOND).await;
    let second = breaker.acquire().unwrap();
    first.success();
    advance(9 * SECOND).await;
    assert!(breaker.acquire().is_ok(), "the second has one second left");
    advance(SECOND).await;
    assert!(breaker.acquire().is_err());
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_opens_it_for_longer() {
    let breaker =
        opened(config().half_open_max_calls(1).probe_timeout(LIMIT).open_duration_multiplier(2.0));
    advance(OPEN).await;
    let _hanging = breaker.acquire().unwrap();
    advance(LIMIT).await;
    assert_eq!(breaker.acquire().unwrap_err().retry_after, Some(2 * OPEN));
    assert_eq!(breaker.stats().consecutive_openings, 2);
}

#[tokio::test(start_paused = true)]
async fn looking_at_the_breaker_decides_nothing() {
    let breaker = probing().await;
    let hanging = breaker.acquire().unwrap();
    advance(2 * LIMIT).await;
    assert_eq!(breaker.stats().state, BreakerState::HalfOpen);
    hanging.success();
    assert_eq!(breaker.stats().success_count, 1, "nobody has asked before it ended");
}

#[tokio::test(start_paused = true)]
async fn slots_are_released_whichever_way_a_probe_ends() {
    let breaker = probing().await;
    for _ in 0..20 {
        let probes: Vec<_> = (0..3).map(|_| breaker.acquire().unwrap()).collect();
        assert!(breaker.acquire().is_err());
        let [first, second, third] = probes.try_into().unwrap();
        first.success();
        second.ignore();
        drop(third);
    }
    let unwinding = catch_unwind(AssertUnwindSafe(|| {
        let _probe = breaker.acquire().unwrap();
        panic!("while it is held");
    }));
    assert!(unwinding.is_err());
    assert_eq!(breaker.state(), BreakerState::Open);
    advance(OPEN).await;
    let probes: Vec<_> = (0..3).map(|_| breaker.acquire().unwrap()).collect();
    assert!(breaker.acquire().is_err());
    drop(probes);
}

#[tokio::test(start_paused = true)]
async fn probes_that_hang_count_against_the_limit_in_later_periods() {
    let breaker = opened(config().half_open_max_calls(2).success_threshold(1));
    let mut hanging = Vec::new();
    for _ in 0..50 {
        advance(OPEN).await;
        hanging.extend(breaker.acquire().ok());
        if let Ok(failing) = breaker.acquire() {
            failing.failure();
        }
    }
    assert_eq!(hanging.len(), 2);
    let rejection = breaker.acquire().unwrap_err();
    assert_eq!((rejection.state, rejection.retry_after), (BreakerState::HalfOpen, None));

    // One of an earlier period ends: its result changes nothing, but its slot is free.
    hanging.remove(0).success();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.acquire().unwrap().success();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_has_hung_for_too_long_no_longer_counts_against_the_limit() {
    let breaker = opened(config().half_open_max_calls(1).probe_timeout(LIMIT));
    for _ in 0..10 {
        advance(OPEN).await;
        std::mem::forget(breaker.acquire().unwrap());
        advance(LIMIT).await;
        breaker.acquire().unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_frees_the_slots_of_probes_that_hang() {
    let breaker = opened(config().failure_threshold(1).half_open_max_calls(1));
    advance(OPEN).await;
    let hanging = breaker.acquire().unwrap();
    breaker.reset();
    breaker.acquire().unwrap().failure();
    advance(OPEN).await;
    let probe = breaker.acquire().unwrap();
    drop(hanging);
    breaker.acquire().expect_err("the slot that came back is not that of this probe");
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn tasks_that_wait_are_woken_when_a_probe_of_an_earlier_period_ends() {
    let breaker = opened(config().half_open_max_calls(2));
    advance(OPEN).await;
    let (hanging, failing) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
    failing.failure();
    advance(OPEN).await;
    let second = breaker.acquire().unwrap();
    let ready = std::pin::pin!(breaker.wait_until_ready());
    let ended = async {
        tokio::time::sleep(SECOND).await;
        hanging.ignore();
    };
    let began = Instant::now();
    tokio::join!(ready, ended);
    assert_eq!(began.elapsed(), SECOND);
    drop(second);
}
