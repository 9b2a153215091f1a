//! Settings of a breaker that do not go together.

use resilient_runtime::{policies, resilient};
use resilient_tests::Failure;

#[resilient(breaker(name = "search", minimum_calls = 20, failure_rate = 0.5))]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "upsert", failure_threshold = 101, window = 100))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "scroll", window = "60s", slow_call_rate = 0.5))]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "count", window = 10, minimum_calls = 11))]
async fn count() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "delete", max_open_duration = "5s"))]
async fn delete() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "list", max_open_duration = "29999ms", open_duration_multiplier = 2))]
async fn list() -> Result<(), Failure> {
    Ok(())
}

struct Store;

#[resilient(breaker(
    name = "store",
    open_duration = "10s",
    max_open_duration = "9s",
    open_jitter = 0.1
))]
impl Store {
    async fn first(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn second(&self) -> Result<(), Failure> {
        Ok(())
    }
}

policies! {
    breaker "search" { slow_call_duration: "2s" }
    breaker "upsert" { window: 100, failure_threshold: 5, minimum_calls: 20 }
    breaker "scroll" { max_open_duration: "29s", open_duration_multiplier: 1, open_jitter: 0.0 }
    breaker "count" { open_duration: "1h", max_open_duration: "5m", open_duration_multiplier: 2.0 }
    breaker "delete" { ignore: ["rate_limit_error"], trip_on: ["timeout_error"] }
    breaker "list" { failure_rate: 0.5 }
    breaker "get" { minimum_calls: 20 }
    breaker "set" { slow_call_rate: 0.5 }
    breaker "clear" { open_duration: "30", max_open_duration: "1s", open_duration_multiplier: 2 }
    breaker "facet" { failure_threshold: 0, window: 0, slow_call_rate: 50 }
    breaker "info" { ignore: [], trip_on: [], max_keys: 0 }
    breaker "alias" { windw: 50, failure_rate: 0.4, slow_cal_duration: "1s", slow_call_rate: 0.5 }
    breaker "shards" { slow_duration: "1s" }
}

fn main() {}
