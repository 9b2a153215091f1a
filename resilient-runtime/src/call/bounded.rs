//! An attempt whose policy names no time limit, but which may belong to a request that has one.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::enclosing;
use super::run::Run;
use crate::Rejection;

/// A call, and the function that converts a rejection of it to an error. `()` if nothing can reject
/// it.
#[derive(Debug)]
pub struct Rejecting<'p, R> {
    pub(crate) run: Run<'p>,
    pub(crate) reject: R,
}

pin_project! {
    /// Polls `future` as an attempt of a call, and ends it when the request of the call has no time
    /// left.
    ///
    /// Outside of a request, this is as large as a future that is only tracked, and a poll that is
    /// ready asks nothing. Inside, the first poll that is pending sets a timer. It is one of its own
    /// for each attempt: in a `FuturesUnordered`, a timer of the request would not lead to a poll of
    /// the attempt.
    pub struct Bounded<'r, 'p, F, E> {
        call: &'r mut Rejecting<'p, fn(Rejection) -> E>,
        timer: Option<Pin<Box<Sleep>>>,
        #[pin]
        future: F,
    }
}

/// See [`Bounded`].
#[inline]
pub(crate) fn bounded<'r, 'p, F, E>(
    call: &'r mut Rejecting<'p, fn(Rejection) -> E>,
    future: F,
) -> Bounded<'r, 'p, F, E> {
    Bounded { call, timer: None, future }
}

impl<F, T, E> Future for Bounded<'_, '_, F, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let this = self.project();
        let Rejecting { run, reject } = &mut **this.call;
        let watched = run.watched();
        let polling = enclosing::enter(watched.0.frame());
        let mut poll = this.future.poll(context);
        polling.leave(|| watched.0.part_ran_out());
        // An answer that is ready when the time is over is returned.
        if poll.is_pending()
            && let Some(until) = enclosing::request_deadline()
            && is_over(this.timer, until, context)
        {
            // The future is dropped next, by the code that awaits this.
            poll = Poll::Ready(Err(watched.0.run_out(*reject)));
        }
        watched.end();
        poll
    }
}

/// Returns whether the time is over. Otherwise, the attempt is polled when it is.
fn is_over(timer: &mut Option<Pin<Box<Sleep>>>, until: Instant, context: &mut Context<'_>) -> bool {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
    // A task that always has work would never learn it from the timer: tokio makes a timer wait for
    // the next turn of a task that has used up this one.
    timer.as_mut().poll(context).is_ready() || Instant::now() >= until
}
