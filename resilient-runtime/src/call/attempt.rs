//! What the body of an annotated function can know about its attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::timed::RanOut;

/// One attempt of a call: its number, how long it may take, and whether it sends anything.
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
///
/// It refers to its call, and is cheap to clone. In [`Policy::run_with`](crate::Policy::run_with), it
/// is an `Attempt<'static>`.
#[derive(Clone, Debug)]
pub struct Attempt<'c> {
    current: CurrentAttempt,
    mark: Mark<'c>,
}

/// Where an attempt says that it has sent nothing.
#[derive(Clone, Debug)]
enum Mark<'c> {
    /// In the function that the attribute has generated.
    InCall(&'c NothingSent),
    /// The future of an operation cannot refer to the call that makes it.
    Shared(Arc<NothingSent>),
}

/// One attempt, as its call knows it. Unlike [`Attempt`], it does not refer to the call, and every
/// call with a time limit makes one.
#[derive(Clone, Copy, Debug)]
pub struct CurrentAttempt {
    pub(super) number: u32,
    pub(super) is_last: bool,
    pub(super) until: Option<Instant>,
    /// Which limit that is.
    pub(super) ran_out: RanOut,
}

impl CurrentAttempt {
    /// The same attempt, as the body knows it.
    #[inline]
    #[must_use]
    pub const fn known_to_body(self, nothing_sent: &NothingSent) -> Attempt<'_> {
        Attempt { current: self, mark: Mark::InCall(nothing_sent) }
    }

    /// The same attempt, as an operation knows it.
    pub(crate) fn known_to_operation(self, nothing_sent: &Arc<NothingSent>) -> Attempt<'static> {
        Attempt { current: self, mark: Mark::Shared(Arc::clone(nothing_sent)) }
    }
}

/// The number of the last attempt that has sent nothing, by its own account; 0 if there is none.
///
/// It is beside the call, not in it: only a call whose body knows its attempt has one. It is the
/// number, so that the next attempt begins without a mark.
#[derive(Debug, Default)]
pub struct NothingSent(AtomicU32);

impl NothingSent {
    /// No attempt has said so.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Whether this attempt has sent nothing.
    #[inline]
    pub(crate) fn is_by(&self, attempt: u32) -> bool {
        // Relaxed, here and below: whoever sets it is polled by the call, or joined by it.
        self.0.load(Ordering::Relaxed) == attempt
    }

    fn set(&self, attempt: u32) {
        // The greatest: a clone of an earlier attempt must not erase the mark of the current one.
        self.0.fetch_max(attempt, Ordering::Relaxed);
    }
}

impl Attempt<'_> {
    /// Returns the number of the attempt in its call. The first is 1.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.current.number
    }

    /// Returns whether no attempt can follow, as far as that is known in advance: it is the last
    /// that the row allows, or probes a half-open breaker. With `retry = "auto"`, the row is known
    /// only once the attempt has failed, so this refers to the row with the most attempts.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.current.is_last
    }

    /// Returns how long until the attempt ends, by its own timeout, by the deadline of the call or by
    /// that of the request, which [`within`](crate::within()) sets. `None` if it has none of them.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.current.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Returns [`time_left`](Self::time_left) as Qdrant takes it: in whole seconds, rounded up, and
    /// at least 1.
    #[must_use]
    pub fn seconds_left(&self) -> Option<u64> {
        self.time_left()
            .map(|left| left.as_millis().div_ceil(1000))
            .map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX).max(1))
    }

    /// Says that this attempt sends no request. If it succeeds, that says nothing about the server:
    /// the breaker counts it as [ignored](crate::Permit::ignore), a probe releases its slot, and the
    /// retry budget gets no refund. An error counts as usual.
    ///
    /// In a call that is [part of an outer one](crate::guide::breakers#calls-inside-a-call) through
    /// the same breaker, this has no effect for the breaker, which counts only the outer call. If
    /// that sends nothing, the outer function must say so itself.
    ///
    /// Call it where a function returns early. Otherwise two empty upserts close a half-open breaker
    /// while the server is still down.
    ///
    /// ```standalone_crate
    /// use qdrant_client::qdrant::{PointStruct, UpsertPointsBuilder};
    /// use qdrant_client::{Qdrant, QdrantError};
    /// use resilient_runtime::resilient;
    ///
    /// #[resilient(retry = "auto", breaker = "writes", attempt = ctx)]
    /// async fn upsert(client: &Qdrant, points: Vec<PointStruct>) -> Result<(), QdrantError> {
    ///     if points.is_empty() {
    ///         ctx.nothing_sent();
    ///         return Ok(());
    ///     }
    ///     client.upsert_points(UpsertPointsBuilder::new("docs", points).wait(true)).await?;
    ///     Ok(())
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = Qdrant::from_url("http://localhost:6334").skip_compatibility_check().build()?;
    /// upsert(&client, Vec::new()).await?;
    /// let totals = resilient_runtime::breaker("writes").unwrap().stats().totals;
    /// assert_eq!((totals.successes, totals.ignored), (0, 1));
    /// # Ok::<(), QdrantError>(()) }).unwrap();
    /// ```
    pub fn nothing_sent(&self) {
        let nothing_sent = match &self.mark {
            Mark::InCall(nothing_sent) => nothing_sent,
            Mark::Shared(nothing_sent) => &**nothing_sent,
        };
        nothing_sent.set(self.current.number);
    }
}
