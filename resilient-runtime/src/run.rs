//! One call on its way through its policy: the engine behind the attribute, [`Policy::run`] and
//! [`RetryExecutor`](crate::RetryExecutor).

use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;
use std::{fmt, mem};

use tokio::time::{Instant, Sleep, sleep};

use crate::breaker::{BreakerState, CallState, Permit};
use crate::budget::Taken;
use crate::enclosing::{self, Frame};
use crate::event::{self, Subject};
use crate::policy::{Policy, Scope};
use crate::retry::{Delays, GiveUp};
use crate::timed::{Expiry, Limit, RanOut, Timed, timed};
use crate::watch::{Watch, watch, watching};
use crate::{Attempt, CircuitBreaker, Classify, ErrorKind, Rejection, RetryPolicy};

/// What a run has to know of an error.
#[derive(Clone, Copy, Debug)]
pub struct Judgement {
    kind: ErrorKind,
    hint: Option<Duration>,
    maybe_executed: bool,
    may_retry: bool,
    /// Which limit of the policy ended the attempt, if one did.
    ran_out: Option<RanOut>,
}

impl Judgement {
    pub(crate) fn of<E: Classify>(error: &E) -> Self {
        Self {
            kind: error.kind(),
            hint: error.retry_after(),
            maybe_executed: error.maybe_executed(),
            may_retry: error.may_retry(),
            ran_out: None,
        }
    }

    /// The same error, made of a rejection by this limit. That the deadline ended the call does not
    /// depend on what the user's code makes of it.
    const fn ended_by(&mut self, ran_out: RanOut) {
        self.ran_out = Some(ran_out);
        if let RanOut::Deadline = ran_out {
            self.kind = ErrorKind::DeadlineExceeded;
        }
    }
}

/// One call: how many attempts it has begun, and the leave of the breaker that it holds.
///
/// Dropped before it is settled, it gives the permit back, or settles it as a failure where the
/// function has panicked.
#[derive(Debug)]
pub struct Run<'p> {
    policy: &'p Policy,
    breaker: Option<&'p CircuitBreaker>,
    permit: Option<Permit<'p>>,
    standing: Standing,
    attempt: u32,
    /// When the whole call has to be over.
    deadline: Option<Instant>,
    /// Which limit has ended the attempt that ended last, if one did.
    ran_out: Option<RanOut>,
}

/// Whether a call is one for its breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It needs a permit, and its result counts.
    Alone,
    /// It is part of a call through the same breaker, by whose permit it passes. It has none of its
    /// own, and counts nothing.
    Part,
}

impl<'p> Run<'p> {
    /// Begins a call, and its first attempt. The breaker is that of the policy, or one that the
    /// call's arguments have chosen; where it is closed and no other call encloses this one, the
    /// call has its permit.
    #[inline]
    pub(crate) fn new(policy: &'p Policy, breaker: Option<&'p CircuitBreaker>) -> Self {
        let permit = match breaker {
            Some(breaker) if !enclosing::is_any() => breaker.pass().map(Permit::watched),
            _ => None,
        };
        let standing = Standing::Alone;
        Self { policy, breaker, permit, standing, attempt: 1, deadline: None, ran_out: None }
    }

    /// Lets the time run until the policy's deadline, where it has one.
    pub(crate) fn start_clock(&mut self) {
        self.deadline = self.policy.deadline().and_then(in_time);
    }

    /// Asks the breaker, where there is one and it has not said so yet, whether the call may begin.
    #[inline]
    pub(crate) fn admit(&mut self) -> Result<(), Rejection> {
        if self.permit.is_some() { Ok(()) } else { self.ask() }
    }

    #[cold]
    fn ask(&mut self) -> Result<(), Rejection> {
        let Some(breaker) = self.breaker else { return Ok(()) };
        if enclosing::contains(breaker) {
            self.standing = Standing::Part;
        }
        if self.standing == Standing::Alone {
            self.permit = Some(breaker.ask(Some(self.policy.name()))?.watched());
        }
        Ok(())
    }

