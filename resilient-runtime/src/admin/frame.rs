//! What is sent to every page: the state at one time, and how it differs from the time before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde::Serialize;

use super::event_log::{Entry, EventLog, now_in_millis};
use super::rows::{BreakerRow, BudgetRow, FunctionCounts, FunctionRow, History, Point};

/// The state of the program at one time. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Frame(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    number: u64,
    at: Instant,
    state: State,
    events: Arc<EventLog>,
    /// The differences to the frames before: the last is that of this frame.
    differences: VecDeque<Bytes>,
    /// Everything, once a reader asks for it. All readers share it.
    everything: OnceLock<Bytes>,
}

/// What does not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) can_act: bool,
    /// Another one in each process, so that no page takes the frames of one for those of another.
    pub(super) epoch: u64,
}

/// What the page shows, except events.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) breakers: Vec<Tracked>,
    /// How many breakers there are besides.
    pub(super) more_breakers: usize,
    pub(super) functions: Arc<Vec<FunctionRow>>,
    /// In the order of the functions.
    pub(super) counts: Vec<FunctionCounts>,
    pub(super) budgets: Arc<Vec<BudgetRow>>,
}

/// A breaker and its last minutes.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    pub(super) row: Arc<BreakerRow>,
    pub(super) history: Arc<History>,
    /// Its totals when the last point of the history was made.
    pub(super) counted: [u64; 3],
}

/// How a state differs from the one before.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// The positions of the breakers that have changed or are new.
    pub(super) breakers: Vec<usize>,
    pub(super) gone: Vec<String>,
    /// Whether each history has another point.
    pub(super) has_points: bool,
    pub(super) are_functions_others: bool,
    /// The positions of the functions whose counts have changed.
    pub(super) counts: Vec<usize>,
    pub(super) are_budgets_others: bool,
    pub(super) events: Vec<Entry>,
}

/// One message to the page.
#[derive(Serialize)]
struct Message<'a> {
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    everything: Option<Everything>,
    breakers: Vec<Breaker<'a>>,
    gone: Vec<String>,
    more_breakers: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<BTreeMap<&'a str, Point>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions: Option<&'a [FunctionRow]>,
    counts: Vec<(usize, FunctionCounts)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budgets: Option<&'a [BudgetRow]>,
    events: Vec<Entry>,
}

/// Only in a message that replaces all that the page knows.
#[derive(Serialize)]
struct Everything {
    can_act: bool,
    points: usize,
    period_millis: u64,
}

#[derive(Serialize)]
struct Breaker<'a> {
    #[serde(flatten)]
    row: &'a BreakerRow,
    /// Milliseconds until it is half-open, at the time of sending. The clock of the browser may be
    /// wrong.
    left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Point>>,
}

impl Frame {
    /// How many differences a frame keeps, for readers that are a little late.
    const DIFFERENCES: usize = 8;

    pub(super) fn first(facts: Facts, events: Arc<EventLog>) -> Self {
        Self(Arc::new(Inner {
            facts,
            number: 0,
            at: Instant::now(),
            state: State::default(),
            events,
            differences: VecDeque::new(),
            everything: OnceLock::new(),
        }))
    }

    /// Returns the frame that follows.
    pub(super) fn next(&self, state: State, difference: Difference, at: Instant) -> Self {
        let before = &*self.0;
        let number = before.number + 1;
        let mut differences = before.differences.clone();
        if differences.len() == Self::DIFFERENCES {
            differences.pop_front();
        }
        let message = Message::difference(&state, difference, at);
        differences.push_back(before.facts.bytes(number, &message));
        Self(Arc::new(Inner {
            facts: before.facts,
            number,
            at,
            state,
            events: Arc::clone(&before.events),
            differences,
            everything: OnceLock::new(),
        }))
    }

    pub(super) fn number(&self) -> u64 {
        self.0.number
    }

    pub(super) fn state(&self) -> &State {
        &self.0.state
    }

    /// Returns what a reader needs that has read the frame of this number: the differences since, if
    /// they are few. Otherwise everything, so that nothing queues for a slow reader.
    pub(super) fn since(&self, number: Option<u64>) -> Vec<Bytes> {
        let Inner { differences, number: newest, .. } = &*self.0;
        let missing = number.and_then(|number| newest.checked_sub(number));
        let missing = missing.and_then(|missing| usize::try_from(missing).ok());
        match missing.and_then(|missing| differences.len().checked_sub(missing)) {
            Some(known) => differences.iter().skip(known).cloned().collect(),
            None => vec![self.0.everything.get_or_init(|| self.everything()).clone()],
        }
    }

