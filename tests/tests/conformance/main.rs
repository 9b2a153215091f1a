//! What other breakers are tested for, and this one does too.
//!
//! One file for each project. Each case names its origin, a test or an issue there, and is told in
//! this library's terms; where this one means to behave otherwise, the case says how and why.

mod envoy;
mod failsafe;
mod gobreaker;
mod microprofile;
mod polly;
mod resilience4j;

use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, BreakerConfigBuilder, BreakerState, CircuitBreaker, ErrorKind,
};
use resilient_tests::Failure;
use tokio::time::advance;

const SECOND: Duration = Duration::from_secs(1);

fn config() -> BreakerConfigBuilder {
    BreakerConfig::builder()
}

fn breaker(config: BreakerConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new(config.build().unwrap())
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.acquire().unwrap().success();
}

fn fail(breaker: &CircuitBreaker) {
    breaker.acquire().unwrap().failure();
}

/// A call that ends with an error of this kind.
fn end_with(breaker: &CircuitBreaker, kind: ErrorKind) {
    breaker.acquire().unwrap().settle(&Err::<(), _>(Failure::of(kind)));
}

fn is_open(breaker: &CircuitBreaker) -> bool {
    breaker.state() == BreakerState::Open
}

/// Calls, failures and slow calls in the window.
fn window(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let window = breaker.stats().window.unwrap();
    (window.calls, window.failures, window.slow_calls)
}

/// The rate of failures in the window.
fn percent(breaker: &CircuitBreaker) -> u8 {
    let rate = breaker.stats().window.unwrap().failure_rate();
    (0_u8..=100).find(|percent| (rate * 100.0 - f64::from(*percent)).abs() < 0.001).unwrap()
}

/// Makes the calls of a script, one by one: `S` succeeds, `F` fails, `I` is ignored, and `x` is
/// rejected. A `.` waits until the breaker lets a probe through.
async fn play(breaker: &CircuitBreaker, script: &str) {
    for (number, step) in script.chars().enumerate() {
        let call = || {
            breaker.acquire().unwrap_or_else(|error| panic!("step {number} of {script}: {error}"))
        };
        match step {
            'S' => call().success(),
            'F' => call().failure(),
            'I' => call().ignore(),
            'x' => assert!(breaker.acquire().is_err(), "step {number} of {script} passed"),
            '.' => advance(breaker.stats().time_until_half_open.unwrap()).await,
            other => panic!("a script has no {other}"),
        }
    }
}

/// A breaker that has opened, and lets probes through by now.
async fn recovering(config: BreakerConfigBuilder) -> CircuitBreaker {
    let breaker = breaker(config);
    play(&breaker, "FFFFF.").await;
    breaker
}
