//! What each thread has looked up lately.
//!
//! A look-up in memory that all threads write is twice as slow when two threads make it. So each
//! thread has a small table of its own: its lane. A breaker that is found there costs a lock and a
//! reference count that no other thread touches.
//!
//! Threads that have no [number of their own](thread_number) share lanes, which is correct and
//! slower.

use std::mem;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::CircuitBreaker;
use crate::breaker::thread_number;

/// How many breakers a lane has at most: one for each remainder of their hashes.
const PLACES: usize = 64;

/// What a set knows of one of its breakers.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) breaker: Arc<CircuitBreaker>,
    /// When it was looked up last: see [`KeyedBreakers`](super::KeyedBreakers).
    last_used: AtomicU64,
    /// The lanes that have it, as bits. A bit is set under the locks of the set and of the lane. It
    /// is cleared when the lane has it no more, or is about to be searched for it.
    lanes: AtomicU32,
}

impl Entry {
    pub(super) fn new(breaker: CircuitBreaker) -> Self {
        let (last_used, lanes) = (AtomicU64::new(0), AtomicU32::new(0));
        Self { breaker: Arc::new(breaker), last_used, lanes }
    }

    pub(super) fn last_used(&self) -> u64 {
        // Relaxed, as below: a figure that decides only which one is evicted first.
        self.last_used.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn use_at(&self, now: u64) {
        // It is written once between two new keys: threads that only read it share it.
        if self.last_used() != now {
            self.last_used.store(now, Ordering::Relaxed);
        }
    }
}

/// A breaker, as the calls of one thread share it.
///
/// It has two cache lines for itself: its count changes with each call, and must not lie beside
/// what other threads read.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Handle {
    pub(super) breaker: Arc<CircuitBreaker>,
    entry: Arc<Entry>,
}

/// The lanes of a set, by the numbers of the threads.
pub(super) struct Lanes(Box<[Lane]>);

/// Two cache lines for each, since processors fetch them in pairs. Empty until it is used.
#[derive(Default)]
#[repr(align(128))]
struct Lane(Mutex<Vec<Place>>);

/// Room for one breaker.
#[derive(Clone, Default)]
struct Place {
    handle: Option<Arc<Handle>>,
    /// The hash that was looked up here last and not found.
    missed: u64,
}

impl Place {
    fn has(&self, entry: &Arc<Entry>) -> Option<&Arc<Handle>> {
        self.handle.as_ref().filter(|handle| Arc::ptr_eq(&handle.entry, entry))
    }
}

// Each lane has a bit.
const _: () = assert!(thread_number::COUNT <= u32::BITS as usize);

impl Lanes {
    pub(super) fn new() -> Self {
        Self((0..thread_number::COUNT).map(|_| Lane::default()).collect())
    }

    /// The breaker of this name, if this thread's lane has it.
    #[inline]
    pub(super) fn get(&self, hash: u64, name: &str, now: u64) -> Option<Arc<Handle>> {
        let lane = self.0[thread_number::get()].lock();
        let handle = lane.get(index(hash))?.handle.as_ref()?;
        if *handle.breaker.name() != *name {
            return None;
        }
        handle.entry.use_at(now);
        Some(Arc::clone(handle))
    }

    /// Puts a breaker that was not found there into this thread's lane. The set is locked, so that
    /// the breaker is not evicted meanwhile.
    ///
    /// It replaces another one only if it was missed there the last time too, and if no call holds
    /// the other one. So keys that come once, or in turn with many others, do not push out each
    /// other, and a lane whose places are full allocates nothing.
    pub(super) fn put(&self, hash: u64, entry: &Arc<Entry>) -> Option<Arc<Handle>> {
        let number = thread_number::get();
        let mut lane = self.0[number].lock();
        if lane.is_empty() {
            lane.resize(PLACES, Place::default());
        }
        let place = &mut lane[index(hash)];
        if let Some(handle) = place.has(entry) {
            // Another thread of this lane was faster.
            return Some(Arc::clone(handle));
        }
        let handle = || Handle { breaker: Arc::clone(&entry.breaker), entry: Arc::clone(entry) };
        let bit = 1 << number;
        // Relaxed, as below: the locks order them.
        let handle = match &mut place.handle {
            empty @ None => empty.insert(Arc::new(handle())),
            Some(_) if mem::replace(&mut place.missed, hash) != hash => return None,
            Some(other) => {
                let other_handle = Arc::get_mut(other)?;
                other_handle.entry.lanes.fetch_and(!bit, Ordering::Relaxed);
                *other_handle = handle();
                other
            }
        };
        entry.lanes.fetch_or(bit, Ordering::Relaxed);
        Some(Arc::clone(handle))
    }

    /// Takes a breaker out of all lanes. The set is locked, so that no lane gets it meanwhile. Calls
    /// of the lanes' threads may still hold it.
    pub(super) fn take_out(&self, hash: u64, entry: &Arc<Entry>) {
        let mut lanes = entry.lanes.swap(0, Ordering::Relaxed);
        while lanes != 0 {
            let number = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let mut lane = self.0[number as usize].lock();
            if let Some(place) = lane.get_mut(index(hash))
                && place.has(entry).is_some()
            {
                place.handle = None;
            }
        }
    }
}

#[inline]
fn index(hash: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
    let index = (hash % PLACES as u64) as usize;
    index
}

impl Lane {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Vec<Place>> {
        // A place is never half changed: what a panic of another thread leaves is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
