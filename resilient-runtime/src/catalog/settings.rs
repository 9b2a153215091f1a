//! The settings that source gives a breaker.

use crate::{BreakerConfig, KeyedBreakers};

/// The settings of a breaker, or of all breakers of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    config: BreakerConfig,
    max_keys: Option<u32>,
}

impl BreakerSettings {
    /// The settings of a breaker that source does not configure.
    pub(crate) const DEFAULT: Self = Self::new(BreakerConfig::DEFAULT);

    /// The settings of one breaker.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(config: BreakerConfig) -> Self {
        Self { config, max_keys: None }
    }

    /// The settings of a template.
    #[doc(hidden)]
    #[must_use]
    pub const fn keyed(config: BreakerConfig, max_keys: Option<u32>) -> Self {
        let max_keys = match max_keys {
            Some(max_keys) => max_keys,
            None => KeyedBreakers::DEFAULT_MAX_KEYS,
        };
        Self { config, max_keys: Some(max_keys) }
    }

    /// Returns the configuration of the breaker, or of each breaker of the template.
    #[must_use]
    pub const fn config(&self) -> &BreakerConfig {
        &self.config
    }

    /// Returns how many breakers the template may have at once. `None` if the name is not a
    /// template.
    #[must_use]
    pub const fn max_keys(&self) -> Option<u32> {
        self.max_keys
    }
}
