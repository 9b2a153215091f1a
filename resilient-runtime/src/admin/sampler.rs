//! The thread that samples the state of the program, once for all pages.
//!
//! It is a thread and not a task, so that the work never delays the service's requests, and the router
//! can be made outside of a runtime.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::event_log::EventLog;
use super::frame::{Difference, Frame, State, Tracked};
use super::hub::Hub;
use super::rows::{BreakerRow, BudgetRow, FunctionCounts, FunctionRow, History, Point};
use super::wake::Wake;
use crate::{BreakerSnapshot, BreakerStatus, Catalog, Snapshot};

/// How often the state is sampled while a page is open.
const PERIOD: Duration = Duration::from_millis(500);
/// How often it is sampled otherwise, so that a page that is opened has a history.
const IDLE_PERIOD: Duration = History::PERIOD;
/// The shortest time between two samples, however many pages are opened.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);
/// The most breakers that the page shows. Those that are not closed come first.
const MOST_BREAKERS: usize = 2_000;

/// Starts the thread. It ends with the hub.
pub(super) fn start(hub: &Arc<Hub>) -> io::Result<()> {
    let (wake, hub) = (Arc::clone(hub.wake()), Arc::downgrade(hub));
    let thread = thread::Builder::new().name("resilient-admin".to_owned());
    thread.spawn(move || run(&hub, &wake)).map(drop)
}

fn run(hub: &Weak<Hub>, wake: &Wake) {
    let mut sampler = Sampler { last_point: Instant::now(), events: 0 };
    while let Some(hub) = hub.upgrade() {
        let frame = sampler.sample(&hub.frame(), hub.events());
        let period = if hub.publish(frame) { PERIOD } else { IDLE_PERIOD };
        // Not held while waiting, so that the hub can end.
        drop(hub);
        if wake.wait(SHORTEST_PERIOD, period) {
            return;
        }
    }
}

struct Sampler {
    /// When the last point of all histories was made.
    last_point: Instant,
    /// The version of the events that were sent.
    events: u64,
}

impl Sampler {
    fn sample(&mut self, before: &Frame, events: &EventLog) -> Frame {
        let now = Instant::now();
        let has_points = now.duration_since(self.last_point) >= History::PERIOD;
        if has_points {
            self.last_point = now;
        }
        let (changed, version) = events.since(self.events);
        self.events = version;
        let mut difference = Difference { has_points, events: changed, ..Difference::default() };
        let state = next(before, &crate::snapshot(), &crate::catalog(), &mut difference, now);
        before.next(state, difference, now)
    }
}

/// Returns the state that follows, and writes what differs.
fn next(
    frame: &Frame,
    snapshot: &Snapshot,
    catalog: &Catalog,
    difference: &mut Difference,
    now: Instant,
) -> State {
    let before = frame.state();
    // What was counted before the first sample has no time.
    let is_first = frame.number() == 0;
    let mut known: HashMap<&str, &Tracked> =
        before.breakers.iter().map(|tracked| (&*tracked.row.key, tracked)).collect();
    let shown = shown(snapshot.breakers());
    let mut breakers = Vec::with_capacity(shown.len());
    let mut keys = HashSet::with_capacity(shown.len());
    for breaker in &shown {
        let key = unique(&mut keys, &breaker.name);
        let row = BreakerRow::of(breaker, key, now);
        let totals = row.totals;
        let totals = [totals.successes, totals.failures, totals.rejected];
        let mut tracked = if let Some(tracked) = known.remove(&*row.key) {
            let mut tracked = tracked.clone();
            if !row.is_known_by(&tracked.row) {
                difference.breakers.push(breakers.len());
                tracked.row = Arc::new(row);
            }
            tracked
        } else {
            difference.breakers.push(breakers.len());
            let counted = if is_first { totals } else { [0; 3] };
            Tracked { row: Arc::new(row), history: Arc::default(), counted }
        };
        if difference.has_points {
            tracked.add_point(totals);
        }
        breakers.push(tracked);
    }
    difference.gone = known.into_keys().map(str::to_owned).collect();

    let (functions, counts) = functions(catalog);
    difference.are_functions_others = functions != *before.functions;
    let is_other = |index: &usize| before.counts.get(*index) != counts.get(*index);
    difference.counts = (0..counts.len()).filter(is_other).collect();
    let budgets: Vec<_> = snapshot.budgets().iter().map(BudgetRow::of).collect();
    difference.are_budgets_others = budgets != *before.budgets;
    State {
        more_breakers: snapshot.breakers().len() - breakers.len(),
        breakers,
        functions: if difference.are_functions_others {
            Arc::new(functions)
        } else {
            Arc::clone(&before.functions)
        },
        counts,
        budgets: Arc::new(budgets),
    }
}

