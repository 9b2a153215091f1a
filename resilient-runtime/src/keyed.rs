//! Breakers by a value of the arguments: one for each collection, tenant, shard.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::{BreakerConfig, BreakerState, CircuitBreaker, event, registry};

/// Circuit breakers by name, each made when it is first asked for, and bounded in number: what
/// `breaker = "search/{collection}"` looks up, for code that cannot carry an attribute.
///
/// When there are as many as there may be, a new one takes the place of another: of those that are
/// closed and that no call uses, the one that was asked for longest ago. Where all are in use, a
/// closed one leaves all the same, and calls under way no longer count; and where none is closed,
/// one that is not, with a warning event.
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
#[derive(Debug)]
pub struct KeyedBreakers {
    config: BreakerConfig,
    max_keys: usize,
    entries: RwLock<HashMap<Arc<str>, Entry>>,
    /// The time by which [`Entry::last_used`] counts: it goes on where another breaker is asked for
    /// than the last time.
    time: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    breaker: Arc<CircuitBreaker>,
    last_used: AtomicU64,
}

impl Entry {
    /// Notes that it is asked for.
    fn use_at(&self, time: &AtomicU64) {
        // Relaxed throughout: a figure that decides only who leaves first.
        let now = time.load(Ordering::Relaxed);
        if now == 0 || self.last_used.load(Ordering::Relaxed) != now {
            self.last_used.store(time.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
}

impl KeyedBreakers {
    /// How many there may be where nothing else is said. A breaker takes 3.5 KiB.
    pub const DEFAULT_MAX_KEYS: u32 = 1000;

    /// None yet. Each will behave by `config`, and there will be no more than `max_keys` of them,
    /// but one at least.
    #[must_use]
    pub fn new(config: BreakerConfig, max_keys: u32) -> Self {
        Self {
            config,
            max_keys: usize::try_from(max_keys).unwrap_or(usize::MAX).max(1),
            entries: RwLock::default(),
            time: AtomicU64::new(0),
        }
    }

    /// The breaker of this name, which events and rejections carry. It is made where it is not
    /// there; otherwise nothing is allocated, and a lock is held for the time of the look-up.
    #[must_use]
    pub fn get(&self, name: &str) -> Arc<CircuitBreaker> {
        self.look_up(name, |entry| entry.use_at(&self.time)).unwrap_or_else(|| self.make(name))
    }

    /// The breaker of this name, where it is there. To look at it is not to use it: it leaves no
    /// later for that.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Arc<CircuitBreaker>> {
        self.look_up(name, |_| {})
    }

    fn look_up(&self, name: &str, mark: impl FnOnce(&Entry)) -> Option<Arc<CircuitBreaker>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(name)?;
        mark(entry);
        Some(Arc::clone(&entry.breaker))
    }

    /// Every breaker that is there, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<CircuitBreaker>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = entries.values().map(|entry| Arc::clone(&entry.breaker)).collect();
        drop(entries);
        all.sort_by(|one, other| one.name().cmp(other.name()));
        all
    }

    #[cold]
    fn make(&self, name: &str) -> Arc<CircuitBreaker> {
        let name: Arc<str> = name.into();
        let breaker = Arc::new(CircuitBreaker::shared(Arc::clone(&name), self.config));
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = entries.get(&name) {
            return Arc::clone(&made.breaker);
        }
        let left = if entries.len() >= self.max_keys { leave(&mut entries) } else { None };
        let entry = Entry { breaker: Arc::clone(&breaker), last_used: AtomicU64::new(0) };
        entry.use_at(&self.time);
        entries.insert(name, entry);
        drop(entries);
        // The lock is open again: a subscriber may ask for breakers.
        if let Some(left) = left.filter(|left| left.state() != BreakerState::Closed) {
            event::forgotten(left.name(), left.state().as_str());
        }
        breaker
    }
}

/// Takes out the breaker that is missed least. It looks at all of them, which is some microseconds
/// for a thousand, and only where more keys are in use than there may be breakers.
fn leave(entries: &mut HashMap<Arc<str>, Entry>) -> Option<Arc<CircuitBreaker>> {
    let missed = |entry: &Entry| {
        let is_closed = entry.breaker.state() == BreakerState::Closed;
        // Nobody else can get hold of it while the map is locked.
        let is_used = Arc::strong_count(&entry.breaker) > 1;
        (!is_closed, is_used, entry.last_used.load(Ordering::Relaxed))
    };
    let name = entries.iter().min_by_key(|(_, entry)| missed(entry))?.0.clone();
    entries.remove(&name).map(|entry| entry.breaker)
}

/// The template of an annotated function's breakers.
#[derive(Debug)]
pub struct KeyedSite {
    template: &'static str,
    breakers: OnceLock<&'static KeyedBreakers>,
}

impl KeyedSite {
    /// By the template as it stands in source.
    #[must_use]
    pub const fn new(template: &'static str) -> Self {
        Self { template, breakers: OnceLock::new() }
    }

