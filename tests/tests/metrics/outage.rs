//! Each number is what really happened.

use std::time::Duration;

use resilient_runtime::{CallOutcome, breaker};
use resilient_tests::{DOWN, WRONG};
use tokio::time::sleep;

use super::{Metrics, search};

const FUNCTION: (&str, &str) = ("function", "metrics::search");
const BREAKER: (&str, &str) = ("breaker", "search");

#[tokio::test]
async fn the_numbers_of_an_outage_are_those_that_the_test_counts() {
    let metrics = Metrics::serve().await;
    let before = metrics.scrape().await;
    for outcome in CallOutcome::ALL {
        let labels = [FUNCTION, ("outcome", outcome.as_str())];
        assert_eq!(before.value("resilient_calls_total", &labels), 0.0, "before the first call");
    }
    assert_eq!(before.states("search"), [("closed".to_owned(), 1.0)]);
    assert_eq!(before.value("resilient_budget_tokens", &[("budget", "qdrant")]), 100.0);

    for _ in 0..5 {
        assert_eq!(search(Ok(7)).await, Ok(7));
    }
    assert_eq!(search(Err(WRONG)).await, Err(WRONG));
    // Two attempts each. The third failure opens the breaker.
    for _ in 0..3 {
        assert_eq!(search(Err(DOWN)).await, Err(DOWN));
    }
    for _ in 0..4 {
        assert!(search(Ok(7)).await.unwrap_err().is_rejection());
    }
    let down = metrics.scrape().await;
    assert_eq!(down.states("search"), [("open".to_owned(), 1.0)]);
    assert_eq!(down.value("resilient_budget_tokens", &[("budget", "qdrant")]), 70.0);

    while breaker("search")
        .unwrap()
        .stats()
        .time_until_half_open
        .is_some_and(|left| !left.is_zero())
    {
        sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..2 {
        assert_eq!(search(Ok(7)).await, Ok(7));
    }
    let after = metrics.scrape().await;
    assert_eq!(after.states("search"), [("closed".to_owned(), 1.0)]);
    let calls = |outcome| after.value("resilient_calls_total", &[FUNCTION, ("outcome", outcome)]);
    assert_eq!(
        ["success", "error", "rejected", "timeout", "cancelled"].map(calls),
        [7.0, 4.0, 4.0, 0.0, 0.0]
    );
    let retries = [FUNCTION, ("kind", "service_unavailable")];
    assert_eq!(after.value("resilient_retries_total", &retries), 3.0);
    let gave_up = [FUNCTION, ("reason", "attempts_exhausted")];
    assert_eq!(after.value("resilient_gave_up_total", &gave_up), 3.0);
    let results =
        |result| after.value("resilient_breaker_results_total", &[BREAKER, ("result", result)]);
    assert_eq!(["success", "failure", "ignored", "rejected"].map(results), [7.0, 3.0, 1.0, 4.0]);
    for (from, to) in [("closed", "open"), ("open", "half_open"), ("half_open", "closed")] {
        let labels = [BREAKER, ("from", from), ("to", to)];
        assert_eq!(after.value("resilient_breaker_transitions_total", &labels), 1.0, "{from} {to}");
    }
    let measured = [FUNCTION, ("outcome", "success")];
    assert_eq!(after.value("resilient_call_duration_seconds_count", &measured), 7.0);
    // A second scrape adds nothing.
    let again = metrics.scrape().await;
    assert_eq!(again.value("resilient_call_duration_seconds_count", &measured), 7.0);
    assert_eq!(again.value("resilient_calls_total", &[FUNCTION, ("outcome", "success")]), 7.0);
}
