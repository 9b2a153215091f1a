//! The function that every candidate calls.

use resilient_runtime::{Classify, Rejection};

/// What it fails by. One of its variants is the rejection by a policy, as in a service.
#[derive(Debug, thiserror::Error, Classify)]
pub enum SearchError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Where a peer asks for an error to reject by.
    #[error("rejected")]
    #[classify(kind = "circuit_open", maybe_executed = false)]
    RejectedByPeer,
    #[error("the service is down")]
    #[classify(kind = "service_unavailable")]
    Down,
    #[error("the query is wrong")]
    #[classify(kind = "invalid_request_error", maybe_executed = false)]
    Wrong,
}

impl SearchError {
    /// What peers are told to retry, and to count as a failure.
    pub fn is_transient(&self) -> bool {
        self.kind().is_transient()
    }
}

/// The limits by which [`search`] fails.
pub const DOWN: u32 = 0;
pub const WRONG: u32 = 1;
/// One by which it succeeds.
pub const FOUND: u32 = 10;

/// What the function borrows, as that of a service does its client.
pub struct Client {
    pub collection: &'static str,
    size: usize,
}

pub static CLIENT: Client = Client { collection: "docs", size: 100 };

/// The function. As one that asks a service, it waits for another future; this one is ready at
/// once.
#[inline]
pub async fn search(client: &Client, limit: u32) -> Result<usize, SearchError> {
    client.answer(limit).await
}

impl Client {
    /// What the function awaits, and so its annotated twins: as little as a service can do that
    /// fails when it is told to.
    #[expect(clippy::unused_async, reason = "it stands for a function that waits")]
    #[inline]
    pub async fn answer(&self, limit: u32) -> Result<usize, SearchError> {
        match limit {
            DOWN => Err(SearchError::Down),
            WRONG => Err(SearchError::Wrong),
            limit => Ok(self.size.min(limit as usize)),
        }
    }
}
