//! How many streams may be open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The places of the streams that are open.
///
/// A stream is short: see [`LIFETIME`](super::stream). A stream whose reader has stopped reading
/// cannot be ended, so its place is free when its time is over, and it only counts among the stuck ones.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    last: u64,
    /// When the time of each stream is over.
    until: BTreeMap<u64, Instant>,
}

/// The place of one stream. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    id: u64,
}

impl Slots {
    /// The most streams whose time is not over. Each browser tab with the page has one.
    pub(super) const MOST: usize = 64;

    /// The most streams, with those whose readers have stopped reading. It bounds what these hold.
    const MOST_WITH_STUCK: usize = 4 * Self::MOST;

    /// Takes a place for this time. `None` if there is none.
    pub(super) fn take(self: &Arc<Self>, time: Duration) -> Option<Slot> {
        let now = Instant::now();
        let mut taken = self.lock();
        let active = taken.until.values().filter(|until| **until > now).count();
        if active >= Self::MOST || taken.until.len() >= Self::MOST_WITH_STUCK {
            return None;
        }
        taken.last += 1;
        let id = taken.last;
        taken.until.insert(id, now + time);
        Some(Slot { slots: Arc::clone(self), id })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().until.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_reader_loses_its_place_and_still_counts() {
        let slots = Arc::new(Slots::default());
        let stuck = |_| slots.take(Duration::ZERO).unwrap();
        let stuck: Vec<_> = (0..Slots::MOST_WITH_STUCK - 1).map(stuck).collect();
        let active = slots.take(Duration::from_secs(60)).unwrap();
        assert!(slots.take(Duration::ZERO).is_none());
        drop(stuck);
        assert_eq!(slots.lock().until.len(), 1);
        drop(active);
        assert!(slots.lock().until.is_empty());
    }
}
