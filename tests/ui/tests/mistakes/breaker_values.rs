//! Settings of a breaker that are wrong by themselves.

use resilient_runtime::{policies, resilient};
use resilient_tests::Failure;

#[resilient(breaker(name = "search", window = 60s))]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "upsert", window = 1_001))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "scroll", window = "9ms"))]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(
    name = "count",
    window = "100",
    failure_rate = 50,
    minimum_calls = 0,
    slow_call_duration = "0s",
    slow_call_rate = "0.8",
))]
async fn count() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(
    name = "delete",
    probe_timeout = 10,
    open_duration_multiplier = 0.5,
    max_open_duration = "5 minutes",
    open_jitter = -0.1,
    failure_threshold = 3s,
))]
async fn delete() -> Result<(), Failure> {
    Ok(())
}

policies! {
    breaker "search" { window: 1.5, open_duration_multiplier: "2" }
    breaker "upsert" { window: 0, window: 10 }
    breaker "scroll" { window }
    breaker "count" { probe_timeout: "999us", open_duration_multiplier: 1e999 }
    breaker "delete" { window: "50", failure_rate: "50%", slow_call_duration: 60s, open_jitter: 20 }
    breaker "list" { failure_threshold: "7", open_duration: 2s, open_duration_multiplier: "1.5" }
}

fn main() {}
