//! Durations in messages.

use std::time::Duration;

/// Rounds up to the millisecond.
pub(crate) fn readable(duration: Duration) -> Duration {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
