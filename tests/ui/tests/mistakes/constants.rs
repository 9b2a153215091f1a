//! Names that are constants.

use resilient_runtime::{BreakerConfig, CircuitBreaker, resilient};
use resilient_tests::Failure;

static SEARCH: CircuitBreaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
const LIMIT: u32 = 7;
const AUTO: &str = "auto";

#[resilient(breaker = search, retry = auto)]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = LIMIT)]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = SEARCH, failure_threshold = 3))]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = LIMIT)]
async fn count() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = AUTO, max_attempts = 7))]
async fn facet() -> Result<(), Failure> {
    Ok(())
}

struct Store;

impl Store {
    const NAME: &str = "store";

    #[resilient(breaker = Self::NAME)]
    async fn list(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
