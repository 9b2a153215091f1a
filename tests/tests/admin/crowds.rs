//! Many streams, slow readers, many breakers.

use std::time::{Duration, Instant};

use resilient_runtime::admin::AdminConfig;
use resilient_runtime::{breaker_of, policies};
use tokio::time::sleep;

use crate::Service;
use crate::client::{Act, Stream, get, row};

policies! {
    breaker "crowds" {}
    breaker "crowd/{tenant}" { max_keys: 5_000 }
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
    for round in 0..12 {
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
    // The state of the last message of a slow reader is the last one.
    let slow = &mut slow[0];
    let mut last = None;
    while let Some(message) = slow.next().await {
        if let Some(row) = row(&message, "crowd/7") {
            last = Some(row["status"].clone());
        }
    }
    assert_eq!(last.unwrap(), "closed");
}

/// Of more breakers than the page shows, those that are not closed come first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_2000_breakers_and_first_those_that_are_not_closed() {
    for tenant in 1_000..4_000 {
        breaker_of("crowd/{tenant}", tenant).unwrap();
    }
    let held = breaker_of("crowd/{tenant}", 999_999).unwrap();
    held.force_open();
    let service = Service::start(AdminConfig::new()).await;
    let message = Stream::open(&service).await.next().await.unwrap();
    assert_eq!(message["breakers"].as_array().unwrap().len(), 2_000);
    assert!(message["more_breakers"].as_u64().unwrap() > 1_000);
    assert_eq!(row(&message, "crowd/999999").unwrap()["status"], "forced_open");
}
