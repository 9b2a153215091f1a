//! An attempt whose function names no time limit, but which may belong to a request that has one.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::timed::{Limit, RanOut, Timed, timed};

pin_project! {
    /// See [`bounded`].
    #[project = BoundedProjection]
    pub enum Bounded<'r, F, E> {
        /// There is no limit.
        Free { #[pin] future: F },
        /// It ends at the limit. Boxed, so that without a limit there is no room for a timer.
        Limited { future: Pin<Box<Timed<'r, F, E>>> },
    }
}

/// Polls `future` until its limit, as [`timed`] does, and allocates if there is one.
///
/// Each attempt has a timer of its own: in a `FuturesUnordered`, the timer of the request would wake
/// only the request, and not the call.
#[inline]
pub(crate) fn bounded<'r, F: Future, E>(
    future: F,
    limit: Option<Limit<E>>,
    ran_out: &'r mut Option<RanOut>,
) -> Bounded<'r, F, E> {
    match limit {
        None => Bounded::Free { future },
        limit => Bounded::Limited { future: Box::pin(timed(future, limit, ran_out)) },
    }
}

impl<F, T, E> Future for Bounded<'_, F, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        match self.project() {
            BoundedProjection::Free { future } => future.poll(context),
            BoundedProjection::Limited { future } => future.as_mut().poll(context),
        }
    }
}
