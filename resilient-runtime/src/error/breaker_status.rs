//! The state of a breaker, and how it is held in that state.

use std::fmt;

use super::breaker_state::BreakerState;

/// The state of a circuit breaker, and whether it is held there by hand.
///
/// ```
/// use resilient_runtime::{BreakerState, BreakerStatus};
///
/// assert_eq!(BreakerStatus::ForcedOpen.as_str(), "forced_open");
/// assert_eq!(BreakerStatus::ForcedOpen.state(), BreakerState::Open);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerStatus {
    /// Closed.
    Closed,
    /// Open, until its open duration is over.
    Open,
    /// Half-open.
    HalfOpen,
    /// Held open by [`force_open`](crate::CircuitBreaker::force_open).
    ForcedOpen,
    /// Held closed by [`force_closed`](crate::CircuitBreaker::force_closed).
    ForcedClosed,
    /// Held closed by [`disable`](crate::CircuitBreaker::disable).
    Disabled,
}

impl BreakerStatus {
    /// Every status.
    pub const ALL: &'static [Self] = &[
        Self::Closed,
        Self::Open,
        Self::HalfOpen,
        Self::ForcedOpen,
        Self::ForcedClosed,
        Self::Disabled,
    ];

    /// Returns `"closed"`, `"open"`, `"half_open"`, `"forced_open"`, `"forced_closed"` or
    /// `"disabled"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Disabled => "disabled",
        }
    }

    /// Returns the state, which decides whether calls are admitted.
    #[must_use]
    pub const fn state(self) -> BreakerState {
        match self {
            Self::Closed | Self::ForcedClosed | Self::Disabled => BreakerState::Closed,
            Self::Open | Self::ForcedOpen => BreakerState::Open,
            Self::HalfOpen => BreakerState::HalfOpen,
        }
    }

    /// Returns whether the breaker is held by hand.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::ForcedOpen | Self::ForcedClosed | Self::Disabled)
    }
}

impl fmt::Display for BreakerStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
