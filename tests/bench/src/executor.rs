//! The executor that drives every candidate.

use std::hint;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Polls `future` until it is ready. Those of the benchmark are so at once, but where one waits
/// for a lock of its own that another core holds.
#[expect(clippy::inline_always, reason = "else the executor moves some futures, and not others")]
#[inline(always)]
pub fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => hint::spin_loop(),
        }
    }
}
