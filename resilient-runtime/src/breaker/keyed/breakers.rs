//! Breakers by a value of the arguments: one for each collection, tenant, shard.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, PoisonError, RwLock};

use super::entries::{Entries, Fate};
use super::lanes::{Entry, Handle, Lanes};
use super::live_config::KeyedConfig;
use crate::BreakerConfig;
#[cfg(feature = "metrics")]
use crate::breaker::BreakerCounts;
use crate::breaker::CircuitBreaker;
use crate::error::BreakerState;
use crate::event::{self, Event};
use crate::live::Live;

/// Circuit breakers by name, each created at its first use, and bounded in number. This is what
/// `breaker = "search/{collection}"` looks up, for code that cannot carry an attribute.
///
/// If there are `max_keys` of them, a new one evicts another:
///
/// - A breaker that a call holds, or that the program holds otherwise, is never evicted: as long as
///   anything refers to it, it is the breaker of its name. Nor is a breaker that
///   [`force_open`](CircuitBreaker::force_open), [`force_closed`](CircuitBreaker::force_closed) or
///   [`disable`](CircuitBreaker::disable) holds in its state. If all are of these, there are more
///   than `max_keys` until some are not.
/// - Of the others, the least recently used closed one is evicted.
/// - If none of them is closed, the least recently used one is evicted, with a warning event.
///
/// A new key examines only some of the breakers, so that it costs the same for any number of keys:
/// the order of use holds among 16 of them, and up to 128 are searched for a closed one. Each new
/// key continues after those that the last one has examined. Breakers that were used since the last
/// new key are equally recent.
///
/// ```
/// use resilient_runtime::{BreakerConfig, KeyedBreakers};
///
/// let shards = KeyedBreakers::new(BreakerConfig::DEFAULT, 100);
/// shards.get("shard/7").force_open();
/// assert!(shards.get("shard/7").acquire().is_err());
/// assert!(shards.get("shard/8").acquire().is_ok());
/// assert_eq!(shards.all().len(), 2);
/// ```
pub struct KeyedBreakers {
    config: Live<KeyedConfig>,
    hasher: RandomState,
    /// A logical time for the order of uses. It advances with each new key.
    now: AtomicU64,
    lanes: Lanes,
    entries: Apart<RwLock<Entries>>,
}

/// On cache lines of its own, away from what all threads read: each look-up in the set writes the
/// lock.
#[repr(align(128))]
struct Apart<T>(T);

impl KeyedBreakers {
    /// The default limit on the number of breakers: 1,000. Each takes 640 bytes or less while few
    /// calls use it. A breaker that several threads use often takes 3 KiB more, and a window takes
    /// its own memory.
    pub const DEFAULT_MAX_KEYS: u32 = 1000;

    /// Creates an empty set. Each breaker has this `config`, and a new one evicts another if there
    /// are `max_keys` of them. There is always room for one.
    #[must_use]
    pub fn new(config: BreakerConfig, max_keys: u32) -> Self {
        Self {
            config: Live::new(KeyedConfig::new(config, max_keys)),
            hasher: RandomState::new(),
            now: AtomicU64::new(0),
            lanes: Lanes::new(),
            entries: Apart(RwLock::default()),
        }
    }

    /// Returns the breaker of this name, which events and rejections carry. It is made if it does
    /// not exist. Otherwise nothing is allocated, except for the first times that a thread looks
    /// it up, and after it was examined for eviction.
    #[must_use]
    pub fn get(&self, name: &str) -> Arc<CircuitBreaker> {
        self.hold(name).shared()
    }

