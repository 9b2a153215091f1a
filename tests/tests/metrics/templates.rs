//! Breakers by a value: one label for all, and for each only if asked.

use std::time::Duration;

use resilient_runtime::metrics::label_values;
use resilient_tests::DOWN;
use tokio::time::sleep;

use super::{Metrics, of_collection};

const TEMPLATE: &str = "collection/{collection}";

#[tokio::test]
async fn a_template_has_one_label_and_what_is_evicted_stays_counted_and_then_leaves() {
    let idle = Duration::from_millis(300);
    let metrics = Metrics::serve_forgetting_after(idle).await;
    let results = |result| [("breaker", TEMPLATE), ("result", result)];
    let total = "resilient_breaker_results_total";
    for collection in ["acme", "umbrella"] {
        assert!(of_collection(collection, Ok(7)).await.is_ok());
    }
    assert!(of_collection("acme", Err(DOWN)).await.is_err());
    let scrape = metrics.scrape().await;
    let both = [("closed".to_owned(), 1.0), ("open".to_owned(), 1.0)];
    assert_eq!(scrape.states(TEMPLATE), both, "one of each");
    assert_eq!(scrape.value(total, &results("success")), 2.0);
    assert!(scrape.states("collection/acme").is_empty(), "not asked for");

    label_values(TEMPLATE, 1);
    let scrape = metrics.scrape().await;
    assert_eq!(
        scrape.states("collection/acme"),
        [("open".to_owned(), 1.0)],
        "open ones come first"
    );
    assert_eq!(
        scrape.find(
            "resilient_breaker_state",
            &[("breaker", "collection/umbrella"), ("state", "closed")]
        ),
        None
    );

    // There is room for two: the two closed ones of these leave, and then the open one.
    for number in 0..10 {
        assert!(of_collection(&format!("other {number}"), Err(DOWN)).await.is_err());
    }
    let scrape = metrics.scrape().await;
    assert_eq!(scrape.value(total, &results("success")), 2.0, "those that left count");
    assert_eq!(scrape.value(total, &results("failure")), 11.0);
    assert!(scrape.states("collection/acme").is_empty(), "all of its states are 0");
    // What is not updated any more is removed by the exporter; all else is updated by each scrape.
    for _ in 0..4 {
        sleep(idle / 2).await;
        let _ = metrics.scrape().await;
    }
    let scrape = metrics.scrape().await;
    let state = [("breaker", "collection/acme"), ("state", "open")];
    assert_eq!(scrape.find("resilient_breaker_state", &state), None);
    assert_eq!(scrape.value(total, &results("success")), 2.0);
    assert_eq!(scrape.states("held").len(), 1);
}
