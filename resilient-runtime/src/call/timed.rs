//! An attempt with a time limit.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Timeout, timeout_at};

use crate::{ErrorKind, Rejection};

/// When an attempt must end, and what it ends with then.
#[derive(Debug)]
pub(crate) struct Limit<E> {
    pub(crate) until: Instant,
    pub(crate) expiry: Expiry<E>,
}

/// What an attempt ends with if it takes too long.
#[derive(Debug)]
pub(crate) struct Expiry<E> {
    pub(crate) ran_out: RanOut,
    /// How long the attempt or the call was allowed to take.
    pub(crate) allowed: Duration,
    pub(crate) attempt: u32,
    pub(crate) reject: fn(Rejection) -> E,
}

impl<E> Expiry<E> {
    #[cold]
    pub(crate) fn error(&self) -> E {
        let Self { allowed, attempt, .. } = *self;
        (self.reject)(match self.ran_out {
            RanOut::AttemptTimeout => Rejection::AttemptTimeout { timeout: allowed, attempt },
            RanOut::Deadline => {
                Rejection::DeadlineExceeded { deadline: allowed, attempts: attempt }
            }
        })
    }
}

/// Which limit ended an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RanOut {
    /// The timeout of the attempt.
    AttemptTimeout,
    /// The deadline of the call: its policy's own, or that of the request.
    Deadline,
}

impl RanOut {
    /// The kind of the rejection.
    pub(crate) const fn kind(self) -> ErrorKind {
        match self {
            Self::AttemptTimeout => ErrorKind::TimeoutError,
            Self::Deadline => ErrorKind::DeadlineExceeded,
        }
    }
}

pin_project! {
    /// See [`timed`].
    #[project = TimedProjection]
    pub enum Timed<'r, F, E> {
        /// There is no limit.
        Free { #[pin] future: F },
        /// At the limit, it ends with the error of its expiry.
        Limited {
            #[pin]
            future: Timeout<F>,
            expiry: Expiry<E>,
            ran_out: &'r mut Option<RanOut>,
        },
        /// Its time ran out.
        RanOut,
    }
}

/// Polls `future` until its limit, if it has one, and then records in `ran_out` which limit that
/// was: the user's code makes the error, so the error may not say it. An answer that is ready at
/// the limit is returned.
pub(crate) fn timed<F: Future, E>(
    future: F,
    limit: Option<Limit<E>>,
    ran_out: &mut Option<RanOut>,
) -> Timed<'_, F, E> {
    match limit {
        Some(Limit { until, expiry }) => {
            Timed::Limited { future: timeout_at(until, future), expiry, ran_out }
        }
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
            TimedProjection::Limited { future, expiry, ran_out } => match future.poll(context) {
                Poll::Ready(Ok(result)) => Poll::Ready(result),
                Poll::Ready(Err(_)) => {
                    **ran_out = Some(expiry.ran_out);
                    let error = expiry.error();
                    // Dropped within this poll, so that a panic in it is a panic of the call.
                    self.set(Timed::RanOut);
                    Poll::Ready(Err(error))
                }
                Poll::Pending => Poll::Pending,
            },
            // Polled again after completion.
            TimedProjection::RanOut => Poll::Pending,
        }
    }
}
