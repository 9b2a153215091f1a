//! One call on its way through its policy: the engine behind the attribute, [`Policy::run`] and
//! [`RetryExecutor`](crate::RetryExecutor).

use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::breaker::{BreakerState, Permit};
use crate::event::{self, GiveUp, Subject};
use crate::policy::{Policy, Scope};
use crate::{Classify, ErrorKind, Rejection};

/// What a run has to know of an error.
#[derive(Clone, Copy, Debug)]
pub struct Judgement {
    kind: ErrorKind,
    hint: Option<Duration>,
}

impl Judgement {
    pub(crate) fn of<E: Classify>(error: &E) -> Self {
        Self { kind: error.kind(), hint: error.retry_after() }
    }
}

/// One call: how many attempts it has begun, and the leave of the breaker that it holds.
///
/// Dropped before it is settled, it gives the permit back, or settles it as a failure where the
/// function has panicked.
#[derive(Debug)]
pub struct Run<'p> {
    policy: &'p Policy,
    permit: Option<Permit<'p>>,
    attempt: u32,
    /// Where a panic is noted if there is no permit to note it in.
    unguarded_panic: bool,
}

impl<'p> Run<'p> {
    #[inline]
    pub(crate) const fn new(policy: &'p Policy) -> Self {
        Self { policy, permit: None, attempt: 0, unguarded_panic: false }
    }

    /// Begins an attempt, where the breaker lets it pass. A permit for the whole call is asked for
    /// once, and must still hold before each retry.
    #[inline]
    pub(crate) fn admit(&mut self) -> Result<(), Rejection> {
        if let Some(breaker) = self.policy.breaker() {
            let function = Some(self.policy.name());
            self.permit = Some(match self.permit.take() {
                None => breaker.acquire_for(function)?,
                Some(permit) => breaker.confirm(permit, function)?,
            });
        }
        self.start();
        Ok(())
    }

    /// Begins an attempt.
    #[inline]
    pub(crate) const fn start(&mut self) {
        self.attempt += 1;
    }

    /// Whether no attempt can follow the one that has begun.
    #[inline]
    pub(crate) fn is_last(&self) -> bool {
        self.attempt >= self.policy.max_attempts()
            || self.permit.as_ref().is_some_and(Permit::is_probe)
    }

    /// Where [`watch`](crate::watch::watch) leaves word of a panic.
    #[inline]
    pub(crate) fn panicked(&mut self) -> &mut bool {
        match &mut self.permit {
            Some(permit) => permit.panicked(),
            None => &mut self.unguarded_panic,
        }
    }

    /// Ends an attempt: the call ends too, or goes on after a delay.
    #[inline]
    pub(crate) fn settle<T, E>(
        &mut self,
        result: Result<T, E>,
        judge: fn(&E) -> Judgement,
    ) -> ControlFlow<Result<T, E>, Delay> {
        match &result {
            Ok(_) => {
                self.succeed();
                ControlFlow::Break(result)
            }
            Err(error) => match self.after(judge(error)) {
                Some(delay) => ControlFlow::Continue(delay),
                None => ControlFlow::Break(result),
            },
        }
    }

    /// Ends the only attempt of a call that is never retried.
    #[inline]
    pub(crate) fn finish<T, E>(&mut self, result: &Result<T, E>, judge: fn(&E) -> Judgement) {
        match result {
            Ok(_) => self.succeed(),
            Err(error) => self.settle_permit(judge(error).kind),
        }
    }

    #[inline]
    fn succeed(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.success();
        }
    }

    /// Ends an attempt that has failed. The delay before the next one, where there is to be one.
    #[cold]
    fn after(&mut self, Judgement { kind, hint }: Judgement) -> Option<Delay> {
        let was_probe = self.permit.as_ref().is_some_and(Permit::is_probe);
        if self.policy.scope() == Scope::Attempt {
            self.settle_permit(kind);
        }
        let Some(row) = self.policy.row(kind) else {
            self.settle_permit(kind);
            return None;
        };

        let breaker = self.policy.breaker();
        let next = if !kind.is_transient() {
            Err(GiveUp::NotTransient)
        } else if was_probe || breaker.is_some_and(|it| it.state() != BreakerState::Closed) {
            Err(GiveUp::BreakerNotClosed)
        } else {
            row.next_delay(self.attempt, hint, rand::random())
        };

        let subject = Subject {
            function: self.policy.name(),
            breaker: breaker.map(|breaker| breaker.name().as_str()),
            attempt: self.attempt,
        };
        match next {
            Ok(delay) => {
                event::retrying(subject, kind, delay);
                Some(Delay::new(delay))
            }
            Err(reason) => {
                // An error that no attempt could have helped is not this policy's business.
                if kind.is_transient() || self.attempt > 1 {
                    event::gave_up(subject, kind, reason);
                }
                self.settle_permit(kind);
                None
            }
        }
    }

    fn settle_permit(&mut self, kind: ErrorKind) {
        if let Some(permit) = self.permit.take() {
            permit.settle_error(kind);
        }
    }
}

/// The wait before an attempt.
///
/// Boxed: tokio's timer is larger than all else that a call adds to the future of a function, and
/// one allocation is nothing beside a delay.
#[derive(Debug)]
pub struct Delay(Pin<Box<Sleep>>);

impl Delay {
    fn new(delay: Duration) -> Self {
        Self(Box::pin(sleep(delay)))
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}
