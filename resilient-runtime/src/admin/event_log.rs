//! The last events, in bounded memory, however many there are.
//!
//! Some kinds of events come with every call of an outage. Those that differ only in their numbers are
//! one entry with a count, for a window of time. A window has a limited number of such entries, and all
//! others count in one more. So a flood neither pushes out what is rare, such as a change of state, nor
//! makes the list unreadable.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use crate::event::{Event, Observer};

/// The last events.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    hasher: RandomState,
    state: Mutex<State>,
}

/// An entry of the list, for the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    id: u64,
    /// When it happened first, in milliseconds since the Unix epoch.
    at: u64,
    kind: &'static str,
    text: String,
    breaker: Option<String>,
    /// How often it happened.
    count: u64,
    #[serde(skip)]
    version: u64,
    #[serde(skip)]
    is_frequent: bool,
}

#[derive(Debug, Default)]
struct State {
    /// In the order of their ids.
    entries: VecDeque<Entry>,
    last_id: u64,
    /// Counts every change, so that a reader can ask for those after the last one that it knows.
    version: u64,
    frequent: usize,
    /// The frequent events since the window began, by the hash of what they have in common, with the
    /// ids of their entries.
    window: Vec<(u64, u64)>,
    window_began: Option<Instant>,
}

impl EventLog {
    /// The most entries.
    pub(super) const MOST: usize = 200;
    /// The most entries of frequent kinds, if the others need the room.
    const MOST_FREQUENT: usize = 100;
    const WINDOW: Duration = Duration::from_secs(10);
    /// The most entries of frequent kinds that a window adds.
    const MOST_IN_WINDOW: usize = 30;
    /// The most bytes of a text.
    const LONGEST: usize = 600;

    /// Returns the entries that have changed after this version, and the version now.
    pub(super) fn since(&self, version: u64) -> (Vec<Entry>, u64) {
        let state = self.lock();
        let changed = state.entries.iter().filter(|entry| entry.version > version);
        (changed.cloned().collect(), state.version)
    }

    /// Adds an entry of the page itself, of which there may be many.
    pub(super) fn add_frequent(&self, kind: &'static str, text: &str) {
        let hash = self.hasher.hash_one((kind, text));
        self.lock().add_frequent(hash, kind, None, Instant::now(), || text.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for EventLog {
    fn on_event(&self, event: &Event<'_>) {
        let kind = event.kind().as_str();
        let breaker = event.breaker();
        if let Some(text) = common_text(event) {
            let hash = self.hasher.hash_one((kind, breaker, text.key()));
            let now = Instant::now();
            self.lock().add_frequent(hash, kind, breaker, now, || text.to_string());
        } else {
            let text = event.to_string();
            self.lock().add(kind, text, breaker, false);
        }
    }
}

impl State {
    fn add(&mut self, kind: &'static str, text: String, breaker: Option<&str>, is_frequent: bool) {
        if self.entries.len() >= EventLog::MOST {
            let oldest = (self.frequent > EventLog::MOST_FREQUENT)
                .then(|| self.entries.iter().position(|entry| entry.is_frequent))
                .flatten();
            let evicted = self.entries.remove(oldest.unwrap_or(0));
            self.frequent -= usize::from(evicted.is_some_and(|entry| entry.is_frequent));
        }
        self.last_id += 1;
        self.version += 1;
        self.frequent += usize::from(is_frequent);
        self.entries.push_back(Entry {
            id: self.last_id,
            at: now_in_millis(),
            kind,
            text: shortened(text),
            breaker: breaker.map(str::to_owned),
            count: 1,
            version: self.version,
            is_frequent,
        });
    }

    fn add_frequent(
        &mut self,
        mut hash: u64,
        mut kind: &'static str,
        mut breaker: Option<&str>,
        now: Instant,
        text: impl FnOnce() -> String,
    ) {
        /// What all events have in common that have no entry of their own.
        const OTHERS: u64 = 0;
        if self.window_began.is_none_or(|began| now.duration_since(began) >= EventLog::WINDOW) {
            self.window.clear();
            self.window_began = Some(now);
        }
        if self.count_again(hash) {
            return;
        }
        let is_full = self.window.len() >= EventLog::MOST_IN_WINDOW;
        if is_full {
            (hash, kind, breaker) = (OTHERS, "others", None);
            if self.count_again(hash) {
                return;
            }
        }
        let text = if is_full { "other events of calls".to_owned() } else { text() };
        self.add(kind, text, breaker, true);
        self.window.push((hash, self.last_id));
    }

    /// Counts the event in its entry of this window. Returns whether there is one.
    fn count_again(&mut self, hash: u64) -> bool {
        let Some((_, id)) = self.window.iter().find(|(known, _)| *known == hash) else {
            return false;
        };
        let found = self.entries.binary_search_by_key(id, |entry| entry.id);
        let Some(entry) = found.ok().and_then(|index| self.entries.get_mut(index)) else {
            // It was evicted: its next event begins another one.
            self.window.retain(|(known, _)| *known != hash);
            return false;
        };
        self.version += 1;
        entry.count += 1;
        entry.version = self.version;
        true
    }
}

/// What the events have in common that are one entry. It is only written for the first of them.
struct CommonText<'a> {
    verb: &'static str,
    function: &'a str,
    kind: &'static str,
    reason: Option<crate::GiveUpReason>,
}

impl CommonText<'_> {
    fn key(&self) -> (&'static str, &str, &'static str, Option<crate::GiveUpReason>) {
        (self.verb, self.function, self.kind, self.reason)
    }
}

impl std::fmt::Display for CommonText<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {} with {}", self.verb, self.function, self.kind)?;
        match self.reason {
            Some(reason) => write!(formatter, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// Returns the text of an event that may come with each call. `None` for one that is rare.
fn common_text<'a>(event: &Event<'a>) -> Option<CommonText<'a>> {
    let (verb, kind, reason) = match event {
        Event::Retrying { kind, .. } => ("retrying", *kind, None),
        Event::GaveUp { kind, reason, .. } => ("gave up", *kind, Some(*reason)),
        Event::TimedOut { kind, .. } => ("timed out", *kind, None),
        Event::Rejected { kind, .. } => ("rejected", *kind, None),
        _ => return None,
    };
    let function = event.function().unwrap_or("a call");
    Some(CommonText { verb, function, kind: kind.as_str(), reason })
}

fn shortened(mut text: String) -> String {
    let is_end = |end: &usize| text.is_char_boundary(*end);
    if text.len() > EventLog::LONGEST
        && let Some(end) = (0..=EventLog::LONGEST).rev().find(is_end)
    {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Returns the time by the wall clock, in milliseconds since the Unix epoch.
pub(super) fn now_in_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &EventLog) -> Vec<(String, u64)> {
        log.since(0).0.into_iter().map(|entry| (entry.text, entry.count)).collect()
    }

    fn rejected(function: &str) -> Event<'_> {
        Event::Rejected {
            function: Some(function),
            breaker: Some("search"),
            kind: crate::ErrorKind::CircuitOpen,
            retry_after: None,
        }
    }

