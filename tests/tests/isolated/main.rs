//! Tests that run side by side, with breakers and budgets of their own. All of them use the same
//! names, in one process.

mod names;
mod polls;
mod registered;
mod side_by_side;
mod tasks;

use std::sync::atomic::{AtomicU32, Ordering};

use resilient_runtime::{
    BreakerConfig, BreakerState, CircuitBreaker, breaker, guard, policies, resilient,
};
use resilient_tests::{DOWN, Failure};

policies! {
    breaker "search" {
        failure_threshold: 3,
    }
    breaker "count/{collection}" {
        failure_threshold: 2,
    }
    budget "qdrant" {
        capacity: 20,
        retry_cost: 5,
        success_refund: 1,
    }
}

static WRITES: CircuitBreaker = CircuitBreaker::named("writes", BreakerConfig::DEFAULT);

#[resilient(breaker = "search")]
async fn search(result: Result<u32, Failure>) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    result
}

#[resilient(breaker = WRITES)]
async fn write(result: Result<u32, Failure>) -> Result<u32, Failure> {
    result
}

#[resilient(breaker = "count/{collection}")]
async fn count(collection: &str, result: Result<u32, Failure>) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    result
}

#[resilient(
    retry(row = "service_unavailable", max_attempts = 2, base_delay = "1ms", jitter = 0.0),
    budget = "qdrant",
    breaker = "upsert"
)]
async fn upsert(asked: &AtomicU32) -> Result<u32, Failure> {
    asked.fetch_add(1, Ordering::Relaxed);
    Err(DOWN)
}

async fn guarded(result: Result<u32, Failure>) -> Result<u32, Failure> {
    guard!(breaker = "search"; async { result.clone() }).await
}

/// Opens the breaker of a function by its failures, and returns how many it took.
async fn open_search() -> u32 {
    let mut failures = 0;
    while search(Err(DOWN)).await == Err(DOWN) {
        failures += 1;
    }
    failures
}

fn state(name: &str) -> BreakerState {
    breaker(name).expect("source names it").state()
}

fn totals(name: &str) -> (u64, u64, u64) {
    let totals = breaker(name).expect("source names it").stats().totals;
    (totals.successes, totals.failures, totals.rejected)
}
