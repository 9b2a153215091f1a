//! Wakes the thread that samples, and ends it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shared with the thread that samples.
#[derive(Debug, Default)]
pub(super) struct Wake {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_asked: bool,
    is_ended: bool,
}

impl Wake {
    /// Asks for a sample soon.
    pub(super) fn ask(&self) {
        self.lock().is_asked = true;
        self.changed.notify_all();
    }

    pub(super) fn end(&self) {
        self.lock().is_ended = true;
        self.changed.notify_all();
    }

    /// Waits until a sample is asked for, but at least and at most for these times. Returns whether the
    /// thread must end.
    pub(super) fn wait(&self, at_least: Duration, at_most: Duration) -> bool {
        let state = self.wait_while(self.lock(), at_least, |state| !state.is_ended);
        let rest = at_most.saturating_sub(at_least);
        let mut state = self.wait_while(state, rest, |state| !state.is_ended && !state.is_asked);
        state.is_asked = false;
        state.is_ended
    }

    fn wait_while<'w>(
        &'w self,
        state: MutexGuard<'w, State>,
        at_most: Duration,
        goes_on: impl Fn(&State) -> bool,
    ) -> MutexGuard<'w, State> {
        let waited = self.changed.wait_timeout_while(state, at_most, |state| goes_on(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
