//! What the program reports about itself as a whole, and takes over after a restart.

mod breaker_snapshot;
mod duration_snapshot;
#[cfg(feature = "metrics")]
pub mod metrics;
mod restore;
mod restored;
mod snapshot;
mod wall_clock;
#[cfg(feature = "serde")]
mod wire;

pub use self::breaker_snapshot::{BreakerChange, BreakerSnapshot};
pub use self::duration_snapshot::DurationSnapshot;
pub use self::restore::restore;
pub use self::restored::{NotRestored, Restored};
pub use self::snapshot::{BudgetSnapshot, FunctionSnapshot, Snapshot, snapshot};
