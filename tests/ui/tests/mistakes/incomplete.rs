//! Arguments that somebody has not typed to the end, or writes as in another language.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry = )]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = , jitter = 0.2))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry: "auto")]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto" breaker = "search")]
async fn count() -> Result<(), Failure> {
    Ok(())
}

#[resilient("auto")]
async fn delete() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto", breaker("search"))]
async fn facet() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
