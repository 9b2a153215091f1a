//! Breakers by a value of the arguments: one for each collection, tenant, shard.

mod breakers;
mod entries;
mod lanes;
mod live_config;
mod part;
mod template;

pub(crate) use self::breakers::Held;
pub use self::breakers::KeyedBreakers;
#[cfg(feature = "settings")]
pub(crate) use self::live_config::KeyedConfig;
pub(crate) use self::part::Part;
pub use self::part::key_part;
pub(crate) use self::template::Template;