    /// Whether no attempt can follow the one that has begun.
    #[inline]
    pub(crate) fn is_last(&self) -> bool {
        self.attempt >= self.policy.max_attempts()
            || self.permit.as_ref().is_some_and(Permit::is_probe)
    }

    /// The attempt that begins now.
    pub(crate) fn current(&self) -> Attempt {
        let own = self.policy.attempt_timeout().and_then(in_time);
        let until = match (own, self.deadline) {
            (Some(own), Some(deadline)) => Some(own.min(deadline)),
            (own, deadline) => own.or(deadline),
        };
        Attempt::new(self.attempt, self.is_last(), until)
    }

    /// Until when `attempt` may take.
    pub(crate) fn limit<E>(
        &self,
        attempt: &Attempt,
        reject: fn(Rejection) -> E,
    ) -> Option<Limit<'p, E>> {
        let until = attempt.until()?;
        let is_deadline = self.deadline == Some(until);
        let ran_out = if is_deadline { RanOut::Deadline } else { RanOut::AttemptTimeout };
        let (policy, attempt) = (self.policy, attempt.number());
        Some(Limit { until, expiry: Expiry { policy, attempt, ran_out, reject } })
    }

    /// What calls that are made inside this one have to know of it.
    #[inline]
    pub(crate) fn frame(&self) -> Frame {
        Frame::new(self.breaker, self.policy.retries())
    }

    /// Where [`watch`] leaves word of a panic; none where nobody would read it.
    #[inline]
    pub(crate) fn call_state(&mut self) -> Option<&mut CallState> {
        self.permit.as_mut().map(Permit::call_state)
    }

    /// Ends an attempt: the call ends too, or goes on after a pause.
    #[inline]
    pub(crate) fn settle<T, E>(
        &mut self,
        result: Result<T, E>,
        judge: fn(&E) -> Judgement,
    ) -> ControlFlow<Result<T, E>, Pause<'p, E>> {
        match result {
            Ok(value) => {
                self.succeed();
                ControlFlow::Break(Ok(value))
            }
            Err(error) => match self.fail(&error, judge) {
                Some(retry) => ControlFlow::Continue(self.pause(error, retry)),
                None => ControlFlow::Break(Err(error)),
            },
        }
    }

    /// Ends the only attempt of a call.
    #[inline]
    pub(crate) fn finish<T, E>(
        &mut self,
        result: Result<T, E>,
        judge: fn(&E) -> Judgement,
    ) -> Result<T, E> {
        match result {
            Ok(value) => {
                self.succeed();
                Ok(value)
            }
            Err(error) => {
                self.fail_for_good(&error, judge);
                Err(error)
            }
        }
    }

    /// [`fail`](Self::fail) of the only attempt.
    #[cold]
    fn fail_for_good<E>(&mut self, error: &E, judge: fn(&E) -> Judgement) {
        self.fail(error, judge);
    }

    /// Ends an attempt that has succeeded.
    // Not inlined, so that `settle` is: a call costs less than a result that goes through memory.
    #[inline(never)]
    fn succeed(&mut self) {
        // Each ends by a call, so that nothing has to be kept on the stack.
        if self.policy.has_budget() { self.refund_and_settle() } else { self.settle_success() }
    }

    #[inline(never)]
    fn refund_and_settle(&mut self) {
        if let Some(budget) = self.policy.budget()
            // A part that never retries takes nothing, and gives nothing back.
            && !self.outer_call_retries(false)
        {
            budget.refund();
        }
        self.settle_success();
    }

    #[inline]
    fn settle_success(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.success();
        }
    }

    /// Ends an attempt that has failed. The retry that follows, if there is to be one; otherwise
    /// the call is settled.
    // The error is lent: to move it would cost more than to judge it.
    #[cold]
    fn fail<E>(&mut self, error: &E, judge: fn(&E) -> Judgement) -> Option<Retry<'p>> {
        self.watching(|run| run.plan(judge(error)))
    }

    #[cold]
    fn pause<E>(&mut self, error: E, retry: Retry<'p>) -> Pause<'p, E> {
        // A timer panics if there is no runtime.
        self.watching(|_| Pause::new(error, retry))
    }

    /// Waits, and begins the next attempt; or ends the call with the error of the last one, where
    /// there can be none any more.
    pub(crate) async fn resume<T, E>(&mut self, pause: Pause<'p, E>) -> ControlFlow<Result<T, E>> {
        let Pause { timer, kept } = pause;
        timer.await;
        self.watching(|run| run.go_on(*kept))
    }

    fn go_on<T, E>(&mut self, kept: Kept<'p, E>) -> ControlFlow<Result<T, E>> {
        let Kept { error, retry } = kept;
        match self.is_still_admitted() {
            Ok(()) => {
                if let Some(permit) = &mut self.permit {
                    permit.begin_attempt();
                }
                // Before the attempt is paid for: it may panic, and then there is none.
                drop(error);
                if let Some(taken) = retry.taken {
                    taken.spend();
                }
                self.attempt += 1;
                ControlFlow::Continue(())
            }
            Err(reason) => {
                event::gave_up(self.subject(), retry.judgement.kind, reason.as_str());
                self.set_lasted(retry.lasted);
                self.settle_permit(&retry.judgement);
                ControlFlow::Break(Err(error))
            }
        }
    }

    /// Does `work` that is not part of an attempt, and may panic: it may call the user's code or a
    /// subscriber. A panic there is a panic of the call.
    #[inline]
    pub(crate) fn watching<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let watched = Watched(self);
        let done = work(&mut *watched.0);
        mem::forget(watched);
        done
    }

    /// An attempt that ends at its limit, watched for a panic.
    #[inline]
    pub(crate) fn timed<T, E, F>(
        &mut self,
        attempt: F,
        limit: Option<Limit<'p, E>>,
    ) -> Watch<'_, Timed<'_, F, E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let frame = self.frame();
        let Self { permit, ran_out, .. } = self;
        let mut state = permit.as_mut().map(Permit::call_state);
        // A timer panics if there is no runtime.
        let timed = watching(state.as_deref_mut(), || timed(attempt, limit, ran_out));
        watch(frame, state, timed)
    }

    /// See [`fail`](Self::fail).
    fn plan(&mut self, mut judgement: Judgement) -> Option<Retry<'p>> {
        if let Some(ran_out) = self.ran_out.take() {
            judgement.ended_by(ran_out);
        }
        let kind = judgement.kind;
        let was_probe = self.permit.as_ref().is_some_and(Permit::is_probe);
        if self.policy.scope() == Scope::Attempt {
            self.settle_permit(&judgement);
        }
        let Some(row) = self.policy.row(kind) else {
            if let Some(ran_out) = judgement.ran_out {
                self.tell_limit(ran_out);
            }
            self.settle_permit(&judgement);
            return None;
        };
        match self.next_delay(&judgement, &row, was_probe) {
            Ok((delay, taken)) => {
                event::retrying(self.subject(), kind, delay);
                let lasted = self.permit.as_ref().map_or(Duration::ZERO, Permit::lasted);
                // The hint is waited out by the time that it could matter.
                judgement.hint = None;
                Some(Retry { delay, judgement, taken, lasted })
            }
            Err(reason) => {
                self.tell_end(reason, &judgement);
                self.settle_permit(&judgement);
                None
            }
        }
    }

    /// Tells why nothing follows an attempt that has failed.
    fn tell_end(&self, reason: GiveUp, judgement: &Judgement) {
        let Judgement { kind, ran_out, .. } = *judgement;
        match (reason, ran_out) {
            // The outer call tells of its own retries.
            (GiveUp::OuterCallRetries, None) => {}
            (GiveUp::OuterCallRetries, Some(ran_out)) => self.tell_limit(ran_out),
            // An error that no attempt could have helped is not this policy's business.
            (_, None) if self.attempt == 1 && !kind.is_transient() => {}
            _ => event::gave_up(self.subject(), kind, reason.as_str()),
        }
    }

    /// How long to wait before the next attempt, or why there is to be none. The budget is asked
    /// last: a retry that is not made costs nothing.
    fn next_delay(
        &self,
        judgement: &Judgement,
        row: &RetryPolicy,
        was_probe: bool,
    ) -> Result<(Duration, Option<Taken<'p>>), GiveUp> {
        let Judgement { kind, hint, maybe_executed, may_retry, ran_out } = *judgement;
        if ran_out == Some(RanOut::Deadline) {
            return Err(GiveUp::DeadlineExceeded);
        }
        if !kind.is_transient() {
            return Err(GiveUp::NotTransient);
        }
        if !may_retry {
            return Err(GiveUp::RetryRefused);
        }
        if maybe_executed && !self.policy.is_idempotent() {
            return Err(GiveUp::MaybeExecuted);
        }
        if was_probe || !self.breaker.is_none_or(is_closed) {
            return Err(GiveUp::BreakerNotClosed);
        }
        if self.outer_call_retries(maybe_executed) {
            return Err(GiveUp::OuterCallRetries);
        }
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let delay = row.next_delay(self.attempt, hint, left, rand::random())?;
        let Some(budget) = self.policy.budget() else { return Ok((delay, None)) };
        let taken = budget.take(kind, hint).ok_or(GiveUp::BudgetExhausted)?;
        Ok((delay, Some(taken)))
    }

    /// Whether this call is part of one whose policy retries such failures. If both retried, their
    /// attempts would multiply.
    fn outer_call_retries(&self, maybe_executed: bool) -> bool {
        self.standing == Standing::Part
            && self.breaker.is_some_and(|breaker| enclosing::retries(breaker, maybe_executed))
    }

    /// Whether the call may go on after a pause: before its deadline, and only while its breaker is
    /// closed. A permit for the whole call still holds then; one for each attempt is asked for
    /// anew.
    fn is_still_admitted(&mut self) -> Result<(), GiveUp> {
        // A timer may be late.
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(GiveUp::DeadlineTooNear);
        }
        if !self.breaker.is_none_or(is_closed) {
            return Err(GiveUp::BreakerNotClosed);
        }
        if self.permit.is_some() {
            return Ok(());
        }
        self.admit().map_err(|_| GiveUp::BreakerNotClosed)
    }

    /// Says how long the attempt has lasted whose result is to count: without the pause.
    fn set_lasted(&mut self, lasted: Duration) {
        if let Some(permit) = &mut self.permit {
            permit.set_lasted(lasted);
        }
    }

    fn settle_permit(&mut self, judgement: &Judgement) {
        let attempts_are_timed = self.policy.attempt_timeout().is_some();
        match (self.permit.take(), judgement.ran_out) {
            (Some(permit), Some(RanOut::Deadline)) => permit.settle_deadline(attempts_are_timed),
            (Some(permit), _) => permit.settle_error(judgement.kind, judgement.hint),
            (None, Some(RanOut::Deadline)) if !attempts_are_timed => self.tell_outer_call(),
            (None, _) => {}
        }
    }

    /// Tells the call that this one is part of that its deadline ended it: only the outer call has a
    /// permit to count that by.
    fn tell_outer_call(&self) {
        if let (Standing::Part, Some(breaker)) = (self.standing, self.breaker) {
            enclosing::note_ran_out(breaker);
        }
    }

    /// Tells which limit ended the call. The error does not say it as reliably.
    fn tell_limit(&self, ran_out: RanOut) {
        event::timed_out(self.subject(), ran_out.kind(), ran_out.limit(self.policy));
    }

    fn subject(&self) -> Subject<'p> {
        Subject {
            function: self.policy.name(),
            breaker: self.breaker.map(|breaker| breaker.name().as_str()),
            attempt: self.attempt,
        }
    }
}

