//! Values and keys that are written in another form.

use std::time::Duration;

use resilient_runtime::{Classify, policies, resilient};
use resilient_tests::Failure;

#[resilient(retry(3), breaker = "search")]
async fn in_parentheses() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = 3, breaker("search", failure_threshold = 3))]
async fn a_value_beside_keys() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(max_attempts = 4294967296, backoff = Backoff::Linear))]
async fn out_of_range() -> Result<(), Failure> {
    Ok(())
}

#[resilient(
    retry = ErrorKind::RateLimitError,
    breaker(name = "search", scope = Scope::Attempt, open_duration = Duration::from_secs(5)),
    idempotent = "false",
    attempt = "ctx",
)]
async fn in_types_of_rust() -> Result<(), Failure> {
    Ok(())
}

#[resilient("retry": "auto", "breaker": "search")]
async fn as_json() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry: "auto")]
async fn with_a_colon() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = true, breaker = "search")]
async fn a_flag() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = false, breaker = "search")]
async fn another_flag() -> Result<(), Failure> {
    Ok(())
}

#[resilient("rate_limit_error")]
async fn a_row_without_its_key() -> Result<(), Failure> {
    Ok(())
}

#[resilient(auto, breaker = "search")]
async fn a_row_as_a_key() -> Result<(), Failure> {
    Ok(())
}

#[resilient({ "retry": "auto" })]
async fn in_braces() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry { max_attempts = 3 })]
async fn keys_in_braces() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = ["timeout_error", "rate_limit_error"], budget(name = "qdrant"))]
async fn a_list() -> Result<(), Failure> {
    Ok(())
}

policies! {
    breaker "search" { "failure_threshold": 10 }
}

policies! {
    crate = "resilient_runtime";
    breaker "search" {}
}

policies! {
    breaker "search" {}
    crate = resilient_runtime;
}

policies! {
    breakers "search" {}
}

policies! {
    breaker { "search" {} }
}

#[derive(Debug, Classify)]
#[classify("timeout_error")]
struct TimedOut;

#[derive(Debug, Classify)]
enum Failed {
    #[classify(kind = ErrorKind::TimeoutError)]
    Late,
    #[classify(timeout_error)]
    Later,
    #[classify = "rate_limit"]
    Busy,
    #[classify(kind = "unknown", retry_after(wait), maybe_executed("true"))]
    Unknown { wait: Duration },
}

fn main() {}