    /// The breaker of the name that this call's arguments make.
    pub fn get(&self, name: fmt::Arguments<'_>) -> Arc<CircuitBreaker> {
        let breakers = self.breakers.get().copied().unwrap_or_else(|| {
            // Looked up before it is kept: that may make an event, whose subscriber may call the
            // function again.
            let found = registry::keyed(self.template);
            self.breakers.get_or_init(|| found)
        });
        let mut text = ShortText::default();
        // Neither fails: the parts of a name hide the errors of their own.
        let _ = text.write_fmt(name);
        if let Some(text) = text.whole() {
            return breakers.get(text);
        }
        let mut long = String::new();
        let _ = long.write_fmt(name);
        breakers.get(&long)
    }
}

/// Room for a name of usual length on the stack.
struct ShortText {
    bytes: [u8; Self::ROOM],
    /// None once something did not fit.
    length: Option<usize>,
}

impl ShortText {
    const ROOM: usize = 128;

    /// The text, if all of it fits.
    fn whole(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes[..self.length?]).ok()
    }
}

impl Default for ShortText {
    fn default() -> Self {
        Self { bytes: [0; Self::ROOM], length: Some(0) }
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Some(start) = self.length else { return Ok(()) };
        let end = start + text.len();
        self.length = self.bytes.get_mut(start..end).map(|room| {
            room.copy_from_slice(text.as_bytes());
            end
        });
        Ok(())
    }
}

/// What a template's placeholder may stand for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a circuit breaker's name",
    label = "a value that is not `Display`",
    note = "name a parameter or field that is a string or a number, or anything that implements `Display`"
)]
pub trait KeyPart {
    /// The value, as it stands in the name.
    fn part(&self) -> &dyn fmt::Display;
}

#[diagnostic::do_not_recommend]
impl<T: fmt::Display> KeyPart for T {
    fn part(&self) -> &dyn fmt::Display {
        self
    }
}

/// The value of a placeholder. It comes without its type, so that a missing bound is reported
/// once.
pub fn key_part<T: KeyPart>(value: &T) -> Part<'_> {
    Part(value.part())
}

/// A part of a name.
pub struct Part<'a>(&'a dyn fmt::Display);

impl fmt::Display for Part<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One that fails stays what it is, and what stands behind it is still told apart.
        self.0.fmt(formatter).or_else(|_| formatter.write_char('\u{fffd}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(breakers: &KeyedBreakers) -> Vec<String> {
        breakers.all().iter().map(|breaker| breaker.name().to_string()).collect()
    }

    #[test]
    fn a_name_has_one_breaker() {
        let breakers = KeyedBreakers::new(BreakerConfig::DEFAULT, 2);
        assert!(Arc::ptr_eq(&breakers.get("one"), &breakers.get("one")));
        assert_eq!(breakers.get("two").name(), "two");
        assert!(breakers.find("three").is_none());
        assert_eq!(names(&breakers), ["one", "two"]);
    }

    #[test]
    fn the_idle_closed_one_that_was_used_longest_ago_leaves_first() {
        let breakers = KeyedBreakers::new(BreakerConfig::DEFAULT, 4);
        breakers.get("open").force_open();
        let _used = breakers.get("used");
        let _ = (breakers.get("old"), breakers.get("new"));
        let _ = (breakers.get("old"), breakers.find("new"));
        let _ = breakers.get("newest");
        assert_eq!(names(&breakers), ["newest", "old", "open", "used"]);
    }

    #[test]
    fn a_new_one_is_younger_than_all_before() {
        for _ in 0..100 {
            let breakers = KeyedBreakers::new(BreakerConfig::DEFAULT, 2);
            let _ = (breakers.get("old"), breakers.get("old"), breakers.get("new"));
            let _ = breakers.get("newest");
            assert_eq!(names(&breakers), ["new", "newest"]);
        }
    }

    #[test]
    fn a_part_that_cannot_be_shown_does_not_hide_the_others() {
        struct Broken;
        impl fmt::Display for Broken {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        static SITE: KeyedSite = KeyedSite::new("{broken}/{name}");
        let name = |name| SITE.get(format_args!("{}/{}", key_part(&Broken), key_part(&name)));
        assert_eq!(*name("one").name(), "\u{fffd}/one");
        assert!(!Arc::ptr_eq(&name("one"), &name("two")));
    }

    #[test]
    fn one_in_use_leaves_before_one_that_is_open() {
        let breakers = KeyedBreakers::new(BreakerConfig::DEFAULT, 2);
        breakers.get("open").force_open();
        let _used = breakers.get("used");
        let _ = breakers.get("new");
        assert_eq!(names(&breakers), ["new", "open"]);
        breakers.get("new").force_open();
        let _ = breakers.get("another");
        assert_eq!(names(&breakers), ["another", "new"], "they are bounded whatever their state");
    }

    #[test]
    fn a_name_of_any_length_serves() {
        static SITE: KeyedSite = KeyedSite::new("keyed/{name}");
        for length in [0, 1, ShortText::ROOM, ShortText::ROOM + 1, 10_000] {
            let name = "ä".repeat(length);
            assert_eq!(*SITE.get(format_args!("{name}")).name(), *name);
        }
    }
}
