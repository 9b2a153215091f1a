//! Per-thread caches of recent look-ups.
//!
//! A look-up in memory that all threads write is twice as slow if two threads make it. So each
//! thread has a small table of its own: its lane. A breaker found there costs a lock and a
//! reference count that no other thread touches.
//!
//! Threads without a [number of their own](stripe) share lanes, which is correct but slower.

use std::mem;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::breaker::CircuitBreaker;
use crate::count::stripe;

/// How many breakers one remainder of their hashes has room for.
const WAYS: usize = 4;

/// How many remainders a lane distinguishes at first. It doubles them when the room of one is full,
/// and so grows with the number of breakers that its thread uses.
const FIRST_REMAINDERS: usize = 8;
const MOST_REMAINDERS: usize = 1024;

/// What a set keeps for each breaker.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) breaker: Arc<CircuitBreaker>,
    /// When it was last looked up: see [`KeyedBreakers`](super::KeyedBreakers).
    last_used: AtomicU64,
    /// The lanes that contain it, as bits. A bit is set under the locks of the set and of the lane.
    /// It is cleared when the lane no longer contains it, or is about to be searched for it.
    lanes: AtomicU32,
}

impl Entry {
    pub(super) fn new(breaker: CircuitBreaker) -> Self {
        let (last_used, lanes) = (AtomicU64::new(0), AtomicU32::new(0));
        Self { breaker: Arc::new(breaker), last_used, lanes }
    }

    pub(super) fn last_used(&self) -> u64 {
        // Relaxed, as below: it only decides which entry is evicted first.
        self.last_used.load(Ordering::Relaxed)
    }

    // Relaxed, as below: the locks order them.
    fn enter_lane(&self, number: usize) {
        self.lanes.fetch_or(1 << number, Ordering::Relaxed);
    }

    fn leave_lane(&self, number: usize) {
        self.lanes.fetch_and(!(1 << number), Ordering::Relaxed);
    }

    fn leave_all_lanes(&self) -> u32 {
        self.lanes.swap(0, Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn use_at(&self, now: u64) {
        // It is written once between two new keys, so that threads mostly share it for reading.
        if self.last_used() != now {
            self.last_used.store(now, Ordering::Relaxed);
        }
    }
}

/// A breaker that the calls of one thread share.
///
/// It has two cache lines of its own: its count changes with each call, and must not lie next to
/// what other threads read.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Handle {
    pub(super) breaker: Arc<CircuitBreaker>,
    entry: Arc<Entry>,
}

/// The lanes of a set, by the numbers of the threads.
pub(super) struct Lanes(Box<[Lane]>);

/// Two cache lines for each, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Lane(Mutex<Table>);

/// The breakers of a lane: some places for each remainder of their hashes. Empty until it is used.
#[derive(Default)]
struct Table {
    places: Vec<Place>,
    /// The last hash that was looked up and found no place.
    missed: u64,
}

/// Room for one breaker.
#[derive(Clone, Default)]
struct Place {
    hash: u64,
    handle: Option<Arc<Handle>>,
}

impl Place {
    fn has(&self, entry: &Arc<Entry>) -> bool {
        self.handle.as_ref().is_some_and(|handle| Arc::ptr_eq(&handle.entry, entry))
    }

    /// Takes up a breaker, in the lane of this number.
    fn fill(&mut self, hash: u64, entry: &Arc<Entry>, lane: usize) -> Arc<Handle> {
        entry.enter_lane(lane);
        self.hash = hash;
        let handle = Handle { breaker: Arc::clone(&entry.breaker), entry: Arc::clone(entry) };
        Arc::clone(self.handle.insert(Arc::new(handle)))
    }
}

impl Table {
    fn remainders(&self) -> usize {
        self.places.len() / WAYS
    }

    /// The index of the first place for this hash.
    #[inline]
    fn start(&self, hash: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are enough")]
        let remainder = hash as usize % self.remainders().max(1);
        remainder * WAYS
    }

    /// The places for this hash: none in an empty table.
    #[inline]
    fn at(&self, hash: u64) -> &[Place] {
        self.places.get(self.start(hash)..).and_then(|from| from.get(..WAYS)).unwrap_or_default()
    }

