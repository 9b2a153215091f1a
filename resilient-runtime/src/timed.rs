//! An attempt that may not take for ever.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Timeout, timeout_at};

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
    #[project = TimedProjection]
    pub enum Timed<F, E> {
        /// It may take as long as it takes.
        Free { #[pin] future: F },
        /// It ends with what `reject` makes of `ran_out`, which is there until then.
        Limited { #[pin] future: Timeout<F>, ran_out: Option<Rejection>, reject: fn(Rejection) -> E },
        /// Its time ran out.
        RanOut,
    }
}

/// Polls `future` until its limit, where it has one. An answer that is there at the limit is
/// taken.
pub(crate) fn timed<F: Future, E>(future: F, limit: Option<Limit<E>>) -> Timed<F, E> {
    match limit {
        Some(Limit { until, ran_out, reject }) => {
            Timed::Limited { future: timeout_at(until, future), ran_out: Some(ran_out), reject }
        }
        None => Timed::Free { future },
    }
}

impl<F, T, E> Future for Timed<F, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        match self.as_mut().project() {
            TimedProjection::Free { future } => future.poll(context),
            TimedProjection::Limited { future, ran_out, reject } => match future.poll(context) {
                Poll::Ready(Ok(result)) => Poll::Ready(result),
                Poll::Ready(Err(_)) => {
                    let (ran_out, reject) = (ran_out.take(), *reject);
                    // Dropped within this poll: a panic in it is seen by whatever watches the poll.
                    self.set(Timed::RanOut);
                    ran_out.map_or(Poll::Pending, |ran_out| Poll::Ready(Err(reject(ran_out))))
                }
                Poll::Pending => Poll::Pending,
            },
            // Polled again after its end.
            TimedProjection::RanOut => Poll::Pending,
        }
    }
}
