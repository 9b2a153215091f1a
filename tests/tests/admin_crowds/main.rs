//! The admin page with many streams and slow readers. In a process of its own, since its
//! breakers and events would crowd out those of other tests.

#[path = "../admin/client.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod client;
#[path = "../admin/service.rs"]
mod service;

use std::time::{Duration, Instant};

use resilient_runtime::admin::AdminConfig;
use resilient_runtime::{breaker_of, policies};
use serde_json::Value;
use tokio::time::sleep;

use client::{Act, Stream, get, row};
use service::{Service, TOKEN};

policies! {
    breaker "crowds" {}
    breaker "crowd/{tenant}" { max_keys: 1_000 }
}

/// 1,000 streams at once: 64 are served. The page, and what operators do, goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_1000_streams_64_are_served() {
    let service = Service::with_token().await;
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..1_000 {
        match Stream::open_with(&service, "").await {
            Ok(stream) => open.push(stream),
            Err(status) => {
                assert_eq!(status, 503);
                refused += 1;
            }
        }
    }
    println!("{} streams are open, {refused} were refused", open.len());
    // Streams end after ten seconds, and others take their places, if the machine is slow.
    assert!(open.len() >= 64 && refused > 500, "{} {refused}", open.len());
    assert_eq!(get(&service, "/resilient", "").await.status, 200);
    assert_eq!(Act::on("crowds", "reset").send(&service).await.status, 200);
    assert!(open.last_mut().unwrap().next().await.is_some());
    drop(open);
    let began = Instant::now();
    while Stream::open_with(&service, "").await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "the places are free again");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Readers that do not read neither delay others, nor get what is old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_gets_the_newest_state_and_delays_nobody() {
    for tenant in 0..1_000 {
        breaker_of("crowd/{tenant}", tenant).unwrap();
    }
    let service = Service::start(AdminConfig::new()).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(Stream::open(&service).await);
    }
    let mut quick = Stream::open(&service).await;
    let mut longest = Duration::ZERO;
    for round in 0..6 {
        for tenant in 0..1_000 {
            let breaker = breaker_of("crowd/{tenant}", tenant).unwrap();
            if round % 2 == 0 { breaker.force_open() } else { breaker.reset() }
        }
        let began = Instant::now();
        quick.next().await.unwrap();
        longest = longest.max(began.elapsed());
    }
    println!("the longest time between two messages was {longest:?}");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    // Of what a slow reader reads, the last is the newest state.
    let is_closed = |message: &Value| {
        row(message, "crowd/999").is_some_and(|row| row["totals"]["transitions"] == 6)
    };
    let newest = slow[0].find(is_closed).await;
    assert_eq!(row(&newest, "crowd/999").unwrap()["status"], "closed");
}