    fn at_mut(&mut self, hash: u64) -> &mut [Place] {
        let start = self.start(hash);
        let places = self.places.get_mut(start..).and_then(|from| from.get_mut(..WAYS));
        places.unwrap_or_default()
    }

    /// An empty place for this hash, if there is one or the table can grow as far as that.
    fn make_room(&mut self, hash: u64, most_remainders: usize) -> Option<&mut Place> {
        while self.at(hash).iter().all(|place| place.handle.is_some()) {
            let remainders = (2 * self.remainders()).max(FIRST_REMAINDERS);
            if remainders > most_remainders {
                return None;
            }
            self.grow(remainders);
        }
        self.at_mut(hash).iter_mut().find(|place| place.handle.is_none())
    }

    fn grow(&mut self, remainders: usize) {
        let places = mem::replace(&mut self.places, vec![Place::default(); remainders * WAYS]);
        for moved in places.into_iter().filter(|place| place.handle.is_some()) {
            // It is there: each remainder becomes two.
            if let Some(place) = self.make_room(moved.hash, remainders) {
                *place = moved;
            }
        }
    }
}

// Each lane has a bit.
const _: () = assert!(stripe::COUNT <= u32::BITS as usize);

impl Lanes {
    pub(super) fn new() -> Self {
        Self((0..stripe::COUNT).map(|_| Lane::default()).collect())
    }

    /// Returns the breaker of this name if this thread's lane contains it.
    #[inline]
    pub(super) fn get(&self, hash: u64, name: &str, now: u64) -> Option<Arc<Handle>> {
        let lane = self.0[stripe::get()].lock();
        let mut places = lane.at(hash).iter().filter(|place| place.hash == hash);
        let handle = places.find_map(|place| {
            place.handle.as_ref().filter(|handle| *handle.breaker.name() == *name)
        })?;
        handle.entry.use_at(now);
        Some(Arc::clone(handle))
    }

    /// Puts a breaker that is new into this thread's lane, if the lane has room. It does not grow for
    /// that: many a key comes once.
    pub(super) fn put_new(&self, hash: u64, entry: &Arc<Entry>) -> Option<Arc<Handle>> {
        let number = stripe::get();
        let mut lane = self.0[number].lock();
        let place = lane.make_room(hash, FIRST_REMAINDERS)?;
        Some(place.fill(hash, entry, number))
    }

    /// Puts a breaker that was not found there into this thread's lane. The set is locked, so that
    /// the breaker is not evicted meanwhile.
    ///
    /// If the lane is full, it replaces another one only if it was missed the last time too, and if
    /// no call holds the other one. So keys that come in turn with many others do not push out each
    /// other, and allocate nothing.
    pub(super) fn put(&self, hash: u64, entry: &Arc<Entry>) -> Option<Arc<Handle>> {
        let number = stripe::get();
        let mut lane = self.0[number].lock();
        if let Some(place) = lane.at(hash).iter().find(|place| place.has(entry)) {
            // Another thread of this lane was faster.
            return place.handle.clone();
        }
        if let Some(place) = lane.make_room(hash, MOST_REMAINDERS) {
            return Some(place.fill(hash, entry, number));
        }
        if mem::replace(&mut lane.missed, hash) != hash {
            return None;
        }
        let place = lane.at_mut(hash).first_mut()?;
        let other = Arc::get_mut(place.handle.as_mut()?)?;
        other.entry.leave_lane(number);
        place.handle = None;
        Some(place.fill(hash, entry, number))
    }

    /// Removes a breaker from all lanes. The caller holds the lock of the set, so that no lane gets
    /// it meanwhile. Calls of the lanes' threads may still hold it.
    pub(super) fn take_out(&self, hash: u64, entry: &Arc<Entry>) {
        let mut lanes = entry.leave_all_lanes();
        while lanes != 0 {
            let number = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let mut lane = self.0[number as usize].lock();
            if let Some(place) = lane.at_mut(hash).iter_mut().find(|place| place.has(entry)) {
                place.handle = None;
            }
        }
    }
}

impl Lane {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Table> {
        // A place is never half changed, so what a poisoned lock guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
