//! Breakers by a value that come and go while others scrape.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use resilient_runtime::metrics::label_values;
use resilient_tests::DOWN;

use super::{Metrics, of_tenant};

const TEMPLATE: (&str, &str) = ("breaker", "tenant/{tenant}");
const RESULTS: &str = "resilient_breaker_results_total";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_result_is_lost_by_evictions_and_no_counter_goes_back() {
    let metrics = Metrics::serve().await;
    label_values(TEMPLATE.1, 3);
    let results = |result| [TEMPLATE, ("result", result)];
    let before = metrics.scrape().await;
    let (succeeded, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let ended = Arc::new(AtomicBool::new(false));
    let callers = (0..4_u64).map(|caller| {
        let (succeeded, failed) = (Arc::clone(&succeeded), Arc::clone(&failed));
        tokio::spawn(async move {
            for call in 0..2_000_u64 {
                let tenant = format!("{caller}-{}", call % 7);
                let answer = if call % 5 == 0 { Err(DOWN) } else { Ok(7) };
                match of_tenant(&tenant, answer).await {
                    Ok(_) => succeeded.fetch_add(1, Ordering::Relaxed),
                    Err(error) if error.is_rejection() => 0,
                    Err(_) => failed.fetch_add(1, Ordering::Relaxed),
                };
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let watching = async {
        let mut last = metrics.scrape().await;
        while !ended.load(Ordering::Relaxed) {
            let scrape = metrics.scrape().await;
            scrape.assert_follows(&last);
            let breakers: f64 = scrape.states(TEMPLATE.1).iter().map(|(_, number)| number).sum();
            assert!(breakers <= 8.0, "{breakers} of at most 2, and of those that calls hold");
            last = scrape;
        }
        last
    };
    let calling = async {
        for caller in callers {
            caller.await.unwrap();
        }
        ended.store(true, Ordering::Relaxed);
    };
    let (last, ()) = tokio::join!(watching, calling);
    let after = metrics.scrape().await;
    after.assert_follows(&last);
    label_values(TEMPLATE.1, 0);

    let told =
        |result| after.value(RESULTS, &results(result)) - before.value(RESULTS, &results(result));
    let [succeeded, failed] =
        [succeeded, failed].map(|it| u32::try_from(it.load(Ordering::Relaxed)).unwrap());
    assert_eq!(told("success"), f64::from(succeeded));
    assert_eq!(told("failure"), f64::from(failed));
    assert!(succeeded > 1_000 && failed > 100, "{succeeded} and {failed}");
    assert_eq!(
        ["success", "failure", "ignored", "rejected"].map(told).iter().sum::<f64>(),
        8_000.0,
        "each call is one of them"
    );
}

#[tokio::test]
async fn the_counters_of_a_value_go_on_after_it_was_not_shown() {
    let metrics = Metrics::serve().await;
    label_values(TEMPLATE.1, 1);
    let shown = |tenant| [("breaker", tenant), ("result", "failure")];
    // The first in the order of names, once it is open.
    assert!(of_tenant("0 first", Err(DOWN)).await.is_err());
    let scrape = metrics.scrape().await;
    assert_eq!(scrape.value(RESULTS, &shown("tenant/0 first")), 1.0);

    // Closed ones come after open ones.
    assert!(of_tenant("00 other", Err(DOWN)).await.is_err());
    resilient_runtime::breaker("tenant/0 first").unwrap().reset();
    let scrape = metrics.scrape().await;
    assert!(scrape.states("tenant/0 first").is_empty(), "not shown");
    assert_eq!(scrape.states("tenant/00 other").len(), 1);

    resilient_runtime::breaker("tenant/00 other").unwrap().reset();
    assert!(of_tenant("0 first", Err(DOWN)).await.is_err());
    let scrape = metrics.scrape().await;
    assert_eq!(scrape.states("tenant/0 first"), [("open".to_owned(), 1.0)]);
    assert_eq!(scrape.value(RESULTS, &shown("tenant/0 first")), 2.0, "each failure once");
    label_values(TEMPLATE.1, 0);
    assert!(metrics.scrape().await.states("tenant/0 first").is_empty());
}
