//! A future that leaves a mark where it panics.

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

/// Polls `future` as the call of this frame, and marks `state` if a poll ends by a panic.
///
/// This is how a panic is told from a dropped future: both only show as a `drop`, and
/// `std::thread::panicking` also holds for a future that is dropped because another one panicked.
pub(crate) fn track<F: Future>(
    frame: Frame,
    state: Option<&mut CallState>,
    future: F,
) -> Tracked<'_, F> {
    Tracked { frame, state, future }
}

/// Does `work`, and marks `state` if it panics.
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
        let inside = enclosing::enter(*this.frame);
        let poll = this.future.poll(context);
        inside.leave(|| flag.set(CallState::PartRanOut));
        mem::forget(flag);
        poll
    }
}

/// Sets the mark where it is dropped, which only a panic does: a poll that comes back writes
/// nothing.
struct PanicFlag<'m>(Option<&'m mut CallState>);

impl PanicFlag<'_> {
    /// Whether there is something to mark.
    fn set(&mut self, state: CallState) -> bool {
        self.0.as_mut().map(|marked| **marked = state).is_some()
    }
}

impl Drop for PanicFlag<'_> {
    fn drop(&mut self) {
        self.set(CallState::Panicked);
    }
}
