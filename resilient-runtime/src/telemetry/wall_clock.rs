//! Times by the wall clock.

use std::time::SystemTime;

/// Returns the time by the wall clock, in milliseconds since the Unix epoch. 0 before it.
pub(super) fn now_in_millis() -> u64 {
    in_millis(SystemTime::now())
}

/// Returns a time by the wall clock, in milliseconds since the Unix epoch. 0 before it.
pub(super) fn in_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
