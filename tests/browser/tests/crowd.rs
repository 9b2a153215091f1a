//! The page with 1,000 breakers and 10,000 events a second. In a process of its own, since other tests
//! would have all of these breakers too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use resilient_browser_tests::{Down, Service, with_browser};
use resilient_runtime::{EventKind, breaker_of, observe, only, policies, resilient};
use serde_json::Value;

policies! {
    breaker "crowd/{tenant}" { failure_threshold: 3, open_duration: "2s", max_keys: 2_000 }
}

#[resilient(breaker = "crowd/{tenant}")]
async fn search(tenant: u64, is_down: bool) -> Result<u32, Down> {
    if is_down { Err(Down) } else { Ok(7) }
}

/// Measures each update in the page, from the message until the browser has painted.
const MEASURE: &str = "
    {
    window.updates = [];
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => window.updates.push(performance.now() - data);
    const { set } = Object.getOwnPropertyDescriptor(EventSource.prototype, 'onmessage');
    Object.defineProperty(EventSource.prototype, 'onmessage', {
        set(handle) {
            set.call(this, (event) => {
                const began = performance.now();
                handle(event);
                requestAnimationFrame(() => channel.port2.postMessage(began));
            });
        },
    });
    }";

#[tokio::test(flavor = "multi_thread")]
async fn with_1000_breakers_and_10000_events_a_second_the_page_stays_usable() {
    const BREAKERS: u64 = 1_000;
    for tenant in 0..BREAKERS {
        breaker_of("crowd/{tenant}", tenant).unwrap();
    }
    let seen = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&seen);
    let all = EventKind::ALL.iter().copied();
    let observation = observe(only(
        all.collect::<resilient_runtime::EventSet>(),
        move |_: &resilient_runtime::Event<'_>| {
            counting.fetch_add(1, Ordering::Relaxed);
        },
    ));
    let ended = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load(Arc::clone(&ended), BREAKERS, Arc::clone(&seen)));
    let service = Service::start().await;
    with_browser(async move |browser| {
        browser.before_each_page(MEASURE).await;
        browser.open(&service.url()).await;
        let rows = "return document.querySelectorAll('.breaker').length";
        assert!(browser.run(rows).await.as_u64().unwrap() >= BREAKERS);
        // The first update draws everything. What follows is measured.
        browser.run("window.updates.length = 0; gc();").await;
        let memory = "gc(); return performance.memory.usedJSHeapSize / 1e6";
        tokio::time::sleep(Duration::from_secs(5)).await;
        let heap_before = browser.run(memory).await.as_f64().unwrap();
        let (began, events_before) = (Instant::now(), seen.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_secs(25)).await;
        let events = seen.load(Ordering::Relaxed) - events_before;
        let events = events / began.elapsed().as_secs();
        let heap_after = browser.run(memory).await.as_f64().unwrap();
        let updates = browser.run("return window.updates").await;
        let mut updates: Vec<f64> = updates.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
        updates.sort_by(f64::total_cmp);
        let (median, most) = (updates[updates.len() / 2], updates[updates.len() - 1]);
        let list = "return document.querySelectorAll('.event').length";
        let list = browser.run(list).await.as_u64().unwrap();
        println!(
            "{BREAKERS} breakers, {events} events a second: {} updates, median {median:.1} ms, \
             longest {most:.1} ms; heap {heap_before:.1} MB, then {heap_after:.1} MB; {list} events listed",
            updates.len()
        );
        assert!(updates.len() > 30);
        assert!(median < 100.0, "{median}");
        assert!(heap_after < heap_before + 10.0, "{heap_before} {heap_after}");
        assert!(list <= 200);
        // A search answers at once.
        let search = "const began = performance.now(); search('crowd/77'); document.body.offsetHeight; return performance.now() - began";
        let search = browser.run(search).await.as_f64().unwrap();
        println!("a search takes {search:.1} ms");
        assert!(search < 200.0, "{search}");
    })
    .await;
    ended.store(true, Ordering::Relaxed);
    load.await.unwrap();
    drop(observation);
}

/// Calls through all breakers, most of which are open or open soon, until it is ended: some 10,000
/// events a second.
async fn load(ended: Arc<AtomicBool>, breakers: u64, seen: Arc<AtomicU64>) {
    let (began, mut call) = (Instant::now(), 0_u64);
    while !ended.load(Ordering::Relaxed) {
        // 10.5 for each millisecond.
        let due = began.elapsed().as_millis() * 21 / 2;
        while u128::from(seen.load(Ordering::Relaxed)) < due {
            call += 1;
            // One in ten calls succeeds, so that breakers close again too.
            let _ = search(call % breakers, call % 10 != 0).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
