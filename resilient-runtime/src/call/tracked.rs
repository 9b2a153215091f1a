//! The future of a call: while it is polled, calls inside it can see it, and a panic is flagged.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::enclosing::{self, Frame};
use crate::breaker::CallState;

pin_project! {
    /// See [`track`].
    pub struct Tracked<'m, F> {
        frame: Frame,
        state: Option<&'m mut CallState>,
        #[pin]
        future: F,
    }
}

/// Polls `future` as the call of this frame, and sets `state` if a poll panics.
///
/// This distinguishes a panic from a dropped future. Both only show as a `drop`, and
/// `std::thread::panicking` is also true for a future that is dropped because another one panicked.
pub(crate) fn track<F: Future>(
    frame: Frame,
    state: Option<&mut CallState>,
    future: F,
) -> Tracked<'_, F> {
    Tracked { frame, state, future }
}

/// Runs `work`, and sets `state` if it panics.
#[inline]
pub(crate) fn flag_panic<R>(state: Option<&mut CallState>, work: impl FnOnce() -> R) -> R {
    let flag = PanicFlag(state);
    let done = work();
    mem::forget(flag);
    done
}

impl<F: Future> Future for Tracked<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut flag = PanicFlag(this.state.as_deref_mut());
        let polling = enclosing::enter(*this.frame);
        let poll = this.future.poll(context);
        polling.leave(|| flag.set(CallState::PartRanOut));
        mem::forget(flag);
        poll
    }
}

/// Sets the state when it is dropped, which only a panic does: a poll that returns writes nothing.
struct PanicFlag<'m>(Option<&'m mut CallState>);

impl PanicFlag<'_> {
    /// Returns whether there is a state to set.
    fn set(&mut self, state: CallState) -> bool {
        self.0.as_mut().map(|flagged| **flagged = state).is_some()
    }
}

impl Drop for PanicFlag<'_> {
    fn drop(&mut self) {
        self.set(CallState::Panicked);
    }
}
