//! Numbers that do not go together, with each other or with the row.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry(base_delay = "2s", max_delay = "1s", jitter = 1.5, backoff = "square"))]
async fn search() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
