//! The settings that source gives a breaker.

use crate::{BreakerConfig, KeyedBreakers};

/// What source says of a breaker, or of all the breakers of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    config: BreakerConfig,
    max_keys: Option<u32>,
}

impl BreakerSettings {
    /// Those of a breaker of which nothing is said.
    pub(crate) const DEFAULT: Self = Self::new(BreakerConfig::DEFAULT);

    /// Of one breaker.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(config: BreakerConfig) -> Self {
        Self { config, max_keys: None }
    }

    /// Of a template.
    #[doc(hidden)]
    #[must_use]
    pub const fn keyed(config: BreakerConfig, max_keys: Option<u32>) -> Self {
        let max_keys = match max_keys {
            Some(max_keys) => max_keys,
            None => KeyedBreakers::DEFAULT_MAX_KEYS,
        };
        Self { config, max_keys: Some(max_keys) }
    }

    /// How the breaker behaves, or each of them.
    #[must_use]
    pub const fn config(&self) -> &BreakerConfig {
        &self.config
    }

    /// Returns how many breakers the template may have at once. `None` if the name is not a template.
    #[must_use]
    pub const fn max_keys(&self) -> Option<u32> {
        self.max_keys
    }
}
