//! Numbers and durations in constants that are out of their range, or contradict each other. The
//! compiler evaluates them only where nothing else is wrong.

use std::time::Duration;

use resilient_runtime::{guard, policies, resilient};
use resilient_tests::Failure;

const ONE: u32 = 1;
const ZERO: u32 = 0;
const MANY: u32 = 70_000;
const TWO: f64 = 2.0;
const NONE: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

mod limits {
    pub const WINDOW: u32 = 10;
}

// Out of their range.

#[resilient(retry(max_attempts = ZERO))]
async fn no_attempts() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(base_delay = NONE, max_delay = NONE))]
async fn no_longest_delay() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(jitter = TWO))]
async fn much_jitter() -> Result<(), Failure> {
    Ok(())
}

#[resilient(attempt_timeout = NONE)]
async fn no_time_for_an_attempt() -> Result<(), Failure> {
    Ok(())
}

#[resilient(deadline = std::time::Duration::ZERO)]
async fn no_time() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", failure_threshold = MANY))]
async fn many_failures() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", open_duration = NONE))]
async fn never_open() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", window = MANY))]
async fn many_calls() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", window = NONE))]
async fn short_window() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", window = 10, failure_rate = TWO))]
async fn high_rate() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search/{tenant}", max_keys = ZERO))]
async fn no_keys(tenant: &str) -> Result<(), Failure> {
    Ok(drop(tenant.to_owned()))
}

policies! {
    breaker "ranges" { success_threshold: ZERO }
}

policies! {
    retry "ranges" { max_attempts: ZERO }
}

policies! {
    budget "ranges" { success_refund: ZERO }
}

async fn guarded() -> Result<(), Failure> {
    guard!(retry(max_attempts = ZERO); async { Ok(()) }).await
}

// Contradictions.

#[resilient(attempt_timeout = MINUTE, deadline = SECOND)]
async fn deadline_before_timeout() -> Result<(), Failure> {
    Ok(())
}

#[resilient(attempt_timeout = "1s", deadline = SECOND)]
async fn deadline_with_timeout() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(base_delay = MINUTE, max_delay = "1s"))]
async fn longest_delay_before_first() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(base_delay = MINUTE), deadline = "5s")]
async fn no_time_to_retry() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", window = limits::WINDOW, failure_threshold = 11))]
async fn failures_over_window() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", open_duration = MINUTE, max_open_duration = "30s"))]
async fn longest_opening_before_first() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", window = "60s", slow_call_duration = MINUTE), deadline = "4s")]
async fn ends_before_it_is_slow() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(max_attempts = ONE), idempotent = false, budget = "qdrant")]
async fn how_to_retry_nothing() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(max_attempts = ONE), breaker(name = "search", scope = "attempt"))]
async fn a_scope_for_one_attempt() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(max_attempts = ONE, base_delay = "1s"))]
async fn a_delay_between_one_attempt() -> Result<(), Failure> {
    Ok(())
}

policies! {
    retry "contradiction" { base_delay: MINUTE, max_delay: SECOND }
}

policies! {
    budget "contradiction" { capacity: ONE }
}

struct Store;

#[resilient(retry(max_attempts = ONE), budget = "qdrant")]
impl Store {
    async fn list(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn count(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
