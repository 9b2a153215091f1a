//! Kinds that do not exist, and one that is never retried.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry = "rate_limit")]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = "conection_eror"))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "collection_not_found")]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "")]
async fn count() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