    /// Returns the breaker of this name if it exists. This does not count as a use for eviction,
    /// but the breaker is not evicted while the caller holds it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Arc<CircuitBreaker>> {
        let entries = self.entries.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.find(self.hash(name), name).map(|entry| Arc::clone(&entry.breaker))
    }

    /// Returns the breaker of this name. If it does not exist, it is made, but only if that evicts
    /// no other. Otherwise `None`.
    pub(crate) fn get_if_room(&self, name: &str) -> Option<Arc<CircuitBreaker>> {
        self.find(name).or_else(|| self.has_room().then(|| self.get(name)))
    }

    fn has_room(&self) -> bool {
        let entries = self.entries.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.len() < self.config.current().most()
    }

    /// Returns every breaker that exists, ordered by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<CircuitBreaker>> {
        let entries = self.entries.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = entries.iter().map(|entry| Arc::clone(&entry.breaker)).collect();
        drop(entries);
        all.sort_by(|one, other| one.name().cmp(other.name()));
        all
    }

    /// Returns every breaker that exists, and what all that ever were have counted, at one time.
    #[cfg(feature = "metrics")]
    pub(crate) fn counted(&self) -> (Vec<Arc<CircuitBreaker>>, BreakerCounts) {
        let entries = self.entries.0.read().unwrap_or_else(PoisonError::into_inner);
        let all = entries.iter().map(|entry| Arc::clone(&entry.breaker)).collect();
        (all, entries.counts())
    }

    /// Returns how the breakers are configured in source.
    pub(crate) const fn source_config(&self) -> &KeyedConfig {
        self.config.source()
    }

    /// Returns how the breakers are configured now.
    pub(crate) fn config(&self) -> KeyedConfig {
        self.config.current().clone()
    }

    /// Replaces the configuration, of breakers that exist too. The caller ensures that nothing else
    /// replaces it at the same time.
    pub(crate) fn set_config(&self, config: KeyedConfig) {
        self.config.set(config);
        let config = self.config.current();
        for breaker in self.all() {
            breaker.set_config(config.of(breaker.name()));
        }
    }

    /// Names come from callers, so the hash must not be predictable. Only the name is hashed, so it
    /// needs no terminator.
    #[inline]
    fn hash(&self, name: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(name.as_bytes());
        hasher.finish()
    }

    /// Returns the breaker of this name, held for one call.
    #[inline]
    pub(crate) fn hold(&self, name: &str) -> Held {
        let hash = self.hash(name);
        // Relaxed: see `Entry::last_used`.
        let now = self.now.load(Ordering::Relaxed);
        match self.lanes.get(hash, name, now) {
            Some(handle) => Held::OfThread(handle),
            None => self.look_up(hash, name, now),
        }
    }

    #[inline(never)]
    fn look_up(&self, hash: u64, name: &str, now: u64) -> Held {
        let entries = self.entries.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.find(hash, name) {
            entry.use_at(now);
            // Under the lock: an entry that is evicted is in no lane.
            return self.put(hash, entry);
        }
        drop(entries);
        self.make(hash, name)
    }

    /// Holds the breaker of an entry for a call of this thread. The set is locked.
    fn put(&self, hash: u64, entry: &Arc<Entry>) -> Held {
        Self::held(self.lanes.put(hash, entry), entry)
    }

    /// A breaker that this thread's lane has, or that all threads share.
    fn held(handle: Option<Arc<Handle>>, entry: &Arc<Entry>) -> Held {
        handle.map_or_else(|| Held::Shared(Arc::clone(&entry.breaker)), Held::OfThread)
    }

    #[cold]
    fn make(&self, hash: u64, name: &str) -> Held {
        // Memory is allocated and freed outside of the lock.
        let made = CircuitBreaker::new(self.config.source().config).with_name(name);
        let made = Arc::new(Entry::new(made));
        let mut evicted = [None, None];
        let mut entries = self.entries.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.find(hash, name) {
            return self.put(hash, entry);
        }
        // Under the lock: settings that change later find the breaker in the set.
        let config = self.config.current();
        made.breaker.set_config(config.of(name));
        // At most two, so that a set that had to grow shrinks again.
        for evicted in &mut evicted {
            if entries.len() < config.most() {
                break;
            }
            *evicted = entries.evict(|hash, entry| self.fate(hash, entry));
        }
        // Its last use is after all uses so far, and before all later ones.
        made.use_at(self.now.fetch_add(2, Ordering::Relaxed) + 1);
        let held = Self::held(self.lanes.put_new(hash, &made), &made);
        entries.insert(hash, made);
        drop(entries);
        // After the lock is released: a subscriber may look up breakers.
        for evicted in evicted.into_iter().flatten() {
            let status = evicted.breaker.status();
            if status.state() != BreakerState::Closed {
                event::emit(&Event::Evicted { breaker: evicted.breaker.name(), status });
            }
        }
        held
    }

    /// Whether an entry may be evicted. The set is locked.
    fn fate(&self, hash: u64, entry: &Arc<Entry>) -> Fate {
        let breaker = &entry.breaker;
        if breaker.is_forced() {
            return Fate::Stays;
        }
        self.lanes.take_out(hash, entry);
        if Arc::strong_count(breaker) > 1 {
            return Fate::Stays;
        }
        // The last holder may have moved the breaker before it released it. Acquire: that move is
        // visible now, and nothing can move the breaker any more.
        fence(Ordering::Acquire);
        match breaker.state() {
            _ if breaker.is_forced() => Fate::Stays,
            BreakerState::Closed => Fate::Goes,
            BreakerState::Open | BreakerState::HalfOpen => Fate::GoesLast,
        }
    }
}

