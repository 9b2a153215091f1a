//! Timeouts, deadlines and what retries may cost.

use resilient_runtime::{Classify, ErrorKind, policies, resilient};
use resilient_tests::Failure;

#[resilient(attempt_timeout = "10s", deadline = "2s")]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(deadline = "0s", idempotent = "no", retry = "auto")]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "scroll", idempotent = false, budget = "qdrant")]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(attempt = "ctx", retry = "auto", budget = "")]
async fn count() -> Result<(), Failure> {
    Ok(())
}

#[resilient(attempt = ctx)]
async fn list() -> Result<(), Failure> {
    Ok(())
}

struct Unrejected;

impl Classify for Unrejected {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unknown
    }
}

#[resilient(deadline = "2s")]
async fn delete() -> Result<(), Unrejected> {
    Ok(())
}

policies! {
    budget "qdrant" { capacity: 5, success_refund: 0, cost: 3 }
}

policies! {
    budget "small" { capacity: 5 }
}

policies! {
    budget "cheap timeouts" { retry_cost: 10, timeout_cost: 9 }
    budget "cheaper timeouts" { timeout_cost: 4 }
    budget "large refunds" { capacity: 20, success_refund: 21, rate_limit_cost: -1 }
    budget "larger refunds" { success_refund: 501, rate_limit_cost: 4294967296 }
    budget "free timeouts" { retry_cost: 20, rate_limit_cost: 0, timeout_cost: 0, capacity: 100 }
}

#[resilient(retry = "auto", attempt = query)]
async fn recommend(query: &str) -> Result<(), Failure> {
    Ok(drop(query.to_owned()))
}

#[resilient(breaker = "search", retry(deadline = "2s"), failure_threshold = 3)]
async fn facet() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(deadline = "2s"), failure_threshold = 3)]
async fn info() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
