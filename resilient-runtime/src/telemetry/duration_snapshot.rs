//! How long calls took, in a snapshot.

use std::time::Duration;

use crate::{CallOutcome, Durations};

/// How long the calls of one outcome took, in a [`Snapshot`](crate::Snapshot). Each is at most 1 % too
/// long: see [`Durations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DurationSnapshot {
    /// The outcome.
    pub outcome: CallOutcome,
    /// How many calls were measured.
    pub count: u64,
    /// Half of the calls did not take longer.
    pub p50: Duration,
    /// 90 of 100 calls did not take longer.
    pub p90: Duration,
    /// 99 of 100 calls did not take longer.
    pub p99: Duration,
    /// The longest call.
    pub max: Duration,
}

impl DurationSnapshot {
    /// Returns one for each outcome that there was.
    pub(super) fn all(durations: &Durations) -> Vec<Self> {
        let of = |outcome: &CallOutcome| {
            let summary = durations.of(*outcome);
            Some(Self {
                outcome: *outcome,
                count: summary.count(),
                p50: summary.quantile(0.5)?,
                p90: summary.quantile(0.9)?,
                p99: summary.quantile(0.99)?,
                max: summary.max()?,
            })
        };
        CallOutcome::ALL.iter().filter_map(of).collect()
    }
}
