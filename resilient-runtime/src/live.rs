//! A value of source that settings can replace while calls use it.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwapOption, Guard};

/// A value of source, until settings replace it. Reading it takes no lock. Until it is replaced, that
/// costs one load.
#[derive(Debug)]
pub(crate) struct Live<T> {
    source: T,
    is_changed: AtomicBool,
    changed: ArcSwapOption<T>,
}

/// The value that holds now. It stays the same for as long as it is held.
pub(crate) struct Current<'l, T> {
    source: &'l T,
    /// `None` if nothing has replaced the value of source.
    changed: Option<Guard<Option<Arc<T>>>>,
}

impl<T> Live<T> {
    pub(crate) const fn new(source: T) -> Self {
        Self { source, is_changed: AtomicBool::new(false), changed: ArcSwapOption::const_empty() }
    }

    /// Returns the value of source.
    pub(crate) const fn source(&self) -> &T {
        &self.source
    }

    /// Returns the value that holds now.
    #[inline]
    pub(crate) fn current(&self) -> Current<'_, T> {
        // Relaxed: a thread may still see the value of source. The exchange of the other value has
        // its own ordering.
        let changed = match self.unchanged() {
            Some(_) => None,
            None => Some(self.changed.load()),
        };
        Current { source: &self.source, changed }
    }

    /// Returns the value of source if nothing has replaced it, for a path that every call takes.
    #[inline]
    pub(crate) fn unchanged(&self) -> Option<&T> {
        (!self.is_changed.load(Ordering::Relaxed)).then_some(&self.source)
    }

    /// Replaces the value.
    pub(crate) fn set(&self, value: T) {
        self.changed.store(Some(Arc::new(value)));
        self.is_changed.store(true, Ordering::Relaxed);
    }
}

impl<T> Deref for Current<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.changed.as_ref().and_then(|changed| changed.as_deref()).unwrap_or(self.source)
    }
}