    /// Reads the number of a frame from its id. `None` if it is one of another process.
    pub(super) fn number_of(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.split_once('-')?;
        let epoch = u64::from_str_radix(epoch, 16).ok()?;
        (epoch == self.0.facts.epoch).then(|| number.parse().ok()).flatten()
    }

    fn everything(&self) -> Bytes {
        let Inner { state, facts, events, at, number, .. } = &*self.0;
        facts.bytes(*number, &Message::everything(state, *facts, events.since(0).0, *at))
    }
}

impl Facts {
    /// Returns a message as an event of a stream. JSON has no line ends within.
    fn bytes(self, number: u64, message: &Message<'_>) -> Bytes {
        let json = serde_json::to_string(message).expect("every key is a string");
        Bytes::from(format!("id: {:x}-{number}\ndata: {json}\n\n", self.epoch))
    }
}

impl<'a> Message<'a> {
    fn everything(state: &'a State, facts: Facts, events: Vec<Entry>, at: Instant) -> Self {
        let breaker = |tracked: &'a Tracked| Breaker {
            row: &tracked.row,
            left: tracked.row.left(at),
            history: Some(tracked.history.points().collect()),
        };
        Self {
            at: now_in_millis(),
            everything: Some(Everything {
                can_act: facts.can_act,
                points: History::POINTS,
                period_millis: millis(History::PERIOD),
            }),
            breakers: state.breakers.iter().map(breaker).collect(),
            gone: Vec::new(),
            more_breakers: state.more_breakers,
            points: None,
            functions: Some(&state.functions),
            counts: state.counts.iter().copied().enumerate().collect(),
            budgets: Some(&state.budgets),
            events,
        }
    }

    fn difference(state: &'a State, difference: Difference, at: Instant) -> Message<'a> {
        let breaker = |index: usize| {
            let row = &*state.breakers[index].row;
            Breaker { row, left: row.left(at), history: None }
        };
        let points = difference.has_points.then(|| {
            let points = state.breakers.iter().filter_map(|tracked| {
                let last = tracked.history.last()?;
                (last != Point::default()).then_some((&*tracked.row.key, last))
            });
            points.collect()
        });
        Self {
            at: now_in_millis(),
            everything: None,
            breakers: difference.breakers.into_iter().map(breaker).collect(),
            gone: difference.gone,
            more_breakers: state.more_breakers,
            points,
            functions: difference.are_functions_others.then_some(&**state.functions),
            counts: difference.counts.iter().map(|index| (*index, state.counts[*index])).collect(),
            budgets: difference.are_budgets_others.then_some(&**state.budgets),
            events: difference.events,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Frame> {
        let facts = Facts { can_act: false, epoch: 10 };
        let first = Frame::first(facts, Arc::default());
        let next = |frame: &Frame| {
            Some(frame.next(State::default(), Difference::default(), Instant::now()))
        };
        std::iter::successors(Some(first), next).take(100).collect()
    }

    fn is_everything(bytes: &Bytes) -> bool {
        std::str::from_utf8(bytes).unwrap().contains("everything")
    }

    #[test]
    fn nothing_queues_for_a_slow_reader() {
        let last = frames().pop().unwrap();
        assert_eq!(last.since(Some(98)).len(), 1);
        assert_eq!(last.since(Some(99 - 8)).len(), 8);
        assert!(!last.since(Some(99 - 8)).iter().any(is_everything));
        for late in [None, Some(99 - 9), Some(0), Some(1_000)] {
            let messages = last.since(late);
            assert!(messages.len() == 1 && is_everything(&messages[0]), "{late:?}");
        }
    }

    #[test]
    fn a_message_for_many_readers_is_made_once() {
        let last = frames().pop().unwrap();
        let address = |number| last.clone().since(number)[0].as_ptr();
        assert_eq!(address(None), address(None));
        assert_eq!(address(Some(98)), address(Some(98)));
    }

    #[test]
    fn only_the_ids_of_this_process_are_known() {
        let frame = frames().pop().unwrap();
        assert_eq!(frame.number_of("a-17"), Some(17));
        for id in ["b-17", "a17", "a-", "", "a--1", "-17"] {
            assert_eq!(frame.number_of(id), None, "{id}");
        }
    }
}
