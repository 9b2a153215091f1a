//! Many threads on one breaker, in real time: each counts what it has done, and in the end all of
//! it is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, BreakerConfigBuilder, BreakerState, BreakerTotals, CircuitBreaker,
};

const THREADS: u64 = 8;
const CALLS: u64 = 50_000;
const MILLISECOND: Duration = Duration::from_millis(1);

/// A breaker that opens and recovers all the time.
fn config() -> BreakerConfigBuilder {
    BreakerConfig::builder()
        .open_duration(MILLISECOND)
        .probe_timeout(MILLISECOND)
        .open_duration_multiplier(1.5)
        .max_open_duration(3 * MILLISECOND)
        .open_jitter(0.5)
        .half_open_max_calls(3)
}

/// A generator of Lehmer's: any mixture will do, as long as it is the same in each run.
struct Mixture(u64);

impl Mixture {
    fn below(&mut self, number: u64) -> u64 {
        self.0 = self.0 * 48_271 % 0x7FFF_FFFF;
        (self.0 >> 4) % number
    }
}

/// What one thread has done.
#[derive(Clone, Copy, Default)]
struct Counts {
    successes: u64,
    failures: u64,
    ignored: u64,
    rejected: u64,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            successes: self.successes + other.successes,
            failures: self.failures + other.failures,
            ignored: self.ignored + other.ignored,
            rejected: self.rejected + other.rejected,
        }
    }

    fn assert_are(self, totals: &BreakerTotals) {
        assert_eq!(self.successes, totals.successes);
        assert_eq!(self.failures, totals.failures);
        assert_eq!(self.ignored, totals.ignored);
        assert_eq!(self.rejected, totals.rejected);
    }
}

/// Calls that end in every way there is, and now and then a hand on the breaker.
fn work(breaker: &CircuitBreaker, seed: u64) -> Counts {
    let mut mixture = Mixture(seed + 1);
    let mut counts = Counts::default();
    let mut held = Vec::new();
    for _ in 0..CALLS {
        match mixture.below(5_000) {
            0 => breaker.reset(),
            1 => breaker.force_open(),
            2 => breaker.force_closed(),
            3 => breaker.disable(),
            _ => {}
        }
        let Ok(permit) = breaker.acquire() else {
            counts.rejected += 1;
            thread::yield_now();
            continue;
        };
        match mixture.below(100) {
            0..60 => {
                permit.success();
                counts.successes += 1;
            }
            60..90 => {
                permit.failure();
                counts.failures += 1;
            }
            90..94 => {
                permit.ignore();
                counts.ignored += 1;
            }
            94..97 => {
                drop(permit);
                counts.ignored += 1;
            }
            97 => {
                let panicking = AssertUnwindSafe(|| {
                    let _permit = permit;
                    std::panic::resume_unwind(Box::new("in the call"));
                });
                assert!(catch_unwind(panicking).is_err());
                counts.failures += 1;
            }
            // Ends later, in another state perhaps.
            _ => held.push(permit),
        }
        if held.len() > 10 {
            held.swap_remove(0).success();
            counts.successes += 1;
        }
    }
    for permit in held {
        permit.failure();
        counts.failures += 1;
    }
    counts
}

fn soak(config: BreakerConfigBuilder) {
    let breaker = CircuitBreaker::new(config.build().unwrap());
    let counts = thread::scope(|scope| {
        let breaker = &breaker;
        let threads: Vec<_> =
            (0..THREADS).map(|seed| scope.spawn(move || work(breaker, seed))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .fold(Counts::default(), Counts::plus)
    });
    let stats = breaker.stats();
    counts.assert_are(&stats.totals);
    assert!(stats.totals.transitions > 0);
    if let Some(window) = stats.window {
        assert!(window.failures.max(window.slow_calls) <= window.calls, "{window:?}");
    }

    // Nothing is left over: no place of a probe, no count.
    breaker.reset();
    let stats = breaker.stats();
    assert_eq!((stats.failure_count, stats.consecutive_openings), (0, 0));
    assert!(stats.window.is_none_or(|window| window.calls == 0));
    breaker.acquire().unwrap().success();
}

#[test]
fn every_call_is_counted_by_failures_in_a_row() {
    soak(config().failure_threshold(3));
}

#[test]
fn every_call_is_counted_in_a_window_of_calls() {
    soak(config().window_calls(20).slow_call_duration(MILLISECOND).slow_call_rate(0.9));
}

#[test]
fn every_call_is_counted_in_a_window_of_time() {
    soak(
        config().window_time(10 * MILLISECOND).slow_call_duration(MILLISECOND).slow_call_rate(0.9),
    );
}

#[test]
fn admitted_probes_never_exceed_the_limit() {
    const ROUNDS: u64 = 300;
    const LIMIT: usize = 3;
    let breaker = CircuitBreaker::new(
        BreakerConfig::builder()
            .failure_threshold(1)
            .open_duration(MILLISECOND)
            .success_threshold(100)
            .half_open_max_calls(3)
            .probe_timeout(Duration::from_secs(3600))
            .build()
            .unwrap(),
    );
    let barrier = Barrier::new(8);
    let race = |seed: u64| {
        let mut mixture = Mixture(seed + 1);
        let mut admitted = Vec::new();
        for _ in 0..ROUNDS {
            if barrier.wait().is_leader() {
                breaker.reset();
                breaker.acquire().unwrap().failure();
                while breaker.stats().time_until_half_open != Some(Duration::ZERO) {
                    thread::yield_now();
                }
            }
            barrier.wait();
            // All ask a few times, and some give back what they get, which others then take.
            let mut permits: Vec<_> = (0..4).filter_map(|_| breaker.acquire().ok()).collect();
            if mixture.below(2) == 0 {
                permits.pop();
                permits.extend(breaker.acquire().ok());
            }
            barrier.wait();
            admitted.push(permits.len());
            // Nobody gives the rest back before all have counted.
            barrier.wait();
            drop(permits);
        }
        admitted
    };
    let admitted: Vec<_> = thread::scope(|scope| {
        let race = &race;
        let threads: Vec<_> = (0..THREADS).map(|seed| scope.spawn(move || race(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for round in 0..usize::try_from(ROUNDS).unwrap() {
        let together: usize = admitted.iter().map(|rounds| rounds[round]).sum();
        assert!((1..=LIMIT).contains(&together), "{together} in round {round}");
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}
