//! The results that a breaker with a window remembers.
//!
//! A window holds the results of one period. It is not cleared when the breaker closes: the first
//! result of a new period empties it.
//!
//! Both windows are guarded by locks that are held for a few nanoseconds. Every call of a breaker
//! with a window takes one. A breaker without a window has no lock.

mod calls;
mod short_lock;
mod time;

use tokio::time::Instant;

pub(super) use self::calls::CallWindow;
pub(super) use self::time::TimeWindow;

use super::config::{BreakerConfig, Trip, Window, share, window_trip};
use crate::event::{CountedFailure, TransitionCause};

/// How a call ended, if it counts. Other calls are not in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallResult {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

impl CallResult {
    /// Whether it brings the breaker closer to opening.
    const fn is_miss(self) -> bool {
        self.failed || self.slow
    }
}

/// What is in the window of a breaker, from [`BreakerStats`](crate::BreakerStats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowStats {
    /// Calls in the window.
    pub calls: u64,
    /// How many of them failed.
    pub failures: u64,
    /// How many of them were slow, whether they failed or not.
    pub slow_calls: u64,
}

impl WindowStats {
    /// The share of failures, from 0 to 1; 0 if there are no calls.
    #[must_use]
    pub fn failure_rate(&self) -> f64 {
        share(self.failures, self.calls)
    }

    /// The share of slow calls, from 0 to 1; 0 if there are no calls.
    #[must_use]
    pub fn slow_call_rate(&self) -> f64 {
        share(self.slow_calls, self.calls)
    }

    /// Returns why this opens the breaker, if it does.
    pub(super) fn trip(&self, config: &BreakerConfig) -> Option<Trip> {
        window_trip(config, self.calls, self.failures, self.slow_calls)
    }

    /// Returns what an event says about why this opens the breaker.
    pub(super) const fn cause(&self, trip: Trip, last: CountedFailure) -> TransitionCause {
        let Self { calls, failures, slow_calls } = *self;
        match trip {
            Trip::Failures => TransitionCause::Failures { failures, last },
            Trip::FailureRate => TransitionCause::FailureRate { failures, calls, last },
            Trip::SlowCallRate => TransitionCause::SlowCallRate { slow_calls, calls, last },
        }
    }
}

/// Either kind of window.
#[expect(clippy::large_enum_variant, reason = "it is always boxed")]
pub(super) enum Results {
    Calls(CallWindow),
    Time(TimeWindow),
}

impl Results {
    pub(super) fn new(window: Window, now: Instant) -> Self {
        match window {
            Window::Calls(calls) => Self::Calls(CallWindow::new(calls)),
            Window::Time(time) => Self::Time(TimeWindow::new(time, now)),
        }
    }

    /// Adds the result of a call of this period, unless `period_lasts` returns `false`. Returns
    /// what the window then holds, if that may open the breaker.
    #[inline]
    pub(super) fn record(
        &self,
        result: CallResult,
        period: u32,
        period_lasts: impl Fn() -> bool,
        now: impl Fn() -> Instant,
    ) -> Option<WindowStats> {
        match self {
            Self::Calls(window) => window.record(result, period, period_lasts),
            Self::Time(window) => window.record(result, period, period_lasts, now()),
        }
    }

    /// Returns what the window holds for this period; for its own period if `None` is given.
    pub(super) fn stats(&self, period: Option<u32>, now: Instant) -> WindowStats {
        match self {
            Self::Calls(window) => window.stats(period),
            Self::Time(window) => window.stats(period, now),
        }
    }
}

impl WindowStats {
    fn add(&mut self, result: CallResult) {
        self.calls += 1;
        self.failures += u64::from(result.failed);
        self.slow_calls += u64::from(result.slow);
    }

    fn add_all(&mut self, other: Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow_calls += other.slow_calls;
    }

    fn remove(&mut self, result: CallResult) {
        self.calls -= 1;
        self.failures -= u64::from(result.failed);
        self.slow_calls -= u64::from(result.slow);
    }
}
