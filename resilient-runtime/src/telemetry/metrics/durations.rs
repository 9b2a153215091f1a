//! The durations of calls, as a histogram.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ::metrics::histogram;

use super::names::CALL_DURATION;
use crate::catalog::Counted;
use crate::{CallOutcome, Durations};

/// Records the calls of each function since the last time. Each is recorded with its duration as it is
/// kept, which is at most 1 % too long.
pub(super) fn record(functions: &BTreeMap<String, Counted>) {
    static RECORDED: Mutex<BTreeMap<String, Durations>> = Mutex::new(BTreeMap::new());
    // The map is never half changed, so it is valid after a panic of a recorder.
    let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    for (function, counted) in functions {
        if counted.durations.is_empty() {
            continue;
        }
        let before = recorded.insert(function.clone(), counted.durations.clone());
        for outcome in CallOutcome::ALL {
            let histogram = histogram!(
                CALL_DURATION,
                "function" => function.clone(),
                "outcome" => outcome.as_str()
            );
            let new =
                counted.durations.of(*outcome).since(before.as_ref().map(|it| it.of(*outcome)));
            for (duration, count) in new {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                histogram.record_many(duration.as_secs_f64(), count);
            }
        }
    }
}
