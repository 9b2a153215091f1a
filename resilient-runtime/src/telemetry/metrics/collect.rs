//! Brings a recorder up to date.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use ::metrics::{Counter, counter, gauge};

use super::names::{
    BREAKER_RESULTS, BREAKER_STATE, BREAKER_TRANSITIONS, BUDGET_TOKENS, CALLS, GAVE_UP, RETRIES,
    describe,
};
use super::{durations, values};
use crate::breaker::BreakerCounts;
use crate::catalog::{self, Counted, Exported};
use crate::{BreakerStatus, BreakerTotals, CallOutcome, ErrorKind, GiveUpReason, SharedBreaker};

/// Held while a recorder is brought up to date, and until it is read.
static SCRAPING: Mutex<()> = Mutex::new(());

/// Brings the recorder that the program has installed up to date: every counter to its total, and
/// every gauge to its value now. Any thread may call it, as often as it likes.
///
/// Install the recorder before the first call. Call it before each export: in a task at the
/// exporter's interval, if the exporter pushes. For an exporter that is scraped, use [`scrape`].
///
/// Every function, breaker and budget that source names has its series from the first time on, with
/// 0, before any call. Breakers that only code holds, such as a `CircuitBreaker::new`, have none,
/// unless they belong to a [registered](crate::Policy::register) policy. Inside
/// [`test::isolated`](crate::guide::testing), the numbers are those of the test.
///
/// ```
/// use std::time::Duration;
///
/// # async fn start() {
/// tokio::spawn(async {
///     loop {
///         resilient_runtime::metrics::collect();
///         tokio::time::sleep(Duration::from_secs(10)).await;
///     }
/// });
/// # }
/// ```
///
/// # Panics
///
/// Panics if the recorder does.
pub fn collect() {
    scrape(|| {});
}

/// Brings the recorder up to date, and then returns what `render` returns. Scrapes take turns, so
/// that in the text of each scrape, each breaker has exactly one state.
///
/// `render` must not call this function or [`collect`](fn@crate::metrics::collect): it would wait for
/// itself.
///
/// ```
/// # struct Handle;
/// # impl Handle { fn render(&self) -> String { String::new() } }
/// # let handle = Handle;
/// // The handle of `PrometheusBuilder::install_recorder`.
/// let text = resilient_runtime::metrics::scrape(|| handle.render());
/// # drop(text);
/// ```
///
/// # Panics
///
/// Panics if `render` or the recorder does. Later scrapes are not affected.
pub fn scrape<R>(render: impl FnOnce() -> R) -> R {
    let _scraping = SCRAPING.lock().unwrap_or_else(PoisonError::into_inner);
    describe();
    let functions = catalog::counted();
    catalog::exported(|exported| {
        calls(&functions, exported);
        durations::record(&functions, exported);
        breakers(exported);
    });
    budgets();
    render()
}

/// Brings a counter up to date. With `before`, it is told the difference: a counter does not go back,
/// and what is counted may start anew.
fn count(counter: &Counter, now: u64, before: Option<u64>) {
    match before {
        None => counter.absolute(now),
        Some(before) => counter.increment(now.saturating_sub(before)),
    }
}

fn calls(functions: &BTreeMap<String, Counted>, exported: &mut Exported) {
    exported.calls.retain(|name, _| functions.contains_key(name));
    for (function, counted) in functions {
        let now = &counted.calls;
        let told = exported.calls.entry(function.clone()).or_default();
        let before = told.replace(now.clone(), counted.may_end);
        let before = before.as_ref();
        let function = || function.clone();
        for outcome in CallOutcome::ALL {
            let calls = counter!(CALLS, "function" => function(), "outcome" => outcome.as_str());
            count(&calls, now.calls(*outcome), before.map(|it| it.calls(*outcome)));
        }
        if !counted.is_retried {
            continue;
        }
        for kind in ErrorKind::ALL.iter().filter(|kind| kind.is_transient()) {
            let retries = counter!(RETRIES, "function" => function(), "kind" => kind.as_str());
            count(&retries, now.retries(*kind), before.map(|it| it.retries(*kind)));
        }
        for reason in GiveUpReason::ALL {
            let gave_up = counter!(GAVE_UP, "function" => function(), "reason" => reason.as_str());
            count(&gave_up, now.gave_up(*reason), before.map(|it| it.gave_up(*reason)));
        }
    }
}

