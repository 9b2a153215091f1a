//! One call on its way through its policy: the engine behind the attribute, [`Policy::run`] and
//! [`RetryExecutor`](crate::RetryExecutor).

use std::ops::ControlFlow;
use std::time::Duration;
use std::{mem, thread};

use tokio::time::Instant;

use super::attempt::{CurrentAttempt, NothingSent};
use super::clock::{Clock, Stamp, TimeLeft};
use super::enclosing::{self, Frame};
use super::failed_attempt::FailedAttempt;
use super::multiplied::{self, Retried};
use super::numbers::{CallNumbers, Version};
use super::outcome::CallOutcome;
use super::retry_delay::{PendingRetry, RetryDelay, RetryPlan};
use super::rules::{Rules, Scope};
use super::timed::{Expiry, Limit, RanOut, Timed, timed};
use super::tracked::{Tracked, flag_panic, track};
use crate::breaker::{CallState, CircuitBreaker, Permit};
use crate::error::{BreakerState, Rejection};
use crate::event::{self, Event, EventCall, GiveUpReason};
use crate::retry::{Withdrawal, check_retryable, next_delay};
use crate::{ErrorKind, RetryPolicy};

/// One call: how many attempts it has begun, and the permit of the breaker that it holds.
///
/// If it is dropped before it is settled, the permit that it holds is dropped without an outcome, or
/// settled as a failure if the function has panicked. With scope `attempt`, it holds none between two
/// attempts.
#[derive(Debug)]
pub struct Run<'p> {
    rules: &'p Rules,
    /// Which numbers of the rules hold for it.
    version: Version,
    breaker: Option<&'p CircuitBreaker>,
    permit: Option<Permit<'p>>,
    standing: Standing,
    /// Whether its polls are recorded for the calls inside it.
    is_tracked: bool,
    attempt: u32,
    /// The moment of its [`Clock`]. In two fields, it takes no more room than a deadline alone.
    moment: Option<Stamp>,
    /// Whether that is when it began.
    is_since: bool,
    /// Which limit ended the last attempt, if one did.
    ran_out: Option<RanOut>,
    /// Whether its outcome is counted.
    has_ended: bool,
    /// When it began, if it is timed.
    began: Option<Stamp>,
}

/// Whether the breaker counts the call by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It needs a permit, and its result counts.
    Alone,
    /// It is part of a call through the same breaker, and is admitted with the permit of that call.
    /// It has no permit of its own, and is not counted.
    Part,
}

impl<'p> Run<'p> {
    /// Begins a call, and its first attempt. The breaker is that of the policy, or one that the
    /// call's arguments have chosen. If it is closed and no other call encloses this one, and no
    /// request, this acquires the permit.
    #[inline]
    pub(crate) fn new(rules: &'p Rules, breaker: Option<&'p CircuitBreaker>) -> Self {
        Self::begun(rules, breaker, true)
    }

    /// [`new`](Self::new) for a call that nothing can reject and whose attempts nothing tracks.
    #[inline]
    pub(crate) fn untracked(rules: &'p Rules) -> Self {
        Self::begun(rules, None, false)
    }

    #[inline]
    fn begun(rules: &'p Rules, breaker: Option<&'p CircuitBreaker>, is_tracked: bool) -> Self {
        let version = rules.numbers().version();
        let permit = match breaker {
            Some(breaker) if !enclosing::is_any() => breaker.try_admit_fast().map(Permit::tracked),
            _ => None,
        };
        Self {
            rules,
            version,
            breaker,
            permit,
            standing: Standing::Alone,
            is_tracked,
            attempt: 1,
            moment: None,
            is_since: false,
            ran_out: None,
            has_ended: false,
            began: version.has_durations().then(Stamp::now),
        }
    }

