//! The circuit breaker: the edge where the pure state machine meets atomics, the clock and events.

mod admission;
mod admitted;
mod circuit_breaker;
mod clock;
mod config;
mod counts;
mod failure;
mod keyed;
mod live_config;
#[cfg(all(test, loom))]
mod loom_tests;
mod open_streak;
mod permit;
mod probe_slots;
mod restoring;
mod settling;
mod state;
mod stats;
mod sync;
mod totals;
mod transition;
mod transition_counts;
mod transition_log;
mod waiters;
mod waiting;
mod window;

pub use self::circuit_breaker::CircuitBreaker;
#[cfg(feature = "admin")]
pub(crate) use self::circuit_breaker::ManualAction;
pub(crate) use self::counts::BreakerCounts;
pub(crate) use self::failure::Caller;
#[cfg(feature = "settings")]
pub(crate) use self::keyed::KeyedConfig;
pub(crate) use self::keyed::{Held, Part, Template};
pub use self::keyed::{KeyedBreakers, key_part};
pub(crate) use self::permit::CallState;
pub use self::permit::Permit;
pub(crate) use self::restoring::RestoredState;
pub use self::stats::{BreakerStats, BreakerTotals};
pub(crate) use self::transition_log::Transition;
pub use self::window::WindowStats;
