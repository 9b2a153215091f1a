//! How often a breaker has changed, by its status before and after.

use crate::BreakerStatus;

const STATUSES: usize = BreakerStatus::ALL.len();

/// How often a breaker, or all breakers of a template, has changed from one status to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TransitionCounts([[u64; STATUSES]; STATUSES]);

impl TransitionCounts {
    pub(super) const fn count(&mut self, from: BreakerStatus, to: BreakerStatus) {
        self.0[from as usize][to as usize] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *sum += more;
        }
    }

    /// Returns how often it has changed in this way.
    #[cfg(any(feature = "metrics", loom))]
    pub(crate) const fn of(&self, from: BreakerStatus, to: BreakerStatus) -> u64 {
        self.0[from as usize][to as usize]
    }
}
