//! What holds for each scrape.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use resilient_runtime::{CircuitBreaker, breaker};

use super::{Metrics, never_called};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_scrape_has_exactly_one_state_of_each_breaker_whatever_happens() {
    let metrics = Metrics::serve().await;
    let held = breaker("held").unwrap();
    let ends = Arc::new(AtomicBool::new(false));
    let flips_until = Arc::clone(&ends);
    let flipping = thread::spawn(move || {
        for round in 0.. {
            match round % 4 {
                0 => held.force_open(),
                1 => held.disable(),
                2 => held.force_closed(),
                _ => held.reset(),
            }
            if flips_until.load(Ordering::Relaxed) {
                break;
            }
        }
    });
    let metrics = Arc::new(metrics);
    let scrapes = (0..4).map(|_| {
        let metrics = Arc::clone(&metrics);
        tokio::spawn(async move {
            for _ in 0..50 {
                let scrape = metrics.scrape().await;
                let states = scrape.states("held");
                assert!(matches!(states.as_slice(), [(_, 1.0)]), "{states:?}");
            }
        })
    });
    for scrape in scrapes.collect::<Vec<_>>() {
        scrape.await.unwrap();
    }
    ends.store(true, Ordering::Relaxed);
    flipping.join().unwrap();
}

#[tokio::test]
async fn a_breaker_that_is_held_shows_how() {
    let metrics = Metrics::serve().await;
    let breaker = breaker("never called").unwrap();
    for (hold, state) in [
        (CircuitBreaker::disable as fn(&_), "disabled"),
        (CircuitBreaker::force_closed, "forced_closed"),
        (CircuitBreaker::force_open, "forced_open"),
        (CircuitBreaker::reset, "closed"),
    ] {
        hold(&breaker);
        assert_eq!(metrics.scrape().await.states("never called"), [(state.to_owned(), 1.0)]);
    }
    let scrape = metrics.scrape().await;
    let by_hand = [("breaker", "never called"), ("from", "disabled"), ("to", "forced_closed")];
    assert!(scrape.value("resilient_breaker_transitions_total", &by_hand) >= 1.0);
}

#[tokio::test]
async fn what_was_never_called_has_its_series_and_everything_is_described() {
    let metrics = Metrics::serve().await;
    let scrape = metrics.scrape().await;
    let function = ("function", "metrics::never_called");
    assert_eq!(scrape.value("resilient_calls_total", &[function, ("outcome", "error")]), 0.0);
    let kind = ("kind", "connection_error");
    assert_eq!(scrape.value("resilient_retries_total", &[function, kind]), 0.0);
    let reason = ("reason", "budget_exhausted");
    assert_eq!(scrape.value("resilient_gave_up_total", &[function, reason]), 0.0);
    let opened = [("breaker", "never called"), ("from", "closed"), ("to", "open")];
    assert_eq!(scrape.value("resilient_breaker_transitions_total", &opened), 0.0);
    for (name, kind) in &scrape.types {
        let expected = match name.as_str() {
            name if name.ends_with("_total") => "counter",
            "resilient_call_duration_seconds" => "summary",
            _ => "gauge",
        };
        assert_eq!(kind, expected, "{name}");
        assert!(scrape.described.contains(name), "{name} has no description");
    }
    assert!(scrape.types.len() >= 7, "{:?}", scrape.types);
    drop(never_called());
}
