//! What holds for each scrape.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use metrics_exporter_prometheus::PrometheusBuilder;

use resilient_runtime::metrics::{collect, scrape};
use resilient_runtime::{
    BreakerStatus, CircuitBreaker, Event, EventKind, breaker, observe, only, test,
};
use resilient_tests::DOWN;

use super::text::Scrape;
use super::{Metrics, never_called, search};

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

#[tokio::test]
async fn a_test_sees_its_own_numbers() {
    let own = |recorder: &_, render: &dyn Fn() -> String| {
        metrics::with_local_recorder(recorder, || Scrape::parse(&scrape(render)))
    };
    for _ in 0..2 {
        test::isolated(async {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            assert_eq!(search(Ok(7)).await, Ok(7));
            assert_eq!(search(Err(DOWN)).await, Err(DOWN));
            breaker("search").unwrap().force_open();
            // To collect twice tells nothing twice.
            metrics::with_local_recorder(&recorder, collect);
            let scrape = own(&recorder, &|| handle.render());
            let success = [("function", "metrics::search"), ("outcome", "success")];
            assert_eq!(scrape.value("resilient_calls_total", &success), 1.0);
            assert_eq!(scrape.value("resilient_call_duration_seconds_count", &success), 1.0);
            assert_eq!(scrape.states("search"), [("forced_open".to_owned(), 1.0)]);
            assert_eq!(scrape.value("resilient_budget_tokens", &[("budget", "qdrant")]), 90.0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_count_while_an_observer_does_not_return() {
    let metrics = Metrics::serve().await;
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let observation = observe(only(EventKind::Transition, move |event: &Event<'_>| {
        if matches!(event, Event::Transition { breaker: "observed slowly", .. }) {
            // An error once the sender is dropped.
            let _ = released.lock().unwrap().recv();
        }
    }));
    let of = breaker("observed slowly").unwrap();
    let first = of.clone();
    let stalled = thread::spawn(move || first.force_open());
    while of.status() == BreakerStatus::Closed {
        thread::yield_now();
    }
    of.disable();
    let changes = |scrape: &Scrape, from, to| {
        let labels = [("breaker", "observed slowly"), ("from", from), ("to", to)];
        scrape.find("resilient_breaker_transitions_total", &labels)
    };
    let scrape = metrics.scrape().await;
    assert_eq!(changes(&scrape, "forced_open", "disabled"), Some(1.0));
    of.reset();
    of.reset();
    let scrape = metrics.scrape().await;
    assert_eq!(changes(&scrape, "disabled", "closed"), Some(1.0));
    assert_eq!(
        changes(&scrape, "closed", "closed"),
        None,
        "a reset of what is closed changes nothing"
    );
    drop(release);
    stalled.join().unwrap();
    drop(observation);
}