    #[test]
    fn events_that_differ_in_numbers_are_one_entry() {
        let log = EventLog::default();
        for _ in 0..1_000 {
            log.on_event(&rejected("app::search"));
        }
        log.on_event(&rejected("app::count"));
        let expected = [("app::search", 1_000), ("app::count", 1)]
            .map(|(name, count)| (format!("rejected {name} with circuit_open"), count));
        assert_eq!(texts(&log), expected);
    }

    #[test]
    fn only_what_has_changed_is_read_again() {
        let log = EventLog::default();
        log.on_event(&rejected("one"));
        log.on_event(&rejected("other"));
        let (all, version) = log.since(0);
        assert_eq!(all.len(), 2);
        assert_eq!(log.since(version), (Vec::new(), version));
        log.on_event(&rejected("one"));
        let (changed, _) = log.since(version);
        assert_eq!((changed.len(), changed[0].count), (1, 2));
    }

    #[test]
    fn a_flood_does_not_push_out_what_is_rare() {
        let log = EventLog::default();
        log.on_event(&Event::Problem { message: "a problem" });
        for window in 1..=20 {
            for function in 0..1_000 {
                log.on_event(&rejected(&format!("app::f{function}")));
            }
            assert!(texts(&log).len() <= 1 + window * (EventLog::MOST_IN_WINDOW + 1));
            log.lock().window_began = None;
        }
        let texts = texts(&log);
        assert_eq!(texts.len(), EventLog::MOST);
        assert_eq!(texts[0].0, "a problem");
        assert_eq!(texts.last().unwrap().1, 1_000 - EventLog::MOST_IN_WINDOW as u64);
    }

    #[test]
    fn rare_events_are_bounded_too_and_short() {
        let log = EventLog::default();
        for _ in 0..1_000 {
            log.on_event(&Event::Problem { message: &"ü".repeat(10_000) });
        }
        let texts = texts(&log);
        assert_eq!(texts.len(), EventLog::MOST);
        assert!(texts.iter().all(|(text, _)| text.len() < 610));
    }
}
