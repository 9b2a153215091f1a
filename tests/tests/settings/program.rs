//! The program whose numbers the tests change.

use std::cell::Cell;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, CircuitBreaker, ErrorKind, Rejection, guard, policies, resilient,
};
use resilient_tests::{DOWN, Failure};
use tokio::time::sleep;

policies! {
    breaker "reads" { failure_threshold: 3, open_duration: "10s" }
    breaker "by calls" { window: 10, failure_rate: 0.5, minimum_calls: 4 }
    breaker "slots" { failure_threshold: 1, half_open_max_calls: 1, success_threshold: 3, open_duration: "1s" }
    // Each in one test: the paused clocks of two tests are not the same time.
    breaker "opening" { failure_threshold: 3, open_duration: "10s" }
    breaker "waiting" { failure_threshold: 1, half_open_max_calls: 1, success_threshold: 3, open_duration: "1s" }
    breaker "count/{collection}" { failure_threshold: 2, max_keys: 3 }
    retry "patient" { max_attempts: 4, base_delay: "1s", jitter: 0.0 }
    budget "shared" { capacity: 100 }
}

pub static STATIC: CircuitBreaker = CircuitBreaker::named("of a static", BreakerConfig::DEFAULT);

/// Counts the attempts of the calls of a test.
#[derive(Default)]
pub struct Attempts(Cell<u32>);

impl Attempts {
    pub fn count(&self) {
        self.0.set(self.0.get() + 1);
    }

    /// Returns the count, and begins anew.
    pub fn take(&self) -> u32 {
        self.0.replace(0)
    }
}

#[resilient(breaker = "reads")]
pub async fn read(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker = "by calls")]
pub async fn windowed(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker = "slots")]
pub async fn slots(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker = STATIC)]
pub async fn of_a_static(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker = "count/{collection}")]
pub async fn count(collection: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(retry = "patient")]
pub async fn patient(attempts: &Attempts) -> Result<(), Failure> {
    attempts.count();
    Err(DOWN)
}

#[resilient(retry(row = "patient", max_attempts = 2))]
pub async fn own_attempts(attempts: &Attempts) -> Result<(), Failure> {
    attempts.count();
    Err(DOWN)
}

#[resilient(retry(max_attempts = 1), breaker = "reads")]
pub async fn once(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(retry = "auto", budget = "shared")]
pub async fn by_kind(attempts: &Attempts, kind: ErrorKind) -> Result<(), Failure> {
    attempts.count();
    Err(Failure::of(kind))
}

#[resilient(attempt_timeout = "2s", deadline = "5s", retry(row = "patient", max_attempts = 8))]
pub async fn timed(attempts: &Attempts) -> Result<(), Failure> {
    attempts.count();
    sleep(Duration::from_secs(3_600)).await;
    Ok(())
}

/// Two calls in one function, of which one has a deadline.
pub async fn calls(attempts: &Attempts) -> Result<(), Failure> {
    guard!(deadline = "5s"; async {
        attempts.count();
        sleep(Duration::from_secs(3_600)).await;
        Ok::<_, Failure>(())
    })
    .await
    .or_else(|error| match error {
        Failure::Rejected(Rejection::DeadlineExceeded { .. }) => Ok(()),
        error => Err(error),
    })?;
    guard!(retry = "patient"; async { Err::<(), _>(DOWN) }).await
}

pub fn path(function: &str) -> String {
    format!("settings::program::{function}")
}