/// Notes a panic where it is dropped, which only a panic does. Nothing is written otherwise.
struct Watched<'r, 'p>(&'r mut Run<'p>);

impl Drop for Watched<'_, '_> {
    fn drop(&mut self) {
        // The permit is that of now: the work may have asked for another.
        if let Some(state) = self.0.call_state() {
            *state = CallState::Panicked;
        }
    }
}

/// The moment after this time. One that the clock has no room for is none.
fn in_time(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

fn is_closed(breaker: &CircuitBreaker) -> bool {
    breaker.state() == BreakerState::Closed
}

/// The time before another attempt, and what is kept for the case that there is none.
///
/// Boxed: tokio's timer is larger than all else that a call adds to the future of a function, the
/// error may be large too, and two allocations are nothing beside a delay.
pub struct Pause<'p, E> {
    timer: Pin<Box<Sleep>>,
    kept: Box<Kept<'p, E>>,
}

struct Kept<'p, E> {
    /// Of the last attempt.
    error: E,
    retry: Retry<'p>,
}

/// An attempt that is to follow one that has failed.
struct Retry<'p> {
    delay: Duration,
    /// Of the error of the last attempt.
    judgement: Judgement,
    /// From the budget. It goes back where the attempt is not made.
    taken: Option<Taken<'p>>,
    /// The last attempt, where the breaker asks for that.
    lasted: Duration,
}

