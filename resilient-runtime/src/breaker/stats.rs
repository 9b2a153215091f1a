//! What a breaker tells of itself.

use std::time::Duration;

use tokio::time::Instant;

use super::config::BreakerConfig;
use super::state::Mode;
use super::window::WindowStats;
use crate::error::BreakerState;

impl From<Mode> for BreakerState {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Closed | Mode::ForcedClosed | Mode::Disabled => Self::Closed,
            Mode::Open | Mode::ForcedOpen => Self::Open,
            Mode::HalfOpen => Self::HalfOpen,
        }
    }
}

/// A breaker at one moment, from [`CircuitBreaker::stats`](crate::CircuitBreaker::stats).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStats {
    /// The state.
    pub state: BreakerState,
    /// Whether `force_open`, `force_closed` or `disable` holds it there.
    pub is_forced: bool,
    /// Whether that is by `disable`.
    pub disabled: bool,
    /// Closed or disabled: failures in a row so far. Open or half-open: the threshold, which they
    /// had reached. Held by hand otherwise: 0. With a window: the failures in it.
    pub failure_count: u32,
    /// Half-open: successful probes so far. Otherwise 0.
    pub success_count: u32,
    /// When a call last failed, in tokio's time, to the millisecond. Probes that were slow or hung
    /// are among them.
    pub last_failure_time: Option<Instant>,
    /// Open: how long until the breaker is half-open. Half-open: 0 until the first probe, then
    /// `None`. Otherwise `None`, also while the breaker is held open manually.
    pub time_until_half_open: Option<Duration>,
    /// Open or half-open: how often it has opened without having closed in between, 1 or more.
    /// Otherwise 0.
    pub consecutive_openings: u32,
    /// Where it opens by rates. Closed or disabled: what is in its window. Open or half-open: what
    /// was there when it opened, as far as that is not too old by now. Held by hand otherwise:
    /// empty.
    pub window: Option<WindowStats>,
    /// How it behaves.
    pub config: BreakerConfig,
    /// Counts since it was made.
    pub totals: BreakerTotals,
}

/// What a breaker has counted since it was made. Neither a change of state nor a reset clears it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerTotals {
    /// Calls that succeeded.
    pub successes: u64,
    /// Calls that failed with an error of a kind that [counts](BreakerConfig::trips_on), or
    /// panicked.
    pub failures: u64,
    /// Calls that ended otherwise: other errors, and futures that were dropped.
    pub ignored: u64,
    /// Successes and failures that were slow, where a call can be.
    pub slow_calls: u64,
    /// Calls that were not let through.
    pub rejected: u64,
    /// Changes of state.
    pub transitions: u64,
}