fn breakers(exported: &mut Exported) {
    exported.round += 1;
    for (name, group) in catalog::breaker_groups() {
        let statuses = group.breakers.iter().map(|breaker| breaker.status());
        breaker(&name, statuses, &group.counts, group.may_end, exported);
        if group.is_template {
            of_template(&name, &group.breakers, exported);
        }
    }
    // An exporter may show the last values for ever. A breaker that has ended is in no state.
    let round = exported.round;
    exported.breakers.retain(|name, told| {
        let exists = told.round == round;
        if !exists && told.is_shown {
            states(name, []);
        }
        exists
    });
}

/// Shows some breakers of a template by themselves, if that is asked for.
fn of_template(template: &str, breakers: &[SharedBreaker], exported: &mut Exported) {
    let (shown, hidden) = values::split(template, breakers);
    for one in shown {
        let mut now = BreakerCounts::default();
        now.add(one);
        breaker(one.name().as_str(), [one.status()], &now, true, exported);
    }
    for one in hidden {
        let name = one.name().as_str();
        if let Some(told) = exported.breakers.get_mut(name) {
            // Its counters go on from where they are, should it be shown again.
            told.round = exported.round;
            if mem::take(&mut told.is_shown) {
                states(name, []);
            }
        }
    }
}

/// Shows a breaker, or a template.
fn breaker(
    name: &str,
    statuses: impl IntoIterator<Item = BreakerStatus>,
    now: &BreakerCounts,
    may_end: bool,
    exported: &mut Exported,
) {
    let breaker = exported.breakers.entry(name.to_owned()).or_default();
    breaker.round = exported.round;
    breaker.is_shown = true;
    let before = breaker.told.replace(*now, may_end);
    states(name, statuses);
    counts(name, now, before.as_ref());
}

/// Sets how many of these breakers are in each state.
fn states(name: &str, statuses: impl IntoIterator<Item = BreakerStatus>) {
    let mut numbers = [0_u32; BreakerStatus::ALL.len()];
    for status in statuses {
        numbers[status as usize] += 1;
    }
    for status in BreakerStatus::ALL {
        let state = gauge!(BREAKER_STATE, "breaker" => name.to_owned(), "state" => status.as_str());
        state.set(numbers[*status as usize]);
    }
}

fn counts(name: &str, now: &BreakerCounts, before: Option<&BreakerCounts>) {
    let results_before = before.map(|it| results(&it.totals));
    for (place, (result, now)) in results(&now.totals).into_iter().enumerate() {
        let results = counter!(BREAKER_RESULTS, "breaker" => name.to_owned(), "result" => result);
        count(&results, now, results_before.map(|before| before[place].1));
    }
    for from in BreakerStatus::ALL {
        for to in BreakerStatus::ALL {
            let changes = now.transitions.of(*from, *to);
            if changes > 0 || is_usual(*from, *to) {
                let transitions = counter!(
                    BREAKER_TRANSITIONS,
                    "breaker" => name.to_owned(),
                    "from" => from.as_str(),
                    "to" => to.as_str()
                );
                count(&transitions, changes, before.map(|it| it.transitions.of(*from, *to)));
            }
        }
    }
}

/// What calls were to a breaker. Each call that asks it is one of them.
const fn results(totals: &BreakerTotals) -> [(&'static str, u64); 4] {
    let BreakerTotals { successes, failures, ignored, rejected, .. } = *totals;
    [("success", successes), ("failure", failures), ("ignored", ignored), ("rejected", rejected)]
}

/// Whether a breaker changes in this way by itself. These changes have their series from the start;
/// those by hand have one once there was one.
const fn is_usual(from: BreakerStatus, to: BreakerStatus) -> bool {
    matches!(
        (from, to),
        (BreakerStatus::Closed | BreakerStatus::HalfOpen, BreakerStatus::Open)
            | (BreakerStatus::Open, BreakerStatus::HalfOpen)
            | (BreakerStatus::HalfOpen, BreakerStatus::Closed)
    )
}

fn budgets() {
    for budget in catalog::budgets() {
        gauge!(BUDGET_TOKENS, "budget" => budget.name()).set(budget.available());
    }
}