    /// The numbers that the call has begun with.
    #[inline]
    fn numbers(&self) -> CallNumbers<'p> {
        self.rules.numbers().of(self.version)
    }

    /// Starts the time until the policy's deadline, if it has one.
    pub(crate) fn start_clock(&mut self) {
        if self.version.has_deadline() {
            self.moment = self.numbers().deadline.and_then(deadline_after).map(Stamp::of);
        }
    }

    /// When the call must be over.
    #[inline]
    fn deadline(&self) -> Option<Instant> {
        match (self.moment, enclosing::request_deadline()) {
            (None, request) => request,
            _ => self.clock().deadline(),
        }
    }

    fn clock(&self) -> Clock {
        match self.moment {
            None => Clock::Off,
            Some(begin) if self.is_since => Clock::Since(begin.instant()),
            Some(deadline) => Clock::Until(deadline.instant()),
        }
    }

    /// Acquires the permit, unless [`new`](Self::new) already has. If the request has no time left,
    /// the call is rejected without one.
    #[inline]
    pub(crate) fn admit(&mut self) -> Result<(), Rejection> {
        if self.permit.is_some() { Ok(()) } else { self.admit_slow() }
    }

    #[cold]
    fn admit_slow(&mut self) -> Result<(), Rejection> {
        if let Some(time) = TimeLeft::of_request() {
            self.begin_within(&time)?;
        }
        let admitted = self.acquire();
        if admitted.is_err() {
            self.end(CallOutcome::Rejected);
        }
        admitted
    }

    /// Takes over the time of the request, or rejects the call if there is none left.
    #[inline(never)]
    fn begin_within(&mut self, time: &TimeLeft) -> Result<(), Rejection> {
        let left = time.left();
        if left.is_zero() {
            self.end(CallOutcome::Rejected);
            event::emit(&Event::Rejected {
                function: Some(self.rules.name()),
                breaker: self.event_call().breaker,
                kind: ErrorKind::DeadlineExceeded,
                retry_after: None,
            });
            return Err(Rejection::DeadlineExceeded { deadline: left, attempts: 0 });
        }
        if self.moment.is_none_or(|own| time.until < own.instant()) {
            (self.moment, self.is_since) = (Some(Stamp::of(time.begin)), true);
        }
        Ok(())
    }

    // Inlined: a rejection is large, and each function would copy it.
    #[inline]
    fn acquire(&mut self) -> Result<(), Rejection> {
        let Some(breaker) = self.breaker else { return Ok(()) };
        if enclosing::contains(breaker) {
            self.standing = Standing::Part;
        }
        if self.standing == Standing::Alone {
            self.permit = Some(breaker.admit(self.rules.caller())?.tracked());
        }
        Ok(())
    }

    /// Whether no attempt can follow the one that has begun.
    #[inline]
    pub(crate) fn is_last(&self) -> bool {
        self.is_last_of_row() || self.permit.as_ref().is_some_and(Permit::is_probe)
    }

    /// Whether the row with the most attempts allows no other.
    #[inline]
    fn is_last_of_row(&self) -> bool {
        if self.attempt == 1 { !self.version.is_repeated() } else { self.is_last_retry() }
    }

    #[cold]
    fn is_last_retry(&self) -> bool {
        self.attempt >= self.numbers().max_attempts()
    }

    /// The attempt that begins now.
    pub(crate) fn current(&self) -> CurrentAttempt {
        let own = if self.version.has_attempt_timeout() {
            self.numbers().attempt_timeout.and_then(deadline_after)
        } else {
            None
        };
        let (until, ran_out) = match (own, self.deadline()) {
            (Some(own), Some(deadline)) if own < deadline => (Some(own), RanOut::AttemptTimeout),
            (own, None) => (own, RanOut::AttemptTimeout),
            (_, deadline) => (deadline, RanOut::Deadline),
        };
        CurrentAttempt { number: self.attempt, is_last: self.is_last(), until, ran_out }
    }

    /// Returns when `attempt` must end, and what it ends with then.
    pub(crate) fn limit<E>(
        &self,
        attempt: &CurrentAttempt,
        reject: fn(Rejection) -> E,
    ) -> Option<Limit<E>> {
        let until = attempt.until?;
        let (ran_out, attempt) = (attempt.ran_out, attempt.number);
        let allowed = self.allowed(ran_out);
        Some(Limit { until, expiry: Expiry { ran_out, allowed, attempt, reject } })
    }

    /// Whether an attempt that begins now has a limit.
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.version.has_attempt_timeout() || self.deadline().is_some()
    }

    /// How long an attempt or the call may take by this limit.
    fn allowed(&self, ran_out: RanOut) -> Duration {
        let allowed = match ran_out {
            RanOut::AttemptTimeout => self.numbers().attempt_timeout,
            RanOut::Deadline => self.clock().allowed(self.numbers().deadline),
        };
        allowed.unwrap_or_default()
    }

    /// What calls made inside this one must know about it.
    #[inline]
    pub(crate) fn frame(&self) -> Frame {
        Frame::new(self.breaker, self.version.retries())
    }

    /// Where [`track`] flags a panic. `None` if there is no permit to settle by it.
    #[inline]
    pub(crate) fn call_state(&mut self) -> Option<&mut CallState> {
        self.permit.as_mut().map(Permit::call_state)
    }

    #[inline]
    pub(crate) fn set_call_state(&mut self, state: CallState) {
        if let Some(current) = self.call_state() {
            *current = state;
        }
    }

    /// Ends an attempt: the call ends too, or continues after a delay.
    #[inline]
    pub(crate) fn settle<T, E>(
        &mut self,
        result: Result<T, E>,
        classify: fn(&E) -> FailedAttempt,
    ) -> ControlFlow<Result<T, E>, RetryDelay<'p, E>> {
        match result {
            Ok(value) => {
                self.succeed();
                ControlFlow::Break(Ok(value))
            }
            Err(error) => match self.fail(&error, classify) {
                Some(plan) => ControlFlow::Continue(self.delay(error, plan)),
                None => ControlFlow::Break(Err(error)),
            },
        }
    }

    /// [`settle`](Self::settle) of an attempt whose body can say that it has sent nothing.
    #[inline]
    pub(crate) fn settle_known<T, E>(
        &mut self,
        result: Result<T, E>,
        nothing_sent: &NothingSent,
        classify: fn(&E) -> FailedAttempt,
    ) -> ControlFlow<Result<T, E>, RetryDelay<'p, E>> {
        match result {
            Ok(value) if nothing_sent.is_by(self.attempt) => {
                self.succeed_neutrally();
                ControlFlow::Break(Ok(value))
            }
            result => self.settle(result, classify),
        }
    }

    /// [`finish`](Self::finish) of an attempt whose body can say that it has sent nothing.
    #[inline]
    pub(crate) fn finish_known<T, E>(
        &mut self,
        result: Result<T, E>,
        nothing_sent: &NothingSent,
        classify: fn(&E) -> FailedAttempt,
    ) -> Result<T, E> {
        match result {
            Ok(value) if nothing_sent.is_by(self.attempt) => {
                self.succeed_neutrally();
                Ok(value)
            }
            result => self.finish(result, classify),
        }
    }

    /// Ends an attempt that has succeeded without a request. It says nothing about the server, and
    /// has not filled the budget that retries take from.
    #[inline(never)]
    fn succeed_neutrally(&mut self) {
        self.end(CallOutcome::Success);
        if let Some(permit) = self.permit.take() {
            permit.ignore();
        }
    }

    /// Ends the only attempt of a call.
    #[inline]
    pub(crate) fn finish<T, E>(
        &mut self,
        result: Result<T, E>,
        classify: fn(&E) -> FailedAttempt,
    ) -> Result<T, E> {
        match result {
            Ok(value) => {
                self.succeed();
                Ok(value)
            }
            Err(error) => {
                self.fail_for_good(&error, classify);
                Err(error)
            }
        }
    }

    /// [`fail`](Self::fail) of the only attempt.
    #[cold]
    fn fail_for_good<E>(&mut self, error: &E, classify: fn(&E) -> FailedAttempt) {
        self.fail(error, classify);
    }

    /// Ends an attempt that has succeeded.
    // Not inlined, so that `settle` is: a call costs less than a result that goes through memory.
    #[inline(never)]
    fn succeed(&mut self) {
        // Each branch ends in a call, so that nothing has to be kept on the stack.
        if self.began.is_some() || !self.rules.counters().count_own_success() {
            self.succeed_in_full();
        } else if self.rules.has_budget() {
            self.refund_and_settle();
        } else {
            self.settle_success();
        }
    }

    /// [`succeed`](Self::succeed) of a call that is timed, or of a thread that has no counters of its
    /// own.
    #[inline(never)]
    fn succeed_in_full(&mut self) {
        self.end(CallOutcome::Success);
        self.refund_and_settle();
    }

    #[inline(never)]
    fn refund_and_settle(&mut self) {
        if let Some(budget) = self.rules.budget()
            // A part that never retries withdraws nothing, and refunds nothing.
            && !self.outer_call_retries(false)
        {
            budget.refund();
        }
        self.settle_success();
    }

    #[inline]
    fn settle_success(&mut self) {
        self.has_ended = true;
        if let Some(permit) = self.permit.take() {
            permit.success_of(self.rules.caller());
        }
    }

    /// Ends an attempt that returned an error. Returns the plan of the next attempt, if there is to
    /// be one. Otherwise the call is settled.
    // The error is borrowed: moving it would cost more than classifying it.
    #[cold]
    fn fail<E>(&mut self, error: &E, classify: fn(&E) -> FailedAttempt) -> Option<RetryPlan<'p>> {
        self.flagging_panic(|run| run.plan(classify(error)))
    }

    #[cold]
    fn delay<E>(&mut self, error: E, plan: RetryPlan<'p>) -> RetryDelay<'p, E> {
        // A timer panics if there is no runtime.
        self.flagging_panic(|_| RetryDelay::new(error, plan))
    }

    /// Waits, and begins the next attempt. If there can be no further attempt, ends the call with
    /// the error of the last one.
    pub(crate) async fn resume<T, E>(
        &mut self,
        delay: RetryDelay<'p, E>,
    ) -> ControlFlow<Result<T, E>> {
        let RetryDelay { timer, pending } = delay;
        timer.await;
        self.flagging_panic(|run| run.next_attempt(*pending))
    }

    fn next_attempt<T, E>(&mut self, pending: PendingRetry<'p, E>) -> ControlFlow<Result<T, E>> {
        let PendingRetry { error, plan } = pending;
        match self.is_still_admitted() {
            Ok(()) => {
                if let Some(permit) = &mut self.permit {
                    permit.begin_attempt();
                }
                // Before the retry is paid for: dropping the error may panic, and then there is no
                // retry.
                drop(error);
                if let Some(withdrawal) = plan.withdrawal {
                    withdrawal.spend();
                }
                self.rules.counters().count_retry(plan.failed.kind);
                self.attempt += 1;
                ControlFlow::Continue(())
            }
            Err(reason) => {
                self.record_retries(&plan.failed);
                self.give_up(plan.failed.kind, reason);
                self.set_lasted(plan.lasted);
                self.end_failed(&plan.failed);
                ControlFlow::Break(Err(error))
            }
        }
    }

    /// Runs `work` outside an attempt. It may call user code or a subscriber, and a panic there
    /// counts as a panic of the call.
    #[inline]
    pub(crate) fn flagging_panic<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let watched = self.watched();
        let done = work(&mut *watched.0);
        watched.end();
        done
    }

    /// [`flagging_panic`](Self::flagging_panic) without a closure, for a result that must not go
    /// through memory.
    #[inline]
    pub(super) fn watched(&mut self) -> PanicFlag<'_, 'p> {
        PanicFlag(self)
    }

    /// Tracks an attempt that ends at its limit.
    #[inline]
    pub(crate) fn timed<T, E, F>(
        &mut self,
        attempt: F,
        limit: Option<Limit<E>>,
    ) -> Tracked<'_, Timed<'_, F, E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let frame = self.frame();
        let Self { permit, ran_out, .. } = self;
        let mut state = permit.as_mut().map(Permit::call_state);
        // A timer panics if there is no runtime.
        let timed = flag_panic(state.as_deref_mut(), || timed(attempt, limit, ran_out));
        track(frame, state, timed)
    }

    /// Ends an attempt whose request has no time left. Returns its error.
    #[cold]
    pub(crate) fn run_out<E>(&mut self, reject: fn(Rejection) -> E) -> E {
        let expiry = Expiry {
            ran_out: RanOut::Deadline,
            allowed: self.allowed(RanOut::Deadline),
            attempt: self.attempt,
            reject,
        };
        let error = expiry.error();
        self.ran_out = Some(expiry.ran_out);
        // The code of the attempt is dropped before the call is settled. If the permit is dropped in
        // between, that has panicked.
        self.set_call_state(CallState::Panicked);
        error
    }

    /// Records that a part of the call was ended by its own deadline, if there is a permit to
    /// settle by it. Returns whether there is.
    pub(crate) fn part_ran_out(&mut self) -> bool {
        self.call_state().map(|state| *state = CallState::PartRanOut).is_some()
    }

    /// See [`fail`](Self::fail).
    fn plan(&mut self, mut failed: FailedAttempt) -> Option<RetryPlan<'p>> {
        if let Some(ran_out) = self.ran_out.take() {
            failed.ended_by(ran_out);
        }
        let kind = failed.kind;
        // Even if this call does not retry: the note must not stay for another call.
        let inner = self.take_retried();
        if kind == ErrorKind::Unknown {
            self.note_unknown_error();
        }
        let was_probe = self.permit.as_ref().is_some_and(Permit::is_probe);
        if self.rules.scope() == Scope::Attempt {
            self.settle_permit(&failed);
        }
        let Some(row) = self.numbers().row(kind) else {
            if let Some(ran_out) = failed.ran_out {
                self.report_limit(ran_out);
            }
            self.end_failed(&failed);
            return None;
        };
        match self.next_delay(&failed, &row, was_probe) {
            Ok((delay, withdrawal)) => {
                if let Some(inner) = inner {
                    multiplied::report(self.event_call(), &inner);
                }
                event::emit(&Event::Retrying { call: self.event_call(), kind, delay });
                let lasted = self.permit.as_ref().map_or(Duration::ZERO, Permit::lasted);
                // By the time that the hint could matter, it has been waited out.
                failed.hint = None;
                Some(RetryPlan { delay, failed, withdrawal, lasted })
            }
            Err(reason) => {
                self.record_retries(&failed);
                self.report_end(reason, &failed);
                self.end_failed(&failed);
                None
            }
        }
    }

    /// Counts an error of kind `unknown`, and reports the first one if the policy does nothing about
    /// it.
    fn note_unknown_error(&self) {
        if self.numbers().retry.is_none() && self.breaker.is_none() {
            return;
        }
        let is_first = self.rules.count_unknown_error();
        let trips = self.breaker.is_some_and(|it| it.config().trips_on(ErrorKind::Unknown));
        if is_first && !trips {
            event::emit(&Event::UnknownError { call: self.event_call() });
        }
    }

    /// Takes the name of the call that failed in spite of its retries inside the attempt that has
    /// just ended.
    ///
    /// The polls of an untracked call remove no older note, so it must not look: a success leaves its
    /// note, because to remove it would cost every success a look.
    fn take_retried(&self) -> Option<Retried> {
        if self.is_tracked { multiplied::take(self.frame()) } else { None }
    }

    /// Records for an outer call that this one ends with an error after retries.
    fn record_retries(&self, failed: &FailedAttempt) {
        if self.attempt > 1 {
            multiplied::record(self.event_call(), self.breaker, failed.maybe_executed);
        }
    }

    /// Emits the event that says why no attempt follows.
    fn report_end(&self, reason: GiveUpReason, failed: &FailedAttempt) {
        let FailedAttempt { kind, ran_out, .. } = *failed;
        match (reason, ran_out) {
            // The outer call reports its own retries.
            (GiveUpReason::OuterCallRetries, None) => {}
            (GiveUpReason::OuterCallRetries, Some(ran_out)) => self.report_limit(ran_out),
            // No retry could have helped, so the policy has nothing to report.
            (_, None) if self.attempt == 1 && !kind.is_transient() => {}
            _ => self.give_up(kind, reason),
        }
    }

    /// Reports that no attempt follows.
    fn give_up(&self, kind: ErrorKind, reason: GiveUpReason) {
        self.rules.counters().count_gave_up(reason);
        event::emit(&Event::GaveUp { call: self.event_call(), kind, reason });
    }

    /// Returns how long to wait before the next attempt, or why there is to be none. The budget
    /// comes last: a retry that is not made costs nothing.
    fn next_delay(
        &self,
        failed: &FailedAttempt,
        row: &RetryPolicy,
        was_probe: bool,
    ) -> Result<(Duration, Option<Withdrawal<'p>>), GiveUpReason> {
        let FailedAttempt { kind, hint, maybe_executed, may_retry, ran_out } = *failed;
        if ran_out == Some(RanOut::Deadline) {
            return Err(GiveUpReason::DeadlineExceeded);
        }
        check_retryable(kind, may_retry)?;
        if maybe_executed && !self.rules.numbers().is_idempotent() {
            return Err(GiveUpReason::MaybeExecuted);
        }
        if was_probe || !self.breaker.is_none_or(is_closed) {
            return Err(GiveUpReason::BreakerNotClosed);
        }
        if self.outer_call_retries(maybe_executed) {
            return Err(GiveUpReason::OuterCallRetries);
        }
        let deadline = self.deadline();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let delay = next_delay(row, self.attempt, hint, left, rand::random())?;
        let Some(budget) = self.rules.budget() else { return Ok((delay, None)) };
        let Some(withdrawal) = budget.withdraw(kind, hint) else {
            if budget.record_exhausted() {
                let call = self.event_call();
                event::emit(&Event::BudgetExhausted { budget: budget.name(), call });
            }
            return Err(GiveUpReason::BudgetExhausted);
        };
        Ok((delay, Some(withdrawal)))
    }

    /// Whether this call is part of a call whose policy retries such failures. If both retried,
    /// their attempts would multiply.
    fn outer_call_retries(&self, maybe_executed: bool) -> bool {
        self.standing == Standing::Part
            && self.breaker.is_some_and(|breaker| enclosing::retries(breaker, maybe_executed))
    }

    /// Whether the call may continue after a delay: before its deadline, and only while its breaker
    /// is closed. A permit for the whole call is still valid then. If the breaker counts attempts,
    /// this acquires a new one.
    fn is_still_admitted(&mut self) -> Result<(), GiveUpReason> {
        // A timer may be late.
        if self.deadline().is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(GiveUpReason::DeadlineTooNear);
        }
        if !self.breaker.is_none_or(is_closed) {
            return Err(GiveUpReason::BreakerNotClosed);
        }
        if self.permit.is_some() {
            return Ok(());
        }
        self.acquire().map_err(|_| GiveUpReason::BreakerNotClosed)
    }

    /// Sets how long the attempt lasted whose result counts, without the delay after it.
    fn set_lasted(&mut self, lasted: Duration) {
        if let Some(permit) = &mut self.permit {
            permit.set_lasted(lasted);
        }
    }

    /// Ends the call with the error of this attempt.
    fn end_failed(&mut self, failed: &FailedAttempt) {
        self.settle_permit(failed);
        let ran_out = failed.ran_out.is_some();
        self.end(if ran_out { CallOutcome::Timeout } else { CallOutcome::Error });
    }

    /// Counts how the call ends.
    #[inline]
    fn end(&mut self, outcome: CallOutcome) {
        self.has_ended = true;
        if let Some(began) = &self.began {
            self.rules.durations().record(outcome, began.elapsed());
        }
        self.rules.counters().count(outcome);
    }

    /// Ends a call that is dropped before it has ended: by a panic, or because its future was
    /// dropped.
    #[cold]
    fn end_dropped(&mut self) {
        let has_panicked =
            self.permit.as_ref().map_or_else(thread::panicking, Permit::has_panicked);
        self.end(if has_panicked { CallOutcome::Error } else { CallOutcome::Cancelled });
        if let Some(permit) = self.permit.take() {
            permit.settle_dropped(self.rules.caller());
        }
    }

    #[inline]
    fn settle_permit(&mut self, failed: &FailedAttempt) {
        let caller = self.rules.caller();
        match (self.permit.take(), failed.ran_out) {
            (Some(permit), Some(RanOut::Deadline)) => {
                permit.settle_deadline(self.version.has_attempt_timeout(), caller);
            }
            (Some(permit), _) => permit.settle_error(failed.kind, failed.hint, caller),
            (None, Some(RanOut::Deadline)) if !self.version.has_attempt_timeout() => {
                self.notify_outer_call();
            }
            (None, _) => {}
        }
    }

    /// Tells the outer call that this part of it ended at its own deadline: only the outer call has
    /// a permit to count that.
    fn notify_outer_call(&self) {
        if let (Standing::Part, Some(breaker)) = (self.standing, self.breaker) {
            enclosing::record_ran_out(breaker);
        }
    }

    /// Emits the event that names the limit that ended the call. The error may not say it.
    fn report_limit(&self, ran_out: RanOut) {
        let (kind, limit) = (ran_out.kind(), self.allowed(ran_out));
        event::emit(&Event::TimedOut { call: self.event_call(), kind, limit });
    }

    /// What events say about this call.
    fn event_call(&self) -> EventCall<'p> {
        EventCall {
            function: self.rules.name(),
            place: self.rules.place(),
            breaker: self.breaker.map(|breaker| breaker.name().as_str()),
            attempt: self.attempt,
        }
    }
}

impl Drop for Run<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.has_ended {
            self.end_dropped();
        }
    }
}

/// Flags a panic when it is dropped, which only a panic does. Otherwise nothing is written.
pub(super) struct PanicFlag<'r, 'p>(pub(super) &'r mut Run<'p>);

impl PanicFlag<'_, '_> {
    /// Ends what is watched. It has not panicked.
    #[inline]
    pub(super) fn end(self) {
        mem::forget(self);
    }
}

impl Drop for PanicFlag<'_, '_> {
    fn drop(&mut self) {
        // The current permit: the work may have acquired a new one.
        if let Some(state) = self.0.call_state() {
            *state = CallState::Panicked;
        }
    }
}

/// The moment after this time. `None` if the clock cannot express it.
fn deadline_after(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

fn is_closed(breaker: &CircuitBreaker) -> bool {
    breaker.state() == BreakerState::Closed
}
