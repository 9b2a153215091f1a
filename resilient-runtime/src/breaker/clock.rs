//! The breaker's own time: milliseconds since it first read the clock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::state::Moment;

/// Reads tokio's clock, so that `tokio::time::pause` governs a breaker in a test.
///
/// Moments count from the breaker's own first reading, not from one of the whole process: tests
/// that run in parallel each have a paused clock of their own, with any time on it.
pub(super) struct Clock {
    epoch: OnceLock<Instant>,
    /// The moment of the last failure, plus one; 0 before the first.
    last_failure: AtomicU64,
}

impl Clock {
    pub(super) const fn new() -> Self {
        Self { epoch: OnceLock::new(), last_failure: AtomicU64::new(0) }
    }

    pub(super) fn now(&self) -> Moment {
        moment(self.elapsed())
    }

    /// Records a failure at this time.
    pub(super) fn record_failure(&self, elapsed: Duration) {
        let millis = moment(elapsed).as_millis() + 1;
        // Relaxed: this is for display only. The maximum, since failures settle in any order. Of
        // many failures in a millisecond, one writes.
        if self.last_failure.load(Ordering::Relaxed) < millis {
            self.last_failure.fetch_max(millis, Ordering::Relaxed);
        }
    }

    pub(super) fn last_failure(&self) -> Option<Instant> {
        let millis = self.last_failure.load(Ordering::Relaxed).checked_sub(1)?;
        self.instant(Moment::from_millis(millis))
    }

    /// Converts a moment to tokio's clock. `None` before the clock was first read.
    pub(super) fn instant(&self, moment: Moment) -> Option<Instant> {
        self.epoch.get()?.checked_add(Duration::from_millis(moment.as_millis()))
    }

    /// Returns how long it is until `moment`.
    pub(super) fn until(&self, moment: Moment) -> Duration {
        moment.after(self.elapsed())
    }

    /// Returns the time since the first reading, which may be this one.
    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed_at(Instant::now())
    }

    /// [`elapsed`](Self::elapsed), by a reading that was made just now.
    pub(super) fn elapsed_at(&self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.epoch.get_or_init(|| now))
    }
}

/// Rounds down to the millisecond: a caller that waits for as long as a breaker is to stay open
/// finds it ready.
pub(super) fn moment(elapsed: Duration) -> Moment {
    let millis = elapsed.as_secs().saturating_mul(1000);
    Moment::from_millis(millis.saturating_add(u64::from(elapsed.subsec_millis())))
}
