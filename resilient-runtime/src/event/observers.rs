//! The observers of events.

use std::cell::RefCell;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use super::event_type::Event;
use super::kind::EventSet;

/// Receives events: see [`observe`].
///
/// A closure that takes a `&Event<'_>` is an observer of all events, and [`only`] limits it to some.
pub trait Observer: Send + Sync + 'static {
    /// Handles one event, in the thread in which it happens and before the call goes on. Hand what
    /// takes time to a task of your own, such as by a channel.
    fn on_event(&self, event: &Event<'_>);

    /// Returns the events that the observer wants. It is asked once, by [`observe`]. All by default.
    fn wants(&self) -> EventSet {
        EventSet::ALL
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Limits an observer to these kinds of events.
///
/// ```
/// use resilient_runtime::{Event, EventKind, observe, only};
///
/// let alerts = only(EventKind::Transition | EventKind::BudgetExhausted, |event: &Event<'_>| {
///     eprintln!("{event}");
/// });
/// let observation = observe(alerts);
/// # drop(observation);
/// ```
pub fn only<O: Observer>(events: impl Into<EventSet>, observer: O) -> Only<O> {
    Only { events: events.into(), observer }
}

/// An observer of some events, from [`only`].
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing before `observe`"]
pub struct Only<O> {
    events: EventSet,
    observer: O,
}

impl<O: Observer> Observer for Only<O> {
    fn on_event(&self, event: &Event<'_>) {
        self.observer.on_event(event);
    }

    fn wants(&self) -> EventSet {
        self.observer.wants().and(self.events)
    }
}

/// Delivers each event of the program to `observer` from now on, as long as the returned value lives.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use resilient_runtime::{CircuitBreaker, Event, observe};
///
/// static OPENED: AtomicU64 = AtomicU64::new(0);
///
/// let observation = observe(|event: &Event<'_>| {
///     if let Event::Transition { to, .. } = event
///         && to.state() == resilient_runtime::BreakerState::Open
///     {
///         OPENED.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// CircuitBreaker::default().force_open();
/// assert_eq!(OPENED.load(Ordering::Relaxed), 1);
/// // For as long as the program runs:
/// observation.forever();
/// ```
///
/// # Order and threads
///
/// The library calls the observer in the thread in which the event happens, under no lock: a slow
/// observer delays the call that caused the event, and no other. The transitions of one circuit
/// breaker are delivered in order: if a thread is delivering one, it delivers those of other threads
/// after it.
///
/// # Panics
///
/// A panic of the observer is caught. It harms neither the call nor other observers. The panic hook of
/// the program reports it.
///
/// # Calling the library
///
/// An observer may call the library. Events that it causes in its thread meanwhile are delivered to the
/// others and not to itself, so that it cannot call itself without end.
pub fn observe(observer: impl Observer) -> Observation {
    static LAST_ID: AtomicU64 = AtomicU64::new(0);
    // Relaxed: only that they differ matters.
    let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
    let entry = Entry {
        id,
        wants: observer.wants(),
        #[cfg(feature = "test-util")]
        audience: Audience::current(),
        observer: Box::new(observer),
    };
    change(|entries| entries.push(Arc::new(entry)));
    Observation { id }
}

/// An observer that receives events, from [`observe`]. Dropping it ends that. What is being delivered
/// to it by then may still arrive.
#[derive(Debug)]
#[must_use = "dropping it ends the observation"]
pub struct Observation {
    id: u64,
}

impl Observation {
    /// Observes for as long as the program runs.
    pub fn forever(self) {
        mem::forget(self);
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let mut removed = None;
        change(|entries| {
            removed = entries.iter().position(|entry| entry.id == self.id);
            removed.map(|index| entries.remove(index));
        });
    }
}

/// One observer.
struct Entry {
    id: u64,
    wants: EventSet,
    #[cfg(feature = "test-util")]
    audience: Audience,
    observer: Box<dyn Observer>,
}

/// The observers, in the order in which they were added.
static ENTRIES: ArcSwapOption<Vec<Arc<Entry>>> = ArcSwapOption::const_empty();

/// All that at least one of them wants, as the bits of an [`EventSet`].
static WANTED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The observers that this thread is calling.
    static CALLING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Changes the list of observers.
fn change(change: impl FnOnce(&mut Vec<Arc<Entry>>)) {
    static CHANGING: Mutex<()> = Mutex::new(());
    let changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = ENTRIES.load_full();
    let mut entries = before.as_deref().cloned().unwrap_or_default();
    change(&mut entries);
    let wanted = entries.iter().fold(EventSet::NONE, |wanted, entry| wanted | entry.wants);
    ENTRIES.store((!entries.is_empty()).then(|| Arc::new(entries)));
    // Relaxed, here and below: a thread that reads it a moment later or earlier only finds that it
    // observes from a moment later or earlier on. The list itself is published by `ENTRIES`.
    WANTED.store(wanted.bits(), Ordering::Relaxed);
    // An observer that is removed is dropped after the lock is released, since it may observe.
    drop(changing);
    drop(before);
}

/// Delivers an event to the observers. Without one that wants it, this is one load.
#[inline]
pub(crate) fn tell(event: &Event<'_>) {
    if EventSet::from_bits(WANTED.load(Ordering::Relaxed)).contains(event.kind()) {
        deliver(event);
    }
}

#[cold]
fn deliver(event: &Event<'_>) {
    let Some(entries) = ENTRIES.load_full() else { return };
    for entry in entries.iter().filter(|entry| entry.receives(event)) {
        // A thread that has destroyed its variables observes nothing any more.
        let Some(calling) = Calling::begin(entry.id) else { continue };
        let delivered = panic::catch_unwind(AssertUnwindSafe(|| entry.observer.on_event(event)));
        drop(calling);
        if let Err(panic) = delivered {
            // The payload may panic when it is dropped.
            mem::forget(panic);
        }
    }
}

impl Entry {
    fn receives(&self, event: &Event<'_>) -> bool {
        #[cfg(feature = "test-util")]
        if !self.audience.hears() {
            return false;
        }
        self.wants.contains(event.kind())
    }
}

/// Lasts while this thread calls an observer.
struct Calling;

impl Calling {
    /// `None` if this thread is calling that observer already.
    fn begin(id: u64) -> Option<Self> {
        CALLING
            .try_with(|calling| {
                let mut calling = calling.borrow_mut();
                let is_new = !calling.contains(&id);
                if is_new {
                    calling.push(id);
                }
                is_new.then(|| Self)
            })
            .ok()
            .flatten()
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        let _ = CALLING.try_with(|calling| calling.borrow_mut().pop());
    }
}

/// Who receives what happens in a test that is isolated: the observers of that test alone.
#[cfg(feature = "test-util")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Audience(u64);

#[cfg(feature = "test-util")]
mod audience {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Audience;

    thread_local! {
        static CURRENT: Cell<Audience> = const { Cell::new(Audience::PROGRAM) };
    }

    /// Another one each time.
    impl Default for Audience {
        fn default() -> Self {
            static LAST: AtomicU64 = AtomicU64::new(0);
            // Relaxed: only that they differ matters.
            Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
        }
    }

    impl Audience {
        /// The audience of what happens outside of such tests.
        pub(super) const PROGRAM: Self = Self(0);

        /// Returns that of the code that this thread runs now.
        pub(crate) fn current() -> Self {
            CURRENT.try_with(Cell::get).unwrap_or(Self::PROGRAM)
        }

        /// Makes this that of the thread. Returns the one before.
        pub(crate) fn enter(self) -> Self {
            CURRENT.try_with(|current| current.replace(self)).unwrap_or(Self::PROGRAM)
        }

        /// Whether an observer of this audience receives what happens now. Those of the program
        /// receive everything.
        pub(super) fn hears(self) -> bool {
            self == Self::PROGRAM || self == Self::current()
        }
    }
}
