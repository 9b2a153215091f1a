//! The storage layer that the picture shows, and its callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use resilient_browser_tests::Down;
use resilient_runtime::{policies, resilient};
use tokio::time::sleep;

/// What is down.
#[derive(Default)]
pub struct Health {
    pub search: AtomicBool,
    pub collection: AtomicBool,
    pub writes: AtomicBool,
}

policies! {
    breaker "search" { failure_threshold: 5, open_duration: "45s" }
    breaker "writes" { failure_threshold: 5, open_duration: "5s" }
    breaker "payloads" {}
    breaker "count/{collection}" { failure_threshold: 5, open_duration: "8s" }
    budget "qdrant" { capacity: 200 }
}

fn answer(is_down: bool) -> Result<(), Down> {
    if is_down { Err(Down) } else { Ok(()) }
}

#[resilient(
    retry = "auto",
    budget = "qdrant",
    breaker = "search",
    attempt_timeout = "1s",
    deadline = "5s"
)]
pub async fn search(is_down: bool) -> Result<(), Down> {
    answer(is_down)
}

#[resilient(
    retry = "auto",
    budget = "qdrant",
    breaker = "search",
    attempt_timeout = "1s",
    deadline = "5s"
)]
pub async fn similar(is_down: bool) -> Result<(), Down> {
    answer(is_down)
}

#[resilient(breaker = "count/{collection}", deadline = "500ms")]
pub async fn count(collection: &str, is_down: bool) -> Result<(), Down> {
    answer(is_down)
}

#[resilient(
    retry = "auto",
    budget = "qdrant",
    breaker = "writes",
    idempotent = false,
    deadline = "8s"
)]
pub async fn put(is_down: bool) -> Result<(), Down> {
    answer(is_down)
}

#[resilient(retry = "auto", budget = "qdrant", breaker = "writes", deadline = "8s")]
pub async fn remove(is_down: bool) -> Result<(), Down> {
    answer(is_down)
}

#[resilient(retry = "rate_limit_error", breaker = "payloads")]
pub async fn set_payload(is_down: bool) -> Result<(), Down> {
    answer(is_down)
}

/// Calls all of them, with some variation.
pub async fn traffic(health: Arc<Health>) {
    let is_down = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
    for round in 0_u64.. {
        let wave = 3 + (round / 100) % 4 + round % 3;
        for call in 0..wave {
            let (search_down, writes_down) = (is_down(&health.search), is_down(&health.writes));
            // A few calls fail on any day.
            let unlucky = (round * 7 + call) % 211 == 0;
            tokio::spawn(search(search_down || unlucky));
            if call % 3 == 0 {
                tokio::spawn(similar(search_down));
                tokio::spawn(put(writes_down));
                for collection in ["articles", "authors", "images"] {
                    let is_down = collection == "images" && is_down(&health.collection);
                    tokio::spawn(async move { count(collection, is_down).await });
                }
            }
            if call == 0 && round % 5 == 0 {
                tokio::spawn(remove(false));
                tokio::spawn(set_payload(unlucky));
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}
