//! A future that leaves a mark where it panics.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::breaker::Panicked;
use crate::enclosing::{self, Frame};

pin_project! {
    /// See [`watch`].
    pub struct Watch<'m, F> {
        frame: Frame,
        panicked: Option<&'m mut Panicked>,
        #[pin]
        future: F,
    }
}

/// Polls `future` as the call of this frame, and leaves `panicked` set if a poll ends by a panic.
///
/// This is how a panic is told from a dropped future: both only show as a `drop`, and
/// `std::thread::panicking` also holds for a future that is dropped because another one panicked.
pub(crate) fn watch<F: Future>(
    frame: Frame,
    panicked: Option<&mut Panicked>,
    future: F,
) -> Watch<'_, F> {
    Watch { frame, panicked, future }
}

/// Does `work`, and leaves `panicked` set where it panics.
#[inline]
pub(crate) fn watching<R>(panicked: Option<&mut Panicked>, work: impl FnOnce() -> R) -> R {
    let mark = Mark(panicked);
    let done = work();
    mem::forget(mark);
    done
}

impl<F: Future> Future for Watch<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mark = Mark(this.panicked.as_deref_mut());
        let inside = enclosing::enter(*this.frame);
        let poll = this.future.poll(context);
        drop(inside);
        mem::forget(mark);
        poll
    }
}

/// Sets the mark where it is dropped, which only a panic does: a poll that comes back writes
/// nothing.
struct Mark<'m>(Option<&'m mut Panicked>);

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        if let Some(panicked) = &mut self.0 {
            **panicked = Panicked::Yes;
        }
    }
}
