//! Settings of circuit breakers.

mod builder;
mod config;
mod keys;
mod limits;
#[cfg(test)]
mod tests;

pub use self::builder::BreakerConfigBuilder;
pub use self::config::{BreakerConfig, Rates, Window, rates, trips_on_deadline};
pub use self::keys::KEYS;