/// Without the error, whose text may hold an API key.
impl<E> fmt::Debug for Pause<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pause")
            .field("kind", &self.kept.retry.judgement.kind)
            .finish_non_exhaustive()
    }
}

impl<'p, E> Pause<'p, E> {
    fn new(error: E, retry: Retry<'p>) -> Self {
        Self { timer: Box::pin(sleep(retry.delay)), kept: Box::new(Kept { error, retry }) }
    }
}

impl Policy {
    /// Runs `op` under this policy. It is called once for each attempt. What it changes outside
    /// itself has to be shared, as in a `Cell` or an atomic: an `async` closure that changes what
    /// it captures is no `FnMut`.
    ///
    /// # Errors
    ///
    /// The error of the last attempt; or a [`Rejection`] where there was none, which comes as the
    /// error of `op`: `?` after the call converts that as it converts any other.
    ///
    /// # Panics
    ///
    /// Where `op` does, which counts as a failure of the breaker; and outside a tokio runtime with
    /// its timer enabled where a retry is due, or the policy has an attempt timeout or a deadline.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the call, or its wait for the next attempt; for the breaker it is
    /// neither failure nor success.
    pub async fn run<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejection>,
    {
        let mut run = Run::new(self, self.breaker());
        run.start_clock();
        run.admit()?;
        run.repeat(op, Some(E::from)).await
    }

