//! What the body of an annotated function can know about its attempt.

use std::time::Duration;

use tokio::time::Instant;

/// One attempt of a call: its number, and how long it may take.
///
/// `attempt = ctx` in `#[resilient]` gives it to the body, which can pass the time on to the
/// server, so that the server stops working on a search when the caller stops waiting for it:
///
/// ```
/// use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
/// use qdrant_client::{Qdrant, QdrantError};
/// use resilient_runtime::resilient;
///
/// // The client's own timeout is below the 2 seconds, so that it replaces a dead connection.
/// #[resilient(retry = "auto", attempt_timeout = "2s", deadline = "10s", attempt = ctx)]
/// async fn search(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
///     let mut query = QueryPointsBuilder::new("docs").query(vector).limit(10);
///     if let Some(seconds) = ctx.seconds_left() {
///         query = query.timeout(seconds);
///     }
///     client.query(query).await
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    number: u32,
    is_last: bool,
    until: Option<Instant>,
}

impl Attempt {
    pub(crate) const fn new(number: u32, is_last: bool, until: Option<Instant>) -> Self {
        Self { number, is_last, until }
    }

    pub(crate) const fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Returns the number of the attempt in its call. The first is 1.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Returns whether no attempt can follow, as far as that is known in advance: it is the last
    /// that the row allows, or probes a half-open breaker. With `retry = "auto"`, the row is known
    /// only once the attempt has failed, so this refers to the row with the most attempts.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.is_last
    }

    /// Returns how long until the attempt ends, by its own timeout or by the deadline of the call.
    /// `None` if it has neither.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Returns [`time_left`](Self::time_left) as Qdrant takes it: in whole seconds, rounded up, and
    /// at least 1.
    #[must_use]
    pub fn seconds_left(&self) -> Option<u64> {
        self.time_left()
            .map(|left| left.as_millis().div_ceil(1000))
            .map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX).max(1))
    }
}
