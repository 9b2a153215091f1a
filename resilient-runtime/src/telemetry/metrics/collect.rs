//! Brings a recorder up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use ::metrics::{counter, gauge};

use super::names::{
    BREAKER_RESULTS, BREAKER_STATE, BREAKER_TRANSITIONS, BUDGET_TOKENS, CALLS, GAVE_UP, RETRIES,
    describe,
};
use super::{durations, values};
use crate::breaker::BreakerCounts;
use crate::catalog::{self, Counted};
use crate::{BreakerStatus, CallOutcome, CircuitBreaker, ErrorKind, GiveUpReason};

/// Held while a recorder is brought up to date, and until it is read.
static SCRAPING: Mutex<()> = Mutex::new(());

/// Brings the recorder that the program has installed up to date: every counter to its total, and
/// every gauge to its value now. Any thread may call it, as often as it likes.
///
/// Call it before each export: in a task at the exporter's interval, if the exporter pushes. For an
/// exporter that is scraped, use [`scrape`].
///
/// Every function, breaker and budget that source names has its series from the first time on, with
/// 0, before any call. Breakers that only code holds, such as a `CircuitBreaker::new`, have none,
/// unless they belong to a [registered](crate::Policy::register) policy.
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
pub fn collect() {
    scrape(|| {});
}

/// Brings the recorder up to date, and then returns what `render` returns. Scrapes take turns, so
/// that in the text of each scrape, each breaker has exactly one state.
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
    calls(&functions);
    durations::record(&functions);
    breakers();
    budgets();
    render()
}

fn calls(functions: &BTreeMap<String, Counted>) {
    for (function, counted) in functions {
        let function = || function.clone();
        for outcome in CallOutcome::ALL {
            let calls = counter!(CALLS, "function" => function(), "outcome" => outcome.as_str());
            calls.absolute(counted.calls.calls(*outcome));
        }
        if !counted.is_retried {
            continue;
        }
        for kind in ErrorKind::ALL.iter().filter(|kind| kind.is_transient()) {
            let retries = counter!(RETRIES, "function" => function(), "kind" => kind.as_str());
            retries.absolute(counted.calls.retries(*kind));
        }
        for reason in GiveUpReason::ALL {
            let gave_up = counter!(GAVE_UP, "function" => function(), "reason" => reason.as_str());
            gave_up.absolute(counted.calls.gave_up(*reason));
        }
    }
}

fn breakers() {
    let mut shown = BTreeSet::new();
    for group in catalog::breaker_groups() {
        states(&group.name, group.breakers.iter().map(|breaker| breaker.status()));
        counts(&group.name, &group.counts);
        for index in values::shown(&group) {
            let breaker = &group.breakers[index];
            one_of_template(breaker);
            shown.insert(breaker.name().to_string());
        }
    }
    for gone in values::replace(shown) {
        states(&gone, []);
    }
}

/// Shows a breaker of a template by itself.
fn one_of_template(breaker: &CircuitBreaker) {
    let mut own = BreakerCounts::default();
    own.add(breaker);
    states(breaker.name(), [breaker.status()]);
    counts(breaker.name(), &own);
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

fn counts(name: &str, counts: &BreakerCounts) {
    let totals = counts.totals;
    for (result, count) in [
        ("success", totals.successes),
        ("failure", totals.failures),
        ("ignored", totals.ignored),
        ("rejected", totals.rejected),
    ] {
        counter!(BREAKER_RESULTS, "breaker" => name.to_owned(), "result" => result).absolute(count);
    }
    for (from, to, count) in counts.transitions.all() {
        if count > 0 || is_usual(from, to) {
            let transitions = counter!(
                BREAKER_TRANSITIONS,
                "breaker" => name.to_owned(),
                "from" => from.as_str(),
                "to" => to.as_str()
            );
            transitions.absolute(count);
        }
    }
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
