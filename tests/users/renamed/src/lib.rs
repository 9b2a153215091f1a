//! A crate that knows the runtime by another name.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub, unused_lifetimes)]
#![deny(unused_qualifications, unused_results, single_use_lifetimes, let_underscore_drop)]
#![deny(clippy::all, clippy::pedantic)]

use std::sync::atomic::{AtomicU32, Ordering};

use resilience::{Classify, Rejection, resilient};

/// An error of this crate.
#[derive(Debug, thiserror::Error, Classify)]
#[classify(crate = resilience)]
pub enum Error {
    /// A policy ended the call.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The server is down.
    #[error("the server is down")]
    #[classify(kind = "service_unavailable")]
    Down,
}

/// What is asked.
#[derive(Debug, Default)]
pub struct Store(AtomicU32);

impl Store {
    fn ask(&self) -> Result<u32, Error> {
        let attempt = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if attempt < 3 { Err(Error::Down) } else { Ok(attempt) }
    }
}

const ATTEMPTS: u32 = 4;

mod limits {
    use std::time::Duration;

    pub(super) const WINDOW: Duration = Duration::from_secs(60);
    pub(super) const BASE_DELAY: Duration = Duration::from_millis(1);
    pub(super) const DEADLINE: Duration = Duration::from_secs(10);
}

/// A free function.
///
/// # Errors
///
/// Where the store is down.
#[resilient(
    crate = resilience,
    retry(row = "rate_limit_error", max_attempts = ATTEMPTS, base_delay = limits::BASE_DELAY, max_delay = "1s", backoff = "linear"),
    breaker(name = "renamed", window = limits::WINDOW, failure_threshold = 3, scope = "attempt"),
    deadline = limits::DEADLINE,
)]
pub async fn ask(store: &Store, more: Vec<u32>) -> Result<u32, Error> {
    Ok(store.ask()? + more.iter().sum::<u32>())
}

#[resilient(crate = ::resilience, retry = "auto", breaker = "renamed block")]
impl Store {
    /// A method.
    ///
    /// # Errors
    ///
    /// Where the store is down.
    pub async fn count(&self) -> Result<u32, Error> {
        self.ask()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_renamed_runtime_serves() {
        assert_eq!(ask(&Store::default(), vec![1, 2]).await.unwrap(), 6);
        assert_eq!(Store::default().count().await.unwrap(), 3);
        assert!(resilience::breaker("renamed").is_some());
    }
}
