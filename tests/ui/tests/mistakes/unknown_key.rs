//! Keys that do not exist, at each level.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retries = "auto", timeout = "1s", max_attempts = 3)]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = "rate_limit_error", max_attemps = 3))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", threshold = 3))]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "count", open_max_duration = "1m", jitter = 0.1, error_rate = 0.5))]
async fn count() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
