//! What a breaker reports about itself.

use std::time::Duration;

use tokio::time::Instant;

use super::config::BreakerConfig;
use super::window::WindowStats;
use crate::error::BreakerState;

/// A snapshot of a breaker, from [`CircuitBreaker::stats`](crate::CircuitBreaker::stats).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStats {
    /// The state.
    pub state: BreakerState,
    /// Whether `force_open`, `force_closed` or `disable` holds it there.
    pub is_forced: bool,
    /// Whether that is by `disable`.
    pub disabled: bool,
    /// Closed or disabled: consecutive failures so far. Open or half-open: the threshold, which
    /// they reached. Forced open or forced closed: 0. With a window: the failures in it.
    pub failure_count: u32,
    /// Half-open: successful probes so far. Otherwise 0.
    pub success_count: u32,
    /// When a call last failed, by tokio's clock, to the millisecond. This includes probes that
    /// were slow or timed out.
    pub last_failure_time: Option<Instant>,
    /// Open: how long until the breaker is half-open. Half-open: 0 until the first probe, then
    /// `None`. Otherwise `None`, including while the breaker is forced open.
    pub time_until_half_open: Option<Duration>,
    /// Open or half-open: how often it has opened without closing in between, 1 or more. Otherwise
    /// 0.
    pub consecutive_openings: u32,
    /// `None` if the breaker has no window. Closed or disabled: what is in its window.
    /// Open or half-open: what was there when it opened, except results that are too old by now.
    /// Forced open or forced closed: empty.
    pub window: Option<WindowStats>,
    /// The configuration.
    pub config: BreakerConfig,
    /// Counts since the breaker was created.
    pub totals: BreakerTotals,
}

/// What a breaker has counted since it was created. Neither a change of state nor a reset clears
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerTotals {
    /// Calls that succeeded.
    pub successes: u64,
    /// Calls that failed with an error of a kind that [counts](BreakerConfig::trips_on), or
    /// panicked.
    pub failures: u64,
    /// Calls that ended in another way: other errors, and dropped futures.
    pub ignored: u64,
    /// Successes and failures that were slow, if the breaker times calls.
    pub slow_calls: u64,
    /// Calls that were rejected.
    pub rejected: u64,
    /// Changes of state.
    pub transitions: u64,
}
