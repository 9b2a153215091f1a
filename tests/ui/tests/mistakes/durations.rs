//! Durations that are none.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry(base_delay = "500", max_delay = "5 minutes"))]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "upsert", open_duration = 30))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "upsert", open_duration = "10us"))]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
