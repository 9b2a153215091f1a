//! Breakers that functions share by name.

use std::time::Duration;

use resilient_runtime::{BreakerState, breaker, breakers, resilient};
use resilient_tests::{DOWN, Failure};

#[resilient(breaker = "shared")]
async fn reads(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker(name = "shared", failure_threshold = 2, open_duration = "7s"))]
async fn writes(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[tokio::test(start_paused = true)]
async fn functions_share_a_breaker_and_its_settings_whichever_runs_first() {
    reads(Err(DOWN)).await.unwrap_err();
    writes(Err(DOWN)).await.unwrap_err();
    assert!(reads(Ok(())).await.unwrap_err().is_rejection());
    let shared = breaker("shared").unwrap();
    assert_eq!(shared.state(), BreakerState::Open);
    assert_eq!(shared.config().open_duration(), Duration::from_secs(7));
}

#[test]
fn only_breakers_that_a_function_names_are_there_and_before_it_has_run() {
    #[resilient(breaker = "never called")]
    async fn _never_called() -> Result<(), Failure> {
        Ok(())
    }

    assert_eq!(breaker("never called").unwrap().name(), "never called");
    assert!(breaker("nobody names it").is_none());
    let names: Vec<_> = breakers().iter().map(|breaker| breaker.name().clone()).collect();
    assert!(names.iter().any(|name| *name == "never called") && names.is_sorted(), "{names:?}");
}
