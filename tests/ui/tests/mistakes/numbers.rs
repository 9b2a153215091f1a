//! Numbers that are none, or do not go together.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry(base_delay = "2s", max_delay = "1s", jitter = 1.5, backoff = "square"))]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(max_attempts = 5.0, base_delay = 250, max_delay = 2s, jitter = "0.1"))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