    /// [`run`](Self::run) for a policy that has nothing to reject by, and so asks less of the
    /// error.
    pub(crate) async fn run_unguarded<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify,
    {
        Run::new(self, None).repeat(op, None).await
    }
}

impl Run<'_> {
    async fn repeat<T, E, F>(
        &mut self,
        mut op: impl FnMut() -> F,
        reject: Option<fn(Rejection) -> E>,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify,
    {
        loop {
            let limit = reject.and_then(|reject| self.limit(&self.current(), reject));
            // In async blocks, so that a panic of `op` itself is seen too; and in one for each arm, so
            // that each is inlined: a result that comes through memory costs more than all else.
            let result = match limit {
                // Apart: what may have a timer is large, and is moved whether it has one or not.
                None => watch(self.frame(), self.call_state(), async { op().await }).await,
                limit => self.timed(async { op().await }, limit).await,
            };
            // The result is gone before the pause: it need not be `Send`.
            let pause = match self.settle(result, Judgement::of) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(pause) => pause,
            };
            if let ControlFlow::Break(result) = self.resume(pause).await {
                return result;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pause_does_not_print_the_error_that_it_keeps() {
        let retry = Retry {
            delay: Duration::ZERO,
            judgement: Judgement {
                kind: ErrorKind::RateLimitError,
                hint: None,
                maybe_executed: true,
                may_retry: true,
                ran_out: None,
            },
            taken: None,
            lasted: Duration::ZERO,
        };
        let pause = Pause::new("the key is 42", retry);
        assert_eq!(format!("{pause:?}"), "Pause { kind: RateLimitError, .. }");
    }
}
