//! Names that are constants.

use std::sync::LazyLock;

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

const BREAKER: CircuitBreaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);

#[resilient(breaker = BREAKER)]
async fn constant_breaker() -> Result<(), Failure> {
    Ok(())
}

const LAZY: LazyLock<CircuitBreaker> =
    LazyLock::new(|| CircuitBreaker::named("search", BreakerConfig::DEFAULT));

#[resilient(breaker = LAZY)]
async fn constant_lazy_breaker() -> Result<(), Failure> {
    Ok(())
}

static LAZY_BREAKER: LazyLock<CircuitBreaker> =
    LazyLock::new(|| CircuitBreaker::named("search", BreakerConfig::DEFAULT));

#[resilient(breaker(name = LAZY_BREAKER, failure_threshold = 3))]
async fn lazy_breaker_with_settings() -> Result<(), Failure> {
    Ok(())
}

trait Named {
    const NAME: &str;
}

#[resilient(breaker = Q::NAME, retry = Q::NAME, budget = Q::NAME)]
async fn generic<Q: Named>() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = <Store as Named>::NAME)]
async fn qualified() -> Result<(), Failure> {
    Ok(())
}

struct Of<T>(T);

#[resilient(breaker = T::NAME)]
impl<T: Named> Of<T> {
    async fn list(&self) -> Result<(), Failure> {
        Ok(())
    }
}

const SPACED: &str = "qdrant ";
const TEMPLATE: &str = "import/{tenant}";
const CONTROL: &str = "import\n";
const EMPTY: &str = "";

#[resilient(retry, budget = SPACED)]
async fn spaced() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = TEMPLATE)]
async fn template() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = CONTROL, max_attempts = 3))]
async fn control() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry, budget = EMPTY)]
async fn empty() -> Result<(), Failure> {
    Ok(())
}

struct Store;

impl Named for Store {
    const NAME: &str = "store";
}

impl Store {
    const NAME: &str = "store";

    #[resilient(breaker = Self::NAME)]
    async fn list(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
