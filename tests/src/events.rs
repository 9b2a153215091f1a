//! The library's events, caught as they are made.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Its level.
    pub level: Level,
    /// Its fields, the message among them.
    pub fields: BTreeMap<&'static str, String>,
}

impl Caught {
    /// The value of a field, empty where it has none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The event's message.
    #[must_use]
    pub fn message(&self) -> &str {
        self.field("message")
    }
}

/// Catches what this thread emits, until it is dropped.
pub struct Events {
    caught: Arc<Mutex<Vec<Caught>>>,
    _guard: DefaultGuard,
}

impl Events {
    /// From now on.
    #[must_use]
    pub fn catch() -> Self {
        Self::catch_and(|| {})
    }

    /// From now on, and does something at each event.
    #[must_use]
    pub fn catch_and(react: impl Fn() + Send + Sync + 'static) -> Self {
        hear_from_every_thread();
        let caught: Arc<Mutex<Vec<_>>> = Arc::default();
        let catcher = hearing({
            let caught = Arc::clone(&caught);
            move |event| {
                caught.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                react();
            }
        });
        Self { caught, _guard: tracing::subscriber::set_default(catcher) }
    }

    /// All that has been caught so far.
    #[must_use]
    pub fn all(&self) -> Vec<Caught> {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those with this message.
    #[must_use]
    pub fn named(&self, message: &str) -> Vec<Caught> {
        self.all().into_iter().filter(|event| event.message() == message).collect()
    }
}

/// Counts the spans that this thread makes, until it is dropped.
pub struct Spans {
    made: Arc<AtomicU64>,
    _guard: DefaultGuard,
}

impl Spans {
    /// From now on.
    #[must_use]
    pub fn count() -> Self {
        hear_from_every_thread();
        let made = Arc::default();
        let guard = tracing::subscriber::set_default(Counter(Arc::clone(&made)));
        Self { made, _guard: guard }
    }

    /// How many there were so far.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}

/// While there is but one subscriber, `tracing` asks the thread that first meets an event whether
/// anybody hears it, and keeps the answer: another test's thread, which has no subscriber, would
/// silence it. So there is always a second one.
fn hear_from_every_thread() {
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Counter(Arc::default())));
    LazyLock::force(&SECOND);
}

struct Counter(Arc<AtomicU64>);

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn event(&self, _: &Event<'_>) {}

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A subscriber that passes each event of the library on, for any threads.
pub fn hearing(hear: impl Fn(Caught) + Send + Sync + 'static) -> impl Subscriber + Send + Sync {
    Hearing(hear)
}

struct Hearing<F>(F);

impl<F: Fn(Caught) + Send + Sync + 'static> Subscriber for Hearing<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilient"
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        (self.0)(Caught { level: *event.metadata().level(), fields: fields.0 });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
