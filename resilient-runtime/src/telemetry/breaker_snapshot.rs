//! One breaker in a snapshot.

use std::fmt;
use std::time::Duration;

use crate::error::readable;
use crate::{BreakerState, BreakerTotals, CircuitBreaker, WindowStats};

/// How a breaker is held in its state, until
/// [`reset`](CircuitBreaker::reset) or another of these methods.
///
/// ```
/// assert_eq!(resilient_runtime::Hold::ForcedOpen.as_str(), "forced_open");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hold {
    /// By [`force_open`](CircuitBreaker::force_open).
    ForcedOpen,
    /// By [`force_closed`](CircuitBreaker::force_closed).
    ForcedClosed,
    /// By [`disable`](CircuitBreaker::disable).
    Disabled,
}

impl Hold {
    /// Returns `"forced_open"`, `"forced_closed"` or `"disabled"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Disabled => "disabled",
        }
    }
}

/// `forced_open`
impl fmt::Display for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A breaker in a [`Snapshot`](crate::Snapshot).
///
/// ```
/// use resilient_runtime::{BreakerConfig, BreakerState, CircuitBreaker, Hold, Policy};
/// # use std::sync::Arc;
///
/// let breaker = CircuitBreaker::new(BreakerConfig::DEFAULT).with_name("outbox");
/// let policy = Policy::builder("outbox").breaker(Arc::new(breaker)).build()?.register();
/// resilient_runtime::breaker("outbox").unwrap().force_open();
///
/// let snapshot = resilient_runtime::snapshot();
/// let outbox = snapshot.breaker("outbox").unwrap();
/// assert_eq!(outbox.state, BreakerState::Open);
/// assert_eq!(outbox.held, Some(Hold::ForcedOpen));
/// assert_eq!(outbox.to_string(), "forced_open");
/// # drop(policy);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// The name.
    pub name: String,
    /// The state.
    pub state: BreakerState,
    /// How the breaker is held in that state. `None` if it moves by itself.
    pub held: Option<Hold>,
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
}

impl BreakerSnapshot {
    pub(super) fn of(breaker: &CircuitBreaker) -> Self {
        let stats = breaker.stats();
        let held = stats.is_forced.then_some(match stats.state {
            _ if stats.disabled => Hold::Disabled,
            BreakerState::Closed => Hold::ForcedClosed,
            BreakerState::Open | BreakerState::HalfOpen => Hold::ForcedOpen,
        });
        Self {
            name: breaker.name().to_string(),
            state: stats.state,
            held,
            time_until_half_open: stats.time_until_half_open.map(whole_millis),
            consecutive_openings: stats.consecutive_openings,
            failure_count: stats.failure_count,
            success_count: stats.success_count,
            window: stats.window,
            totals: stats.totals,
        }
    }

    /// Returns the state, and how the breaker is held: `"closed"`, `"open"`, `"half_open"`,
    /// `"forced_open"`, `"forced_closed"` or `"disabled"`.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match self.held {
            Some(hold) => hold.as_str(),
            None => self.state.as_str(),
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
        formatter.write_str(self.status())?;
        match self.time_until_half_open {
            Some(left) if self.state == BreakerState::Open => {
                write!(formatter, " for {:?}", readable(left))
            }
            _ => Ok(()),
        }
    }
}
