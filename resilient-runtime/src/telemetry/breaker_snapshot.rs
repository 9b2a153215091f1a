//! One breaker in a snapshot.

use std::fmt;
use std::time::Duration;

use super::wall_clock::in_millis;
use crate::breaker::Transition;
use crate::error::readable;
use crate::{BreakerStatus, BreakerTotals, CircuitBreaker, WindowStats};

/// A breaker in a [`Snapshot`](crate::Snapshot).
///
/// ```
/// use resilient_runtime::{BreakerConfig, BreakerStatus, CircuitBreaker, Policy};
/// # use std::sync::Arc;
///
/// let breaker = CircuitBreaker::new(BreakerConfig::DEFAULT).with_name("outbox");
/// let policy = Policy::builder("outbox").breaker(Arc::new(breaker)).build()?.register();
/// resilient_runtime::breaker("outbox").unwrap().force_open();
///
/// let snapshot = resilient_runtime::snapshot();
/// let outbox = snapshot.breaker("outbox").unwrap();
/// assert_eq!(outbox.status, BreakerStatus::ForcedOpen);
/// assert_eq!(outbox.last_change.as_ref().unwrap().cause, "by hand");
/// assert_eq!(outbox.to_string(), "forced_open");
/// # drop(policy);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// The name.
    pub name: String,
    /// The state, and whether the breaker is held there by hand.
    pub status: BreakerStatus,
    /// Open: how long until the breaker is half-open, in whole milliseconds. Half-open: 0 until the
    /// first probe, then `None`. Otherwise `None`, including while the breaker is forced open.
    pub time_until_half_open: Option<Duration>,
    /// Open or half-open: how often it has opened without closing in between, 1 or more. Otherwise
    /// 0.
    pub consecutive_openings: u32,
    /// As [`BreakerStats::failure_count`](crate::BreakerStats::failure_count).
    pub failure_count: u32,
    /// Half-open: successful probes so far. Otherwise 0.
    pub success_count: u32,
    /// What is in the window. `None` if the breaker has no window.
    pub window: Option<WindowStats>,
    /// Counts since the breaker was created.
    pub totals: BreakerTotals,
    /// The last change of state, or the last act of an operator. `None` if there was none.
    pub last_change: Option<BreakerChange>,
}

/// The last change of a breaker in a [`Snapshot`](crate::Snapshot).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerChange {
    /// When it happened, by the wall clock, in milliseconds since the Unix epoch.
    pub at_millis: u64,
    /// The name of the status before, as [`BreakerStatus::as_str`] writes it.
    pub from: String,
    /// The name of the status since.
    pub to: String,
    /// Why, as [`TransitionCause`](crate::TransitionCause) writes it.
    pub cause: String,
}

impl BreakerSnapshot {
    pub(super) fn of(breaker: &CircuitBreaker) -> Self {
        let stats = breaker.stats();
        Self {
            name: breaker.name().to_string(),
            status: breaker.status(),
            time_until_half_open: stats.time_until_half_open.map(whole_millis),
            consecutive_openings: stats.consecutive_openings,
            failure_count: stats.failure_count,
            success_count: stats.success_count,
            window: stats.window,
            totals: stats.totals,
            last_change: breaker.last_transition().map(|change| BreakerChange::of(&change)),
        }
    }
}

impl BreakerChange {
    fn of(transition: &Transition) -> Self {
        let Transition { from, to, cause, at, .. } = transition;
        Self {
            at_millis: in_millis(*at),
            from: from.to_string(),
            to: to.to_string(),
            cause: cause.to_string(),
        }
    }
}

/// Rounds down, so that a restored breaker does not stay open for longer than was left.
fn whole_millis(duration: Duration) -> Duration {
    Duration::new(duration.as_secs(), duration.subsec_millis() * 1_000_000)
}

/// The status, and how long the breaker stays open: `open for 12s`
impl fmt::Display for BreakerSnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(formatter)?;
        match self.time_until_half_open {
            Some(left) if self.status == BreakerStatus::Open => {
                write!(formatter, " for {:?}", readable(left))
            }
            _ => Ok(()),
        }
    }
}
