//! Lists of the kinds that count.

use resilient_runtime::{policies, resilient};
use resilient_tests::Failure;

#[resilient(breaker(name = "search", trip_on = "timeout_error"))]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "upsert", trip_on = ["rate_limit", "timeout_error", "weather"]))]
async fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "scroll", ignore = [search_timeout, ErrorKind::InternalError, 3]))]
async fn scroll() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "count", trip_on = ["unknown", "timeout_error", "unknown"]))]
async fn count() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "delete", ignore = ["timeout_error", "not_found_error"]))]
async fn delete() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "list", trip_on = ["timeout_error"], ignore = ["rate_limit_error"]))]
async fn list() -> Result<(), Failure> {
    Ok(())
}

#[resilient(ignore = ["rate_limit_error"], breaker = "get")]
async fn get() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "set", trip_on("timeout_error", "unknown")))]
async fn set() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "facet", ignore(timeout_error, network_error), slow_call_duration = "soon"))]
async fn facet() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "info", trip_on = "timeout_error, unknown"))]
async fn info() -> Result<(), Failure> {
    Ok(())
}

policies! {
    breaker "set" { trip_on("unknown") }
}

policies! {
    breaker "facet" { trip_on(unknown), open_duration }
    breaker "info" { ignore: KINDS }
    breaker "search" { trip_on: [] }
    breaker "upsert" { ignore: [] }
    breaker "scroll" { trip_on: ErrorKind::TimeoutError }
    breaker "count" { trips_on: ["timeout_error"] }
    breaker "delete" {
        ignore: [
            "connection_error",
            "connection_timeout",
            "rate_limit_error",
            "service_unavailable",
            "timeout_error",
            "search_timeout",
            "internal_error",
            "network_error",
        ]
    }
}

fn main() {}
