//! Names that are missing, empty or given twice.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(breaker)]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "", retry = "auto", retry = "auto")]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(failure_threshold = 3, scope = "attempt"))]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = "auto", max_attempts), breaker = search)]
async fn count() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
