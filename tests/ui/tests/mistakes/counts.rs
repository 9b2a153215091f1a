//! Counts of zero, and of more than there is room for.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry(max_attempts = 0), breaker(name = "search", failure_threshold = 0))]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "upsert", success_threshold = 70_000, half_open_max_calls = "two"))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
