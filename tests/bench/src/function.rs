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

pub const QUERY: &str = "a query";

/// The function.
#[inline]
pub async fn search(query: &str, limit: u32) -> Result<usize, SearchError> {
    find(query, limit)
}

/// Its body, and that of its annotated twins: as little as a function can do that fails when it is
/// told to.
#[inline]
pub fn find(query: &str, limit: u32) -> Result<usize, SearchError> {
    match limit {
        DOWN => Err(SearchError::Down),
        WRONG => Err(SearchError::Wrong),
        limit => Ok(query.len() + limit as usize),
    }
}