impl fmt::Debug for KeyedBreakers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyedBreakers")
            .field("config", &*self.config.current())
            .field("breakers", &self.all())
            .finish_non_exhaustive()
    }
}

/// A breaker of the set. It is not evicted while it is held.
#[derive(Debug)]
pub(crate) enum Held {
    /// Shared by the calls of one thread.
    OfThread(Arc<Handle>),
    /// Shared by all calls.
    Shared(Arc<CircuitBreaker>),
}

impl Held {
    /// Returns the breaker, which is not evicted as long as the caller holds it.
    pub(crate) fn shared(self) -> Arc<CircuitBreaker> {
        match self {
            Self::OfThread(handle) => Arc::clone(&handle.breaker),
            Self::Shared(breaker) => breaker,
        }
    }
}

impl Deref for Held {
    type Target = CircuitBreaker;

    #[inline]
    fn deref(&self) -> &CircuitBreaker {
        match self {
            Self::OfThread(handle) => &handle.breaker,
            Self::Shared(breaker) => breaker,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;
    use std::sync::{Barrier, Weak, mpsc};
    use std::thread;

    use super::*;

    fn set(max_keys: u32) -> KeyedBreakers {
        KeyedBreakers::new(BreakerConfig::DEFAULT, max_keys)
    }

    fn names(breakers: &KeyedBreakers) -> Vec<String> {
        breakers.all().iter().map(|breaker| breaker.name().to_string()).collect()
    }

    /// Holds a breaker as a call does whose thread has used it before.
    fn held(breakers: &KeyedBreakers, name: &str) -> Held {
        (0..3).for_each(|_| drop(breakers.hold(name)));
        let held = breakers.hold(name);
        assert!(matches!(held, Held::OfThread(_)));
        held
    }

    fn open(breaker: &CircuitBreaker) {
        while let Ok(permit) = breaker.acquire() {
            permit.failure();
        }
    }

    #[test]
    fn a_name_has_one_breaker() {
        let breakers = set(2);
        assert!(Arc::ptr_eq(&breakers.get("one"), &breakers.get("one")));
        assert_eq!(breakers.get("two").name(), "two");
        assert!(breakers.find("three").is_none());
        assert_eq!(names(&breakers), ["one", "two"]);
    }

    #[test]
    fn the_least_recently_used_idle_closed_breaker_is_evicted() {
        let breakers = set(4);
        open(&breakers.get("open"));
        let _used = breakers.get("used");
        let _ = (breakers.get("old"), breakers.get("new"));
        let _ = (breakers.get("old"), breakers.find("new"));
        let _ = breakers.get("newest");
        assert_eq!(names(&breakers), ["newest", "old", "open", "used"]);
    }

    #[test]
    fn a_new_breaker_is_more_recent_than_all_before() {
        for _ in 0..100 {
            let breakers = set(2);
            let _ = (breakers.get("old"), breakers.get("old"), breakers.get("new"));
            let _ = breakers.get("newest");
            assert_eq!(names(&breakers), ["new", "newest"]);
        }
    }

    #[test]
    fn a_breaker_that_is_not_closed_is_evicted_if_all_others_stay() {
        let breakers = set(3);
        open(&breakers.get("first open"));
        open(&breakers.get("second open"));
        let used = breakers.get("used");
        let _ = breakers.get("new");
        assert_eq!(names(&breakers), ["new", "second open", "used"]);
        drop(used);
        let _ = breakers.get("newer");
        assert_eq!(names(&breakers), ["new", "newer", "second open"]);
    }

    #[test]
    fn a_forced_breaker_stays_until_it_is_reset() {
        let breakers = set(1);
        breakers.get("disabled").disable();
        breakers.get("forced closed").force_closed();
        breakers.get("forced open").force_open();
        for key in 0..1000 {
            let _ = breakers.get(&key.to_string());
        }
        assert_eq!(names(&breakers), ["999", "disabled", "forced closed", "forced open"]);
        for name in ["disabled", "forced closed", "forced open"] {
            let breaker = breakers.find(name).unwrap();
            assert!(breaker.stats().is_forced, "{name}");
            breaker.reset();
        }
        // A set that had to grow shrinks by one with each new key.
        (0..4).for_each(|key| drop(breakers.get(&key.to_string())));
        assert_eq!(names(&breakers), ["3"]);
    }

    #[test]
    fn a_breaker_stays_as_long_as_anything_refers_to_it() {
        let breakers = set(1);
        let found = breakers.get("found");
        let call = held(&breakers, "call");
        for key in 0..1000 {
            let _ = breakers.get(&key.to_string());
        }
        assert!(Arc::ptr_eq(&found, &breakers.get("found")));
        assert!(std::ptr::eq(&raw const *call, &raw const *breakers.get("call")));
        drop((found, call));
        (0..3).for_each(|key| drop(breakers.get(&key.to_string())));
        assert_eq!(names(&breakers), ["2"]);
    }

    #[test]
    fn a_breaker_that_is_asked_for_if_there_is_room_evicts_no_other() {
        let breakers = set(2);
        assert!(breakers.get_if_room("one").is_some());
        assert!(breakers.get_if_room("two").is_some());
        assert!(breakers.get_if_room("three").is_none());
        assert!(breakers.get_if_room("one").is_some(), "it exists");
        assert_eq!(names(&breakers), ["one", "two"]);
    }

    #[test]
    fn a_closed_breaker_is_found_among_many_that_stay() {
        let breakers = set(100);
        (0..99).for_each(|key| open(&breakers.get(&format!("open {key}"))));
        for key in 0..1000 {
            let _ = breakers.get(&key.to_string());
        }
        let names = names(&breakers);
        assert_eq!(names.len(), 100);
        assert_eq!(names.iter().filter(|name| name.starts_with("open")).count(), 99);
    }

    #[test]
    fn keys_that_are_used_stay_among_many_that_come_once() {
        let breakers = set(1000);
        let is_used = |key: u32| key.is_multiple_of(2);
        (0..1000).for_each(|key| drop(breakers.get(&key.to_string())));
        for round in 1..10 {
            (0..1000)
                .filter(|key| is_used(*key))
                .for_each(|key| drop(breakers.get(&key.to_string())));
            (0..50).for_each(|key| drop(breakers.get(&format!("{round}/{key}"))));
        }
        let lost =
            (0..1000).filter(|key| is_used(*key) && breakers.find(&key.to_string()).is_none());
        assert_eq!(lost.count(), 0);
        assert_eq!(breakers.all().len(), 1000);
    }

    #[test]
    fn what_is_evicted_is_not_kept_by_the_threads_that_have_used_it() {
        let breakers = set(1);
        let weak = |name: &str| {
            drop(held(&breakers, name));
            Arc::downgrade(&breakers.get(name))
        };
        let here = weak("one");
        let there = thread::scope(|scope| scope.spawn(|| weak("one")).join().unwrap());
        assert!(Weak::ptr_eq(&here, &there));
        let _ = breakers.get("two");
        assert!(here.upgrade().is_none());
        assert_eq!(names(&breakers), ["two"]);
    }

    #[test]
    fn nothing_is_kept_by_a_set_that_is_dropped() {
        let breakers = set(100);
        let weak: Vec<_> =
            (0..100).map(|key| Arc::downgrade(&breakers.get(&key.to_string()))).collect();
        drop(breakers);
        assert!(weak.iter().all(|weak| weak.upgrade().is_none()));
    }

    #[test]
    fn threads_that_ask_for_one_new_key_at_once_get_the_same_breaker() {
        const THREADS: usize = 4;
        let breakers = set(3);
        let together = Barrier::new(THREADS);
        for key in 0..500 {
            let name = key.to_string();
            let get = || {
                together.wait();
                breakers.hold(&name)
            };
            let got: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(get)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(got.iter().all(|it| std::ptr::eq(&raw const **it, &raw const *got[0])));
        }
    }

    /// More threads than there are lanes, and more keys than there may be breakers. Each thread
    /// holds a breaker for a while, and it is that of its name all the time.
    #[test]
    fn a_name_has_one_breaker_while_threads_evict_each_others_keys() {
        const THREADS: usize = 32;
        const KEYS: usize = 8;
        let breakers = set(2);
        let work = |thread: usize| {
            let mut key = thread;
            for round in 0..2_000 {
                key = (key * 5 + round + 1) % KEYS;
                let name = key.to_string();
                let held = breakers.hold(&name);
                // Nothing but the one that is held has this name.
                assert!(std::ptr::eq(&raw const *held, &raw const *breakers.get(&name)));
                held.acquire().unwrap().success();
                if round % 100 == 0 {
                    // No other thread moves this one.
                    let own = format!("own {thread}");
                    breakers.get(&own).disable();
                    thread::yield_now();
                    breakers.find(&own).expect("it is forced").reset();
                }
            }
        };
        thread::scope(|scope| {
            let work = &work;
            (0..THREADS).for_each(|thread| drop(scope.spawn(move || work(thread))));
        });
        // A set that had to grow shrinks by one with each new key.
        (0..2 * THREADS).for_each(|key| drop(breakers.get(&format!("last {key}"))));
        assert_eq!(breakers.all().len(), 2);
    }

    /// Looks a breaker up when its thread is destroyed.
    struct Late(&'static KeyedBreakers, mpsc::Sender<String>);

    impl Drop for Late {
        fn drop(&mut self) {
            self.1.send(self.0.get("late").name().to_string()).unwrap();
        }
    }

    thread_local! {
        static BEFORE: Cell<Option<Late>> = const { Cell::new(None) };
        static AFTER: Cell<Option<Late>> = const { Cell::new(None) };
    }

    #[test]
    fn a_thread_that_ends_finds_its_breaker_too() {
        let breakers: &_ = Box::leak(Box::new(set(1)));
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                BEFORE.set(Some(Late(breakers, sender.clone())));
                let _ = breakers.get("early");
                AFTER.set(Some(Late(breakers, sender)));
            });
        });
        assert_eq!(receiver.iter().collect::<Vec<_>>(), ["late", "late"]);
    }
}
