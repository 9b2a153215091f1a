//! What the body of an annotated function may know of the attempt that it is.

use std::time::Duration;

use tokio::time::Instant;

/// One attempt of a call: which it is, and how long it may take.
///
/// `attempt = ctx` in `#[resilient]` gives it to the body, which can hand the time on to the
/// server, so that a search is not worked on for longer than anybody waits for it:
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

    /// Which attempt of its call it is: the first is 1.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Whether no attempt can follow, as far as that is known before: it is the last that the row
    /// allows, or probes a half-open breaker. With `retry = "auto"` the row is known only once the
    /// attempt has failed, and this speaks of the one with the most attempts.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.is_last
    }

    /// How long until the attempt is ended, by its own timeout or by the deadline of the call. None
    /// where there is neither.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// [`time_left`](Self::time_left) as Qdrant takes it: in whole seconds, rounded up, and 1 at
    /// least.
    #[must_use]
    pub fn seconds_left(&self) -> Option<u64> {
        self.time_left()
            .map(|left| left.as_millis().div_ceil(1000))
            .map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX).max(1))
    }
}
