//! This library, each way in which it can be used.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, CircuitBreaker, Policy, RetryPolicy, breaker, guard, policies, resilient,
};

use crate::candidate::{Candidate, Case};
use crate::function::{CLIENT, Client, SearchError, search};

/// Longer than any benchmark: an open breaker stays open.
pub const OPEN_DURATION: Duration = Duration::from_secs(3600);

policies! {
    breaker "search" { failure_threshold: 5, open_duration: "1h" }
    breaker "keyed/{client.collection}" { failure_threshold: 5, open_duration: "1h" }
    // Every second call of a benchmark may fail: none of these opens by that.
    breaker "window of calls" { window: 100, failure_rate: 1.0 }
    breaker "window of time" { window: "60s", failure_rate: 1.0 }
    breaker "slow calls" { window: 100, failure_rate: 1.0, slow_call_duration: "2s" }
}

#[resilient(retry = "auto", breaker = "search")]
async fn retry_and_breaker(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

async fn guarded(client: &Client, limit: u32) -> Result<usize, SearchError> {
    guard!(retry = "auto", breaker = "search"; client.answer(limit)).await
}

#[resilient(breaker = "search")]
async fn breaker_alone(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

#[resilient(breaker = "window of calls")]
async fn window_of_calls(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

#[resilient(breaker = "window of time")]
async fn window_of_time(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

#[resilient(breaker = "slow calls")]
async fn slow_calls(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

#[resilient(retry = "auto")]
async fn retry_alone(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

#[resilient(retry = "auto", breaker = "search", attempt_timeout = "2s")]
async fn attempt_timeout(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

#[resilient(retry = "auto", breaker = "keyed/{client.collection}")]
async fn keyed(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

#[resilient(breaker = "hit/{key}")]
async fn hit(key: u32, limit: u32) -> Result<usize, SearchError> {
    CLIENT.answer(limit.max(key % 2)).await
}

#[resilient(breaker(name = "new/{key}", max_keys = 1_000))]
async fn new_of_1000(key: u32, limit: u32) -> Result<usize, SearchError> {
    CLIENT.answer(limit.max(key % 2)).await
}

#[resilient(breaker(name = "new one/{key}", max_keys = 50_000))]
async fn new_of_50000(key: u32, limit: u32) -> Result<usize, SearchError> {
    CLIENT.answer(limit.max(key % 2)).await
}

/// Calls through breakers that are there, of so many keys in turn.
#[must_use]
pub fn keyed_hits() -> Vec<Candidate> {
    let of = |name, keys| {
        let caller = move || {
            let mut key = 0;
            move |limit| {
                key = (key + 1) % keys;
                hit(key, limit)
            }
        };
        Candidate::new(name, Case::Success, caller)
    };
    let all = vec![of("one key", 1), of("20 keys", 20), of("1,000 keys", 1_000)];
    for candidate in &all {
        candidate.run(2_000);
    }
    all
}

/// Calls of which each has a new key, through sets that are full.
#[must_use]
pub fn new_keys() -> Vec<Candidate> {
    macro_rules! of {
        ($name:literal, $size:literal, $function:ident) => {{
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let caller = || |limit| $function(NEXT.fetch_add(1, Ordering::Relaxed), limit);
            let candidate = Candidate::new($name, Case::Success, caller);
            candidate.run($size);
            candidate
        }};
    }
    vec![
        of!("a new key, 1,000 keys", 1_000, new_of_1000),
        of!("a new key, 50,000 keys", 50_000, new_of_50000),
    ]
}

/// Brings a breaker into the state that the case begins with.
fn set_up(breaker: &CircuitBreaker, case: Case) {
    breaker.reset();
    if case == Case::Rejection {
        while let Ok(permit) = breaker.acquire() {
            permit.failure();
        }
    }
}

pub fn candidates(case: Case) -> Vec<Candidate> {
    macro_rules! attribute {
        ($name:literal, $function:ident) => {
            Candidate::new($name, case, || |limit| $function(&CLIENT, limit))
        };
    }
    // A template's breaker is there once it was asked for.
    let _ = crate::drive(keyed(&CLIENT, 2));
    for name in ["search", "keyed/docs"] {
        set_up(&breaker(name).expect("it is declared, or was asked for"), case);
    }

    let config = BreakerConfig::builder().failure_threshold(5).open_duration(OPEN_DURATION);
    let config = config.build().expect("the numbers are in range");
    let breaker: &CircuitBreaker = Box::leak(Box::new(CircuitBreaker::named("by hand", config)));
    set_up(breaker, case);
    let policy = Policy::builder("by hand").retry(RetryPolicy::DEFAULT).breaker(breaker).build();
    let policy: &Policy = Box::leak(Box::new(policy.expect("the settings go together")));

    let retry_alone = || attribute!("`retry`", retry_alone);
    let behind_breaker = || {
        vec![
            attribute!("`breaker`", breaker_alone),
            Candidate::new("`CircuitBreaker::call`", case, move || {
                move |limit| breaker.call(move || search(&CLIENT, limit))
            }),
        ]
    };
    let windows = || {
        vec![
            attribute!("`breaker`, `window = 100`", window_of_calls),
            attribute!("`breaker`, `window = \"60s\"`", window_of_time),
            attribute!("`breaker`, `window = 100`, `slow_call_duration`", slow_calls),
        ]
    };
    let both = || {
        vec![
            attribute!("`retry` and `breaker`", retry_and_breaker),
            attribute!("`guard!`, `retry` and `breaker`", guarded),
            attribute!("`retry`, `breaker`, `attempt_timeout`", attempt_timeout),
            attribute!("`retry` and `breaker` by a value", keyed),
            Candidate::new("`Policy::run`, retry and breaker", case, move || {
                move |limit| policy.run(move || search(&CLIENT, limit))
            }),
        ]
    };
    match case {
        Case::Success | Case::Neutral => {
            let mut all = both();
            all.push(retry_alone());
            all.extend(behind_breaker());
            all.extend(windows());
            all
        }
        Case::Rejection => both().into_iter().chain(behind_breaker()).collect(),
        // Those that retry would wait for it.
        Case::Failure => behind_breaker().into_iter().chain(windows()).collect(),
    }
}
