//! Errors: their classification, and the errors of the policies themselves.

mod adapters;
mod breaker_name;
mod breaker_state;
mod breaker_status;
mod classification;
mod classify;
mod dyn_error;
#[cfg(any(feature = "tonic", feature = "reqwest"))]
mod hint;
mod io;
mod open_error;
mod own_error;
mod readable;
mod rejection;
mod sources;

#[cfg(feature = "reqwest")]
pub use self::adapters::retry_after;
pub use self::breaker_name::BreakerName;
pub use self::breaker_state::BreakerState;
pub use self::breaker_status::BreakerStatus;
pub use self::classification::Classification;
pub use self::classify::Classify;
pub use self::open_error::CircuitOpenError;
pub use self::own_error::{ERRORS, NoError, OwnError, Registered};
pub(crate) use self::readable::readable;
pub use self::rejection::Rejection;
