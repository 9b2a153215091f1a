//! What the page shows, as it is sent.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::{
    AnnotatedFunction, BreakerSnapshot, BudgetSnapshot, CallCounts, CallOutcome, RegisteredPolicy,
};

/// One breaker.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BreakerRow {
    /// The name, with a number if other breakers have it too.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) status: &'static str,
    /// When it is half-open, if that is known. It is sent as the time that is left.
    #[serde(skip)]
    half_open_at: Option<Instant>,
    openings: u32,
    failures: u32,
    successes: u32,
    window: Option<Window>,
    pub(super) totals: Totals,
    change: Option<Change>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Window {
    calls: u64,
    failures: u64,
    slow: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Totals {
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) rejected: u64,
    ignored: u64,
    slow: u64,
    transitions: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Change {
    at: u64,
    from: String,
    to: String,
    cause: String,
}

impl BreakerRow {
    pub(super) fn of(breaker: &BreakerSnapshot, key: String, now: Instant) -> Self {
        let totals = &breaker.totals;
        Self {
            key,
            name: breaker.name.clone(),
            status: breaker.status.as_str(),
            half_open_at: breaker.time_until_half_open.and_then(|left| now.checked_add(left)),
            openings: breaker.consecutive_openings,
            failures: breaker.failure_count,
            successes: breaker.success_count,
            window: breaker.window.map(|window| Window {
                calls: window.calls,
                failures: window.failures,
                slow: window.slow_calls,
            }),
            totals: Totals {
                successes: totals.successes,
                failures: totals.failures,
                rejected: totals.rejected,
                ignored: totals.ignored,
                slow: totals.slow_calls,
                transitions: totals.transitions,
            },
            change: breaker.last_change.as_ref().map(|change| Change {
                at: change.at_millis,
                from: change.from.clone(),
                to: change.to.clone(),
                cause: change.cause.clone(),
            }),
        }
    }

    /// Returns how many milliseconds are left until the breaker is half-open.
    pub(super) fn left(&self, now: Instant) -> Option<u64> {
        let left = self.half_open_at?.saturating_duration_since(now);
        Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }

    /// Returns whether the page need not be told of `self` if it knows `before`. The page counts down
    /// by itself, so only a jump of the time that is left matters.
    pub(super) fn is_known_by(&self, before: &Self) -> bool {
        const JUMP: Duration = Duration::from_millis(250);
        let is_same_time = match (self.half_open_at, before.half_open_at) {
            (Some(one), Some(other)) => one.max(other).duration_since(one.min(other)) < JUMP,
            (one, other) => one.is_some() == other.is_some(),
        };
        is_same_time
            && self.status == before.status
            && self.totals == before.totals
            && self.window == before.window
            && self.change == before.change
            && (self.openings, self.failures, self.successes)
                == (before.openings, before.failures, before.successes)
    }
}

/// Successes, failures and rejections in one period of the sparkline.
pub(super) type Point = [u32; 3];

/// The last minutes of a breaker: a point for each period.
#[derive(Clone, Debug, Default)]
pub(super) struct History(VecDeque<Point>);

impl History {
    /// How long one point lasts.
    pub(super) const PERIOD: Duration = Duration::from_secs(5);
    /// How many points there are: five minutes.
    pub(super) const POINTS: usize = 60;

    pub(super) fn push(&mut self, point: Point) {
        if self.0.len() == Self::POINTS {
            self.0.pop_front();
        }
        self.0.push_back(point);
        // A breaker that is not used takes no memory.
        if self.0.iter().all(|point| *point == Point::default()) {
            self.0 = VecDeque::new();
        }
    }

    /// The points without the empty ones at the beginning: the last is the newest.
    pub(super) fn points(&self) -> impl Iterator<Item = Point> {
        self.0.iter().skip_while(|point| **point == Point::default()).copied()
    }

    /// Returns the newest point.
    pub(super) fn last(&self) -> Option<Point> {
        self.0.back().copied()
    }
}

/// What source says of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct FunctionRow {
    name: String,
    file: &'static str,
    line: u32,
    policy: String,
    breaker: Option<String>,
}

/// What has happened in a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct FunctionCounts {
    success: u64,
    error: u64,
    rejected: u64,
    timeout: u64,
    cancelled: u64,
    retries: u64,
    unknown: u64,
}

impl FunctionRow {
    pub(super) fn of_function(function: AnnotatedFunction) -> Self {
        Self {
            name: function.name().to_owned(),
            file: function.file(),
            line: function.line(),
            policy: text(function.policy_parts()),
            breaker: function.breaker().map(str::to_owned),
        }
    }

    pub(super) fn of_policy(policy: &RegisteredPolicy) -> Self {
        Self {
            name: policy.name().to_owned(),
            file: policy.file(),
            line: policy.line(),
            policy: text(policy.policy_parts()),
            breaker: policy.breaker().map(str::to_owned),
        }
    }
}

fn text(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

impl FunctionCounts {
    pub(super) fn of(counts: &CallCounts, unknown: u64) -> Self {
        Self {
            success: counts.calls(CallOutcome::Success),
            error: counts.calls(CallOutcome::Error),
            rejected: counts.calls(CallOutcome::Rejected),
            timeout: counts.calls(CallOutcome::Timeout),
            cancelled: counts.calls(CallOutcome::Cancelled),
            retries: counts.total_retries(),
            unknown,
        }
    }
}

/// A retry budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct BudgetRow {
    name: String,
    capacity: u32,
    available: u32,
}

impl BudgetRow {
    pub(super) fn of(budget: &BudgetSnapshot) -> Self {
        Self { name: budget.name.clone(), capacity: budget.capacity, available: budget.available }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_bounded_and_empty_while_nothing_happens() {
        let mut history = History::default();
        history.push(Point::default());
        assert_eq!(history.last(), None);
        history.push([1, 2, 3]);
        for _ in 0..History::POINTS - 1 {
            history.push(Point::default());
        }
        assert_eq!(history.points().count(), History::POINTS);
        history.push(Point::default());
        assert!(history.points().next().is_none());
    }
}
