//! What the protocol keeps of a collection: its settings, its rate limits, its writes.

use qdrant_client::qdrant::{CreateCollection, StrictModeConfig};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::Access;
use crate::rate_limit::{Refusal, TokenBucket, come_back_in, whole_seconds};

/// The protocol's part of a collection.
#[derive(Default)]
pub(super) struct CollectionState {
    /// As the collection was made, and updated since.
    pub(super) settings: CreateCollection,
    read: Option<TokenBucket>,
    write: Option<TokenBucket>,
    operations: u64,
}

impl CollectionState {
    pub(super) fn new(settings: CreateCollection, now: Instant) -> Self {
        let mut state = Self { settings, ..Self::default() };
        state.refill(now);
        state
    }

    /// Changes what the update names. Rate limits start full, as in Qdrant.
    pub(super) fn update_strict_mode(&mut self, update: &StrictModeConfig, now: Instant) {
        let config = self.settings.strict_mode_config.get_or_insert_default();
        config.enabled = update.enabled.or(config.enabled);
        config.read_rate_limit = update.read_rate_limit.or(config.read_rate_limit);
        config.write_rate_limit = update.write_rate_limit.or(config.write_rate_limit);
        self.refill(now);
    }

    fn refill(&mut self, now: Instant) {
        let config =
            self.settings.strict_mode_config.as_ref().filter(|config| config.enabled == Some(true));
        let bucket = |limit: Option<u32>| limit.map(|limit| TokenBucket::per_minute(limit, now));
        self.read = bucket(config.and_then(|config| config.read_rate_limit));
        self.write = bucket(config.and_then(|config| config.write_rate_limit));
    }

    pub(super) fn charge(
        &mut self,
        access: Access,
        cost: usize,
        now: Instant,
    ) -> Result<(), Status> {
        let (bucket, name) = match access {
            Access::Read => (&mut self.read, "Read"),
            Access::Write => (&mut self.write, "Write"),
        };
        let Some(bucket) = bucket else {
            return Ok(());
        };
        // Reason: no request holds 2^53 points.
        #[allow(clippy::cast_precision_loss)]
        bucket.try_take(cost as f64, now).map_err(|refusal| refused(name, cost, &refusal))
    }

    pub(super) fn next_operation(&mut self) -> u64 {
        let operation = self.operations;
        self.operations += 1;
        operation
    }
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
            come_back_in(*retry_after, message)
        }
    }
}
