//! Admission: whether a call may begin.

use std::time::Duration;

use super::admitted::Admitted;
use super::circuit_breaker::CircuitBreaker;
use super::clock::moment;
use super::failure::Caller;
use super::permit::Permit;
use super::probe_slots::ProbeSlot;
use super::state::{Admission, Moment, Ticket, Word};
use crate::ErrorKind;
use crate::error::{BreakerStatus, CircuitOpenError};
use crate::event::{self, Event, TransitionCause};

/// Whether a call would be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    /// Not before this moment, unless something happens.
    At(Moment),
    /// Not before something happens.
    Unknown,
}

impl CircuitBreaker {
    /// Acquires a permit to make one call, for code that [`call`](Self::call) does not fit.
    ///
    /// Each permit counts by itself, even inside a call through the same breaker. Do not acquire
    /// one there: with a single probe, the breaker would never close.
    ///
    /// # Errors
    ///
    /// [`CircuitOpenError`] while the breaker is open, or half-open with all its probes out.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>, CircuitOpenError> {
        self.try_admit_fast().map_or_else(|| self.admit(Caller::NONE), Ok)
    }

    /// Returns a permit if the breaker is closed and calls are not timed, as nearly every call
    /// finds it. Otherwise `None`: [`admit`](Self::admit) then decides.
    #[inline]
    pub(crate) fn try_admit_fast(&self) -> Option<Permit<'_>> {
        let ticket = self.load().admit_closed()?;
        let admitted = Admitted::new(ticket, None, 0);
        (!self.config.is_timed()).then(|| Permit::new(self, admitted))
    }

    /// Admits or rejects a call, in any state and with any configuration. The event of a rejection
    /// names `caller`.
    // Inlined, as is what it calls: a rejection is large, and each function would copy it.
    #[inline]
    pub(crate) fn admit(&self, caller: Caller<'_>) -> Result<Permit<'_>, CircuitOpenError> {
        let admitted = match self.load().admit_closed() {
            Some(ticket) => self.begin_call(ticket, None),
            None => self.admit_slow(caller)?,
        };
        Ok(Permit::new(self, admitted))
    }

    fn begin_call(&self, ticket: Ticket, slot: Option<ProbeSlot>) -> Admitted {
        Admitted::new(ticket, slot, self.now_if_timed())
    }

    pub(super) fn now_if_timed(&self) -> u64 {
        if self.config.is_timed() { self.nanos() } else { 0 }
    }

    /// How long the call has lasted so far; 0 if calls are not timed.
    pub(super) fn lasted(&self, admitted: Admitted) -> Duration {
        match admitted.began() {
            // It began before settings had calls timed.
            0 => Duration::ZERO,
            began => Duration::from_nanos(self.now_if_timed().saturating_sub(began)),
        }
    }

    /// The same call, as if it had begun `lasted` ago.
    pub(super) fn having_lasted(&self, admitted: Admitted, lasted: Duration) -> Admitted {
        let lasted = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
        admitted.begun_at(self.now_if_timed().saturating_sub(lasted))
    }

    /// Admits or rejects a call while the breaker is not closed. This reads the clock.
    #[inline]
    fn admit_slow(&self, caller: Caller<'_>) -> Result<Admitted, CircuitOpenError> {
        loop {
            let (current, elapsed) = self.load_expiring_probes();
            let now = moment(elapsed);
            match current.admit(now) {
                Admission::Pass(ticket) => return Ok(self.begin_call(ticket, None)),
                Admission::Probe(ticket, next) => {
                    let configured = self.config.current();
                    let Some(slot) = self.probes.take(&configured.config, ticket.period(), now)
                    else {
                        return Err(self.reject(caller, current.status_at(now), None));
                    };
                    // If a subscriber panics, the permit is dropped without an outcome and releases
                    // the slot.
                    let permit = Permit::new(self, self.begin_call(ticket, Some(slot))).tracked();
                    if self.begin_probe(current, next) {
                        return Ok(permit.surrender().1);
                    }
                    self.release(permit.surrender().1);
                }
                Admission::Reject { until } => {
                    let retry_after = until.map(|until| until.after(elapsed));
                    return Err(self.reject(caller, current.status(), retry_after));
                }
            }
        }
    }

    /// Moves the word for a probe that has its slot. Returns `false` if the state has changed since
    /// `current` was read.
    fn begin_probe(&self, current: Word, next: Word) -> bool {
        let begun = if next == current {
            self.load().period() == current.period()
        } else {
            self.exchange(current, next, |_| TransitionCause::OpenDurationOver)
        };
        if begun && self.config.current().config.probe_timeout().is_some() {
            // Waiting tasks can now tell when this probe will time out.
            self.waiters.wake_all();
        }
        begun
    }

    /// Returns whether a call would be admitted now.
    pub(super) fn readiness(&self) -> Readiness {
        let (current, elapsed) = self.load_expiring_probes();
        let now = moment(elapsed);
        match current.admit(now) {
            Admission::Pass(_) => Readiness::Ready,
            Admission::Probe(ticket, _) => {
                let config = &self.config.current().config;
                if self.probes.has_free(config, ticket.period(), now) {
                    return Readiness::Ready;
                }
                let timeout = config.probe_timeout();
                let expiry = timeout.and_then(|timeout| self.probes.first_expiry(timeout));
                expiry.map_or(Readiness::Unknown, Readiness::At)
            }
            Admission::Reject { until: Some(until) } => Readiness::At(until),
            Admission::Reject { until: None } => Readiness::Unknown,
        }
    }

    /// Loads the state word, and reads the clock. If a probe has timed out, this opens the breaker
    /// first.
    #[inline]
    fn load_expiring_probes(&self) -> (Word, Duration) {
        loop {
            let current = self.load();
            let elapsed = self.clock.elapsed();
            if self.first_probe_timeout(current).is_none_or(|timeout| moment(elapsed) < timeout) {
                return (current, elapsed);
            }
            self.open_by_timeout(current, elapsed);
        }
    }

    /// Opens the breaker because a probe has timed out.
    // Not inlined, so that `load_expiring_probes` is.
    #[cold]
    fn open_by_timeout(&self, current: Word, elapsed: Duration) {
        // Only if the word has not moved since: the probe may have ended in time.
        let opened = self.advance_or_open(
            elapsed,
            None,
            |word, until| {
                (word == current)
                    .then(|| word.fail(&self.config.current().config, word.ticket(), until))
                    .flatten()
            },
            |_| TransitionCause::ProbeTimedOut,
        );
        if opened {
            self.clock.record_failure(elapsed);
        }
    }

    /// When the first probe of this half-open state times out, if probes have a timeout.
    #[inline]
    fn first_probe_timeout(&self, word: Word) -> Option<Moment> {
        if word.status() != BreakerStatus::HalfOpen {
            return None;
        }
        let timeout = self.config.current().config.probe_timeout()?;
        self.probes.first_expiry_in(word.period(), timeout)
    }

    #[inline]
    fn reject(
        &self,
        caller: Caller<'_>,
        status: BreakerStatus,
        retry_after: Option<Duration>,
    ) -> CircuitOpenError {
        self.totals.count_rejected();
        event::emit(&Event::Rejected {
            function: caller.name(),
            breaker: Some(&self.name),
            kind: ErrorKind::CircuitOpen,
            retry_after,
        });
        CircuitOpenError { breaker: self.name.clone(), state: status.state(), retry_after }
    }

    /// Nanoseconds since the clock was first read, and at least 1: enough for 584 years.
    fn nanos(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}
