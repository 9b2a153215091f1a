//! The configuration of a breaker, which settings may change while calls are under way.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::time::Instant;

use super::config::{Behavior, BreakerConfig, Window};
use super::window::Results;
use crate::live::{Current, Live};

/// Calls are recorded in a window.
const HAS_WINDOW: u8 = 0b01;
/// Calls are timed, since they can be slow.
const IS_TIMED: u8 = 0b10;

/// The configuration of source, until settings change it.
///
/// A call that succeeds needs two bits of it if the breaker has no window, and reads no more.
pub(super) struct LiveConfig {
    traits: AtomicU8,
    configured: Live<Configured>,
}

/// A configuration, and the window that belongs to it.
pub(super) struct Configured {
    pub(super) config: BreakerConfig,
    /// It is allocated at the first result. A later configuration with the same window shares it.
    results: OnceLock<Arc<Results>>,
}

impl LiveConfig {
    pub(super) const fn new(config: BreakerConfig) -> Self {
        let traits = AtomicU8::new(traits(&config));
        Self { traits, configured: Live::new(Configured::new(config)) }
    }

    #[inline]
    fn has(&self, traits: u8) -> bool {
        // Relaxed, here and below: a call may still see the earlier configuration.
        self.traits.load(Ordering::Relaxed) & traits != 0
    }

    #[inline]
    pub(super) fn has_window(&self) -> bool {
        self.has(HAS_WINDOW)
    }

    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.has(IS_TIMED)
    }

    #[inline]
    pub(super) fn current(&self) -> Current<'_, Configured> {
        self.configured.current()
    }

    /// Returns the configuration of source if it still holds.
    #[inline]
    pub(super) fn unchanged(&self) -> Option<&Configured> {
        self.configured.unchanged()
    }

    pub(super) const fn source(&self) -> &BreakerConfig {
        &self.configured.source().config
    }

    /// Replaces the configuration. Returns whether it is another one. The caller ensures that
    /// nothing else replaces it at the same time.
    pub(super) fn set(&self, config: BreakerConfig) -> bool {
        let current = self.current();
        if current.config == config {
            return false;
        }
        let next = Configured::new(config);
        if window(&config) == window(&current.config)
            && let Some(results) = current.results.get()
        {
            // This never fails: it has just been made, and is empty.
            let _ = next.results.set(Arc::clone(results));
        }
        drop(current);
        self.configured.set(next);
        self.traits.store(traits(&config), Ordering::Relaxed);
        true
    }
}

impl Configured {
    const fn new(config: BreakerConfig) -> Self {
        Self { config, results: OnceLock::new() }
    }

    /// Returns the window, which begins at its first use. `None` if there is none.
    #[inline]
    pub(super) fn results(&self, now: impl Fn() -> Instant) -> Option<&Results> {
        let rates = self.config.rates()?;
        Some(self.results.get_or_init(|| Arc::new(Results::new(rates.window, now()))))
    }
}

const fn traits(config: &BreakerConfig) -> u8 {
    let window = if resilient_config::breaker::rates(config).is_some() { HAS_WINDOW } else { 0 };
    let timed = if config.slow_call_duration().is_some() { IS_TIMED } else { 0 };
    window | timed
}

fn window(config: &BreakerConfig) -> Option<Window> {
    config.rates().map(|rates| rates.window)
}
