//! A collection's rate limits, as one server counts them.

use std::time::Instant;

use tonic::{Code, Status};

use super::Collection;
use super::strict::StrictMode;
use crate::rate_limit::{Refusal, TokenBucket, rate_limited, whole_seconds};

/// The rate limit that a call is charged to.
#[derive(Clone, Copy)]
pub(super) enum Access {
    Read,
    Write,
}

/// The rate limits of a collection.
#[derive(Debug)]
pub(super) struct Limiter {
    /// Identifies the collection and its limits. See [`CollectionState`](super::state::CollectionState).
    made: u64,
    limited: u64,
    read: Option<TokenBucket>,
    write: Option<TokenBucket>,
    /// Whether this server has written to the collection. The first write is charged twice: Qdrant
    /// rejects its first clock tick, and the second attempt is charged as well.
    written: bool,
}

impl Limiter {
    pub(super) fn new(collection: &Collection, now: Instant) -> Self {
        let limits = collection.strict.as_ref();
        let bucket = |limit: Option<u32>| limit.map(|limit| TokenBucket::per_minute(limit, now));
        Self {
            made: collection.made,
            limited: collection.limited,
            read: bucket(limits.and_then(StrictMode::read_rate_limit)),
            write: bucket(limits.and_then(StrictMode::write_rate_limit)),
            written: false,
        }
    }

    /// Starts with full buckets if the collection was recreated, or if its limits were set.
    pub(super) fn keep_up(&mut self, collection: &Collection, now: Instant) {
        if (self.made, self.limited) != (collection.made, collection.limited) {
            let written = self.written && self.made == collection.made;
            *self = Self { written, ..Self::new(collection, now) };
        }
    }

    pub(super) fn charge(
        &mut self,
        access: Access,
        cost: usize,
        now: Instant,
    ) -> Result<(), Status> {
        match access {
            Access::Read => take(self.read.as_mut(), "Read", cost, now),
            Access::Write => {
                let first = !std::mem::replace(&mut self.written, true);
                take(self.write.as_mut(), "Write", cost, now)?;
                if first { take(self.write.as_mut(), "Write", cost, now) } else { Ok(()) }
            }
        }
    }

    /// Records a write that is not charged.
    pub(super) fn note_write(&mut self) {
        self.written = true;
    }
}

fn take(
    bucket: Option<&mut TokenBucket>,
    name: &str,
    cost: usize,
    now: Instant,
) -> Result<(), Status> {
    let Some(bucket) = bucket else {
        return Ok(());
    };
    // Reason: no request holds 2^53 points.
    #[allow(clippy::cast_precision_loss)]
    bucket.try_take(cost as f64, now).map_err(|refusal| refused(name, cost, &refusal))
}

fn refused(name: &str, cost: usize, refusal: &Refusal) -> Status {
    let prefix = format!("Rate limiting exceeded: {name} rate limit exceeded");
    match refusal {
        Refusal::LargerThanCapacity => Status::new(
            Code::ResourceExhausted,
            format!(
                "{prefix}, request larger than rate limiter capacity, please try to split your \
                 request"
            ),
        ),
        Refusal::Empty { available, retry_after } => {
            let seconds = whole_seconds(*retry_after);
            let message = format!(
                "{prefix}: Operation requires {cost} tokens but only {available:.1} were \
                 available. Retry after {seconds}s"
            );
            rate_limited(*retry_after, message)
        }
    }
}
