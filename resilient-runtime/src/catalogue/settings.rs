//! The numbers that source gives a breaker.

use crate::{BreakerConfig, KeyedBreakers};

/// The numbers of a breaker, or of all the breakers of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// How each behaves.
    pub config: BreakerConfig,
    /// How many of one template there may be.
    pub max_keys: u32,
}

impl BreakerSettings {
    /// Those of a breaker of which nothing is said.
    pub const DEFAULT: Self = Self::new(BreakerConfig::DEFAULT);

    /// For as many breakers as there may be by default.
    #[must_use]
    pub const fn new(config: BreakerConfig) -> Self {
        Self { config, max_keys: KeyedBreakers::DEFAULT_MAX_KEYS }
    }

    /// For so many.
    #[must_use]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = max_keys;
        self
    }
}
