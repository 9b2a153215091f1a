//! An attempt that may not take for ever.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Rejection;

/// Until when an attempt may take, and what it ends with then.
#[derive(Debug)]
pub(crate) struct Limit<E> {
    pub(crate) until: Instant,
    pub(crate) ran_out: Rejection,
    pub(crate) reject: fn(Rejection) -> E,
}

pin_project! {
    /// See [`timed`].
    pub struct Timed<F, E> {
        #[pin]
        future: F,
        limit: Option<Limit<E>>,
        // Made when the future first has to be waited for: one that is ready at once needs none.
        #[pin]
        timer: Option<Sleep>,
    }
}

/// Polls `future` until its limit, where it has one. An answer that is there at the limit is
/// taken.
pub(crate) const fn timed<F, E>(future: F, limit: Option<Limit<E>>) -> Timed<F, E> {
    Timed { future, limit, timer: None }
}

impl<F, T, E> Future for Timed<F, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        if let Poll::Ready(result) = this.future.poll(context) {
            return Poll::Ready(result);
        }
        let Some(limit) = this.limit else { return Poll::Pending };
        if this.timer.is_none() {
            this.timer.set(Some(sleep_until(limit.until)));
        }
        let is_over = this.timer.as_pin_mut().is_some_and(|timer| timer.poll(context).is_ready());
        if !is_over {
            return Poll::Pending;
        }
        match this.limit.take() {
            Some(limit) => Poll::Ready(Err((limit.reject)(limit.ran_out))),
            None => Poll::Pending,
        }
    }
}
