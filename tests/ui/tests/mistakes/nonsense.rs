//! Settings that mean nothing together, and names that are none.

use resilient_runtime::{policies, resilient};
use resilient_tests::Failure;

#[resilient(
    retry(max_attempts = 1, base_delay = "1s"),
    budget = "qdrant",
    idempotent = false,
    breaker(name = "search", scope = "attempt"),
)]
async fn how_to_retry_nothing() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(base_delay = "10s", max_delay = "20s"), deadline = "5s")]
async fn no_time_to_retry() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", window = "60s", slow_call_duration = "5s"), deadline = "4s")]
async fn ends_before_it_is_slow() -> Result<(), Failure> {
    Ok(())
}

#[resilient(
    retry,
    breaker(name = "search", window = "60s", slow_call_duration = "5s"),
    attempt_timeout = "4s",
    deadline = "10s",
)]
async fn each_attempt_ends_before_it_is_slow() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(base_delay = "0s", max_delay = "0s"))]
async fn no_longest_delay() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = " nightly_import", breaker = "search ", budget = "qdrant\n")]
async fn names_with_what_does_not_show() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "import/{tenant}", budget = "tenant/{tenant}")]
async fn placeholders(tenant: &str) -> Result<(), Failure> {
    Ok(drop(tenant.to_owned()))
}

#[resilient(retry = "none", breaker = "search")]
async fn none() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "all")]
async fn all() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "transient")]
async fn transient() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "exponential")]
async fn exponential() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = "linear", max_attempts = 3))]
async fn linear() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "timeout_error, rate_limit_error")]
async fn list() -> Result<(), Failure> {
    Ok(())
}

policies! {
    breaker " search" {}
    budget "qdrant\t" {}
    budget "tenant/{tenant}" {}
    retry "import/{tenant}" {}
    retry "none" {}
    retry "exponential" { backoff: "exponential" }
    retry "patient" { max_delay: "0s" }
}

struct Store;

/// A method that overrides `retry` to retry nothing leaves the rest unused.
#[resilient(retry, budget = "qdrant", idempotent = false)]
impl Store {
    #[resilient(retry(max_attempts = 1))]
    async fn once(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[resilient(retry(max_attempts = 1), budget = "imports")]
    async fn once_from_a_budget(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
