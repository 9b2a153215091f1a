//! `envoyproxy/envoy`: `test/common/upstream/outlier_detection_impl_test.cc`.
//!
//! Envoy ejects hosts from a cluster; a host that is ejected is a breaker that is open. A host that
//! is brought back is probed by the first call that follows.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use resilient_runtime::CircuitBreaker;
use tokio::time::advance;

use super::{SECOND, breaker, config, fail, is_open, play};

/// How long it stays open, each time that its probe fails.
async fn ejections(breaker: &CircuitBreaker, number: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..number {
        fail(breaker);
        let time = breaker.stats().time_until_half_open.unwrap();
        times.push(time);
        advance(time).await;
    }
    times
}

/// `EjectTimeBackoff`: longer with each ejection in a row. There by the base time each time, and
/// shorter again step by step while the host is healthy; here by a factor, and closing begins anew,
/// since a breaker closes only after probes that succeed.
#[tokio::test(start_paused = true)]
async fn the_time_grows_with_each_opening_in_a_row_and_closing_begins_anew() {
    let config =
        config().failure_threshold(1).open_duration(10 * SECOND).open_duration_multiplier(2.0);
    let breaker = breaker(config);
    assert_eq!(ejections(&breaker, 3).await, [10, 20, 40].map(|seconds| seconds * SECOND));
    assert_eq!(breaker.stats().consecutive_openings, 3);
    play(&breaker, "SS").await;
    assert_eq!(breaker.stats().consecutive_openings, 0);
    assert_eq!(ejections(&breaker, 2).await, [10, 20].map(|seconds| seconds * SECOND));
    breaker.reset();
    assert_eq!(ejections(&breaker, 1).await, [10 * SECOND]);
}

/// `MaxEjectTime`: it does not grow beyond the longest time, however often. The default of Envoy's
/// `max_ejection_time`, 300 s, is the default here too.
#[tokio::test(start_paused = true)]
async fn the_time_does_not_grow_beyond_the_longest() {
    let config =
        config().failure_threshold(1).open_duration(10 * SECOND).open_duration_multiplier(2.0);
    let times = ejections(&breaker(config), 40).await;
    assert_eq!(times[..5], [10, 20, 40, 80, 160].map(|seconds| seconds * SECOND));
    assert!(times[5..].iter().all(|time| *time == 300 * SECOND));
}

/// `MaxEjectTimeNotAlligned`: there the last step goes beyond a longest time that is no multiple of
/// the base time. Here the longest is never exceeded.
#[tokio::test(start_paused = true)]
async fn a_longest_time_between_two_steps_is_not_exceeded() {
    let config = config()
        .failure_threshold(1)
        .open_duration(10 * SECOND)
        .open_duration_multiplier(2.0)
        .max_open_duration(35 * SECOND);
    let times = ejections(&breaker(config), 5).await;
    assert_eq!(times, [10, 20, 35, 35, 35].map(|seconds| seconds * SECOND));
}

/// `EjectionTimeJitterIsInRange`. There jitter is a time that is added; here a share either way,
/// within the longest time.
#[tokio::test(start_paused = true)]
async fn jitter_spreads_the_time_within_its_range() {
    let config = config()
        .failure_threshold(1)
        .open_duration(10 * SECOND)
        .open_duration_multiplier(1e9)
        .max_open_duration(20 * SECOND)
        .open_jitter(0.1);
    let mut times: Vec<Vec<_>> = Vec::new();
    for _ in 0..200 {
        times.push(ejections(&breaker(config), 2).await);
    }
    let nth = |nth: usize| times.iter().map(move |times| times[nth]);
    let spread = |times: &mut dyn Iterator<Item = Duration>, from: u64, to: u64| {
        let (from, to) = (Duration::from_millis(from), Duration::from_millis(to));
        let times: Vec<_> = times.collect();
        assert!(times.iter().all(|time| (from..=to).contains(time)), "{times:?}");
        // Of 200, none in the lower or none in the upper half is as good as impossible.
        let middle = (from + to) / 2;
        assert!(times.iter().any(|time| *time < middle));
        assert!(times.iter().any(|time| *time > middle));
    };
    spread(&mut nth(0), 9_000, 11_000);
    // At the longest time, jitter is cut and not added: they still do not probe in step.
    spread(&mut nth(1), 18_000, 20_000);
}

/// `EjectionTimeJitterIsZeroWhenNotConfigured`.
#[tokio::test(start_paused = true)]
async fn without_jitter_the_time_is_exact() {
    let config = config().failure_threshold(1).open_duration(10 * SECOND);
    for _ in 0..20 {
        assert_eq!(ejections(&breaker(config), 3).await, [10 * SECOND; 3]);
    }
}

/// `CrossThreadFailRace`: two threads that see the last failure eject the host once.
#[test]
fn failures_of_many_threads_open_it_once() {
    const THREADS: u64 = 16;
    for _ in 0..100 {
        let breaker = breaker(config());
        let barrier = Barrier::new(16);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let permit = breaker.acquire().unwrap();
                    barrier.wait();
                    permit.failure();
                });
            }
        });
        assert!(is_open(&breaker));
        let stats = breaker.stats();
        assert_eq!((stats.totals.transitions, stats.totals.failures), (1, THREADS));
        assert_eq!(stats.consecutive_openings, 1);
    }
}
