//! What each function and each declaration may say, and what is nonsense in one program.

use std::time::Duration;

use resilient_runtime::{BreakerConfig, CircuitBreaker, Problem, catalog, policies, resilient};
use resilient_tests::Failure;

policies! {
    breaker "search" { window: "60s", slow_call_duration: "5s" }
    breaker "tenant/{tenant}" { window: 100, slow_call_duration: "5s" }
    breaker "shared" { window: "60s", slow_call_duration: "5s" }
    breaker "unlimited" { window: "60s", slow_call_duration: "5s" }
    breaker "never used" { window: "60s", slow_call_duration: "5s" }
    retry "once" { max_attempts: 1 }
    retry "patient" { base_delay: "10s", max_delay: "1m", jitter: 0.5 }
    budget "searches" {}
}

#[resilient(retry = "once", budget = "searches")]
async fn _pays_for_no_retry() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "once", idempotent = false, breaker(name = "unlimited", scope = "attempt"))]
async fn _says_how_not_to_retry() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "once", breaker = "unlimited")]
async fn _is_not_retried() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = "once", max_attempts = 2), budget = "searches")]
async fn _is_retried_once() -> Result<(), Failure> {
    Ok(())
}

struct _Store;

#[resilient(retry = "auto", budget = "searches", idempotent = false)]
impl _Store {
    /// The block's keys are for the other methods.
    #[resilient(retry(max_attempts = 1))]
    async fn _is_not_retried(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[resilient(retry = "patient", deadline = "5s")]
async fn _has_no_time_to_retry() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "service_unavailable", deadline = "500ms")]
async fn _has_no_time_for_a_kind() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto", deadline = "80ms")]
async fn _has_no_time_for_any_kind() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto", deadline = "100ms")]
async fn _has_time_with_jitter() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "patient", deadline = "6s")]
async fn _has_time_with_more_jitter() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(row = "patient", base_delay = "1s"), deadline = "5s")]
async fn _has_a_shorter_delay() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto", breaker = "search", attempt_timeout = "2s")]
async fn _ends_before_it_is_slow() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "search", deadline = "4s")]
async fn _ends_before_it_is_slow_too() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "tenant/{tenant}", deadline = "4s")]
async fn _ends_before_each_is_slow(tenant: &str) -> Result<(), Failure> {
    assert!(!tenant.is_empty());
    Ok(())
}

#[resilient(breaker = "shared", deadline = "4s")]
async fn _is_never_slow() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "shared", deadline = "5s")]
async fn _may_be_slow() -> Result<(), Failure> {
    Ok(())
}

const SPACED: &str = "search ";
static CONTROLLED: CircuitBreaker = CircuitBreaker::named("sea\trch", BreakerConfig::DEFAULT);
const EMPTY: &str = "";

#[resilient(breaker = SPACED)]
async fn _has_a_space() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = CONTROLLED)]
async fn _has_a_control_character() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = EMPTY)]
async fn _has_no_name() -> Result<(), Failure> {
    Ok(())
}

/// The problem as one line, with the function's bare name.
fn told(problem: &Problem) -> Option<String> {
    let name = |place: &str| {
        place.rsplit("::").next().map(|name| name.trim_end_matches(')').to_owned()).unwrap()
    };
    Some(match problem {
        Problem::NeverRetried { key, row, function, .. } => {
            format!("{key} by {row} in {}", name(function))
        }
        Problem::DelayBeyondDeadline { row, function, delay, deadline, .. } => {
            format!("{delay:?} of {row} in {deadline:?} of {}", name(function))
        }
        Problem::NeverSlow { breaker, slow_call_duration, configured, .. } => {
            assert!(configured.contains("contradictions.rs:"), "{configured}");
            assert_eq!(*slow_call_duration, Duration::from_secs(5));
            format!("{breaker} is never slow")
        }
        Problem::UnclearName { breaker, function, .. } => {
            format!("{breaker:?} in {}", name(function))
        }
        _ => return None,
    })
}

#[test]
fn the_catalog_finds_what_contradicts_itself() {
    let error = catalog().validate().unwrap_err();
    let mut told: Vec<_> = error.problems().iter().filter_map(told).collect();
    told.sort_unstable();
    let mut expected = [
        "budget by once in _pays_for_no_retry",
        "idempotent by once in _says_how_not_to_retry",
        "scope by once in _says_how_not_to_retry",
        "5s of patient in 5s of _has_no_time_to_retry",
        "900ms of service_unavailable in 500ms of _has_no_time_for_a_kind",
        "90ms of auto in 80ms of _has_no_time_for_any_kind",
        "search is never slow",
        "tenant/{tenant} is never slow",
        "\"search \" in _has_a_space",
        "\"sea\\trch\" in _has_a_control_character",
        "\"\" in _has_no_name",
    ];
    expected.sort_unstable();
    assert_eq!(told, expected, "{error}");
}