/// Returns the breakers that the page shows, in their order.
fn shown(breakers: &[BreakerSnapshot]) -> Vec<&BreakerSnapshot> {
    if breakers.len() <= MOST_BREAKERS {
        return breakers.iter().collect();
    }
    let is_closed = |breaker: &&BreakerSnapshot| breaker.status == BreakerStatus::Closed;
    let (closed, mut shown): (Vec<_>, Vec<_>) = breakers.iter().partition(is_closed);
    shown.truncate(MOST_BREAKERS);
    let room = MOST_BREAKERS - shown.len();
    shown.extend(closed.into_iter().take(room));
    shown.sort_by(|one, other| one.name.cmp(&other.name));
    shown
}

/// Returns the name, and for a second breaker of that name, the name with a number.
fn unique(keys: &mut HashSet<String>, name: &str) -> String {
    let mut key = name.to_owned();
    let mut number = 1;
    while !keys.insert(key.clone()) {
        number += 1;
        key = format!("{name} #{number}");
    }
    key
}

fn functions(catalog: &Catalog) -> (Vec<FunctionRow>, Vec<FunctionCounts>) {
    let annotated = catalog.functions().iter().map(|function| {
        let counts = FunctionCounts::of(&function.counts(), function.unknown_errors());
        (FunctionRow::of_function(*function), counts)
    });
    let policies = catalog.policies().iter().map(|policy| {
        let rules = policy.rules();
        let counts = FunctionCounts::of(&rules.counters().read(), rules.unknown_errors());
        (FunctionRow::of_policy(policy), counts)
    });
    annotated.chain(policies).unzip()
}

impl Tracked {
    /// Adds what was counted since the last point.
    fn add_point(&mut self, totals: [u64; 3]) {
        let mut point = Point::default();
        for ((point, now), before) in point.iter_mut().zip(totals).zip(self.counted) {
            *point = u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX);
        }
        self.counted = totals;
        if point != Point::default() || self.history.last().is_some() {
            Arc::make_mut(&mut self.history).push(point);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakers_of_one_name_have_keys_of_their_own() {
        let mut keys = HashSet::new();
        let names = ["a", "a", "a #2", "b"].map(|name| unique(&mut keys, name));
        assert_eq!(names, ["a", "a #2", "a #2 #2", "b"]);
    }

    #[test]
    fn of_too_many_breakers_those_that_are_not_closed_are_shown() {
        let breaker = |number: usize| {
            let state = if number == MOST_BREAKERS + 7 { "open" } else { "closed" };
            format!(r#"{{"name":"b{number:04}","state":"{state}"}}"#)
        };
        let breakers = (0..MOST_BREAKERS + 10).map(breaker).collect::<Vec<_>>().join(",");
        let snapshot = format!(r#"{{"version":1,"breakers":[{breakers}]}}"#);
        let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();
        let shown = shown(snapshot.breakers());
        assert_eq!(shown.len(), MOST_BREAKERS);
        assert_eq!(shown.last().unwrap().name, format!("b{}", MOST_BREAKERS + 7));
        assert_eq!(shown[MOST_BREAKERS - 2].name, format!("b{}", MOST_BREAKERS - 2));
    }
}
