//! The breakers of a set: found by name, and examined one after the other for eviction.

use std::sync::Arc;

use hashbrown::HashTable;

use super::lanes::Entry;
use crate::breaker::BreakerCounts;

/// How many entries are examined together. The least recently used one of them is evicted.
const GROUP: usize = 16;

/// How many groups are examined at most. A new key must not cost more if there are more keys, even
/// if all of them are in use or open.
const GROUPS: usize = 8;

/// See the module.
#[derive(Default)]
pub(super) struct Entries {
    all: Vec<Hashed>,
    /// The places in `all`, by the hash of the name.
    places: HashTable<usize>,
    /// The place at which the next search begins.
    next: usize,
    /// What the breakers have counted that were evicted.
    evicted: BreakerCounts,
}

struct Hashed {
    hash: u64,
    entry: Arc<Entry>,
}

/// Whether an entry may be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    /// It is evicted only if no entry [`Goes`](Self::Goes).
    GoesLast,
    Goes,
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns what all breakers have counted, those that were evicted among them.
    #[cfg(feature = "metrics")]
    pub(super) fn counts(&self) -> BreakerCounts {
        let mut sum = self.evicted;
        self.iter().for_each(|entry| sum.add(&entry.breaker));
        sum
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.all.iter().map(|hashed| &*hashed.entry)
    }

    pub(super) fn find(&self, hash: u64, name: &str) -> Option<&Arc<Entry>> {
        let is_it = |place: &usize| {
            let of_place = &self.all[*place];
            of_place.hash == hash && *of_place.entry.breaker.name() == *name
        };
        self.places.find(hash, is_it).map(|place| &self.all[*place].entry)
    }

    /// Adds an entry. Its name must not be in the set.
    pub(super) fn insert(&mut self, hash: u64, entry: Arc<Entry>) {
        self.places.insert_unique(hash, self.all.len(), |place| self.all[*place].hash);
        self.all.push(Hashed { hash, entry });
    }

    /// Evicts the least recently used entry among those that it examines.
    ///
    /// It examines 16 entries, and takes the least recently used one of those that go. If none
    /// does, it examines the next 16, 128 in all at most, and then takes the least recently used
    /// one of those that go last.
    pub(super) fn evict(&mut self, fate: impl Fn(u64, &Arc<Entry>) -> Fate) -> Option<Arc<Entry>> {
        let mut last: Option<(u64, usize)> = None;
        let mut left = self.len().min(GROUPS * GROUP);
        while left > 0 {
            let mut places = [(0, 0); GROUP];
            let mut group = &mut places[..left.min(GROUP)];
            left -= group.len();
            group.fill_with(|| self.next());
            while let Some(oldest) = (0..group.len()).min_by_key(|at| group[*at]) {
                let (last_used, place) = group[oldest];
                let Hashed { hash, entry } = &self.all[place];
                match fate(*hash, entry) {
                    Fate::Goes => return self.take(place),
                    Fate::GoesLast if last.is_none_or(|last| last_used < last.0) => {
                        last = Some((last_used, place));
                    }
                    Fate::GoesLast | Fate::Stays => {}
                }
                group.swap(0, oldest);
                group = &mut group[1..];
            }
        }
        last.and_then(|(_, place)| self.take(place))
    }

    /// Returns when the next entry was last used, and its place.
    fn next(&mut self) -> (u64, usize) {
        let place = if self.next < self.len() { self.next } else { 0 };
        self.next = place + 1;
        (self.all[place].entry.last_used(), place)
    }

    /// Removes an entry, and moves the last one into its place.
    fn take(&mut self, place: usize) -> Option<Arc<Entry>> {
        let taken = self.all.swap_remove(place);
        self.places.find_entry(taken.hash, |at| *at == place).ok()?.remove();
        // Nothing refers to it any more, so that it counts nothing more.
        self.evicted.add(&taken.entry.breaker);
        let end = self.len();
        if let Some(moved) = self.all.get(place)
            && let Some(at) = self.places.find_mut(moved.hash, |at| *at == end)
        {
            *at = place;
        }
        Some(taken.entry)
    }
}
