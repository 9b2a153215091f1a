//! The durations of calls, as a histogram.

use std::collections::BTreeMap;

use ::metrics::histogram;

use super::names::CALL_DURATION;
use crate::CallOutcome;
use crate::call::Durations;
use crate::catalog::{Counted, Exported};

/// How many calls of a function and outcome are recorded at once. An exporter may keep each of them in
/// memory until it is scraped, and nothing may have scraped it for hours. The others follow the next
/// time.
const MOST: u64 = 1_000_000;

/// Records the calls of each function since the last time. Each is recorded with its duration as it is
/// kept, which is at most 1 % too long.
pub(super) fn record(functions: &BTreeMap<String, Counted>, exported: &mut Exported) {
    exported.durations.retain(|name, _| functions.contains_key(name));
    for (function, counted) in functions {
        if !counted.is_timed && counted.durations.is_empty() {
            continue;
        }
        let told = exported.durations.entry(function.clone()).or_insert(Durations::NONE);
        for outcome in CallOutcome::ALL {
            let histogram = histogram!(
                CALL_DURATION,
                "function" => function.clone(),
                "outcome" => outcome.as_str()
            );
            for (duration, count) in counted.durations.tell(*outcome, told, MOST) {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                histogram.record_many(duration.as_secs_f64(), count);
            }
        }
    }
}
