//! The state of a collection that the protocol adds: its settings, its indexes, its writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qdrant_client::qdrant::{CreateCollection, UpdateCollection};

use super::index::Indexes;
use super::settings;

/// The state of a collection that its store does not hold.
#[derive(Default)]
pub(crate) struct CollectionState {
    /// The settings with which the collection was created, including later updates.
    pub(super) settings: CreateCollection,
    pub(super) indexes: Arc<Indexes>,
    /// Distinguishes this collection from an earlier one of the same name.
    pub(super) made: u64,
    /// Changes whenever the rate limits are set, since buckets start full then.
    pub(super) limited: u64,
    operations: u64,
}

impl CollectionState {
    pub(super) fn new(settings: CreateCollection) -> Self {
        Self { settings, made: unique(), limited: unique(), ..Self::default() }
    }

    /// Changes the settings that the update sets.
    pub(super) fn update(&mut self, update: UpdateCollection) {
        if update.strict_mode_config.is_some() {
            self.limited = unique();
        }
        settings::update(&mut self.settings, update);
    }

    pub(super) fn next_operation(&mut self) -> u64 {
        let operation = self.operations;
        self.operations += 1;
        operation
    }
}

/// Returns a new number on each call. It is never 0, which stands for a collection that was not
/// created through a server.
fn unique() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    // Relaxed: nothing else depends on the order.
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
