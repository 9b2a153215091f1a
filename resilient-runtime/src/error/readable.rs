//! Durations in texts for people.

use std::time::Duration;

/// To the millisecond, rounded up: more is noise to people.
pub(crate) fn readable(duration: Duration) -> Duration {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
