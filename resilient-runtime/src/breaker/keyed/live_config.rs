//! The configuration of a set of breakers, which settings may change.

use std::collections::BTreeMap;

use resilient_config::spelling::as_variable;

use crate::BreakerConfig;

/// How the breakers of a set are configured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyedConfig {
    /// Of every breaker that has none of its own.
    pub(crate) config: BreakerConfig,
    pub(crate) max_keys: u32,
    /// Of single breakers, by their names.
    pub(crate) own: BTreeMap<String, BreakerConfig>,
    /// Of single breakers, by their names [as variables](as_variable). These hold before those by
    /// name.
    pub(crate) by_variable: BTreeMap<String, BreakerConfig>,
}

impl KeyedConfig {
    pub(crate) const fn new(config: BreakerConfig, max_keys: u32) -> Self {
        Self { config, max_keys, own: BTreeMap::new(), by_variable: BTreeMap::new() }
    }

    /// Returns the configuration of the breaker of this name.
    pub(crate) fn of(&self, name: &str) -> BreakerConfig {
        let by_variable = || self.by_variable.get(&as_variable(name));
        let own = if self.by_variable.is_empty() { None } else { by_variable() };
        own.or_else(|| self.own.get(name)).copied().unwrap_or(self.config)
    }

    /// There is always room for one.
    pub(super) fn most(&self) -> usize {
        usize::try_from(self.max_keys).unwrap_or(usize::MAX).max(1)
    }
}
