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
    pub(crate) rejection: Rejection,
    pub(crate) reject: fn(Rejection) -> E,
}

/// Which limit ended an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RanOut {
    /// That of the attempt.
    AttemptTimeout,
    /// That of the call.
    Deadline,
}

impl RanOut {
    const fn of(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::DeadlineExceeded { .. } => Self::Deadline,
            _ => Self::AttemptTimeout,
        }
    }
}

pin_project! {
    /// See [`timed`].
    #[project = TimedProjection]
    pub enum Timed<'m, F, E> {
        /// It may take as long as it takes.
        Free { #[pin] future: F },
        /// It ends with what `reject` makes of `rejection`, which is there until then.
        Limited {
            #[pin]
            future: Timeout<F>,
            rejection: Option<Rejection>,
            reject: fn(Rejection) -> E,
            ran_out: &'m mut Option<RanOut>,
        },
        /// Its time ran out.
        RanOut,
    }
}

/// Polls `future` until its limit, where it has one, and then notes in `ran_out` which limit that
/// was: the error does not tell, since the user's code makes it. An answer that is there at the
/// limit is taken.
pub(crate) fn timed<F: Future, E>(
    future: F,
    limit: Option<Limit<E>>,
    ran_out: &mut Option<RanOut>,
) -> Timed<'_, F, E> {
    match limit {
        Some(Limit { until, rejection, reject }) => Timed::Limited {
            future: timeout_at(until, future),
            rejection: Some(rejection),
            reject,
            ran_out,
        },
        None => Timed::Free { future },
    }
}

impl<F, T, E> Future for Timed<'_, F, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        match self.as_mut().project() {
            TimedProjection::Free { future } => future.poll(context),
            TimedProjection::Limited { future, rejection, reject, ran_out } => match future
                .poll(context)
            {
                Poll::Ready(Ok(result)) => Poll::Ready(result),
                Poll::Ready(Err(_)) => {
                    let (rejection, reject) = (rejection.take(), *reject);
                    **ran_out = rejection.as_ref().map(RanOut::of);
                    // Dropped within this poll: a panic in it is seen by whatever watches the poll.
                    self.set(Timed::RanOut);
                    rejection.map_or(Poll::Pending, |rejection| Poll::Ready(Err(reject(rejection))))
                }
                Poll::Pending => Poll::Pending,
            },
            // Polled again after its end.
            TimedProjection::RanOut => Poll::Pending,
        }
    }
}
