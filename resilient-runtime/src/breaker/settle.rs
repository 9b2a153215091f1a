//! How a breaker moves: the pure steps of the state machine, applied to its words.

use std::time::Duration;

use super::changes::Change;
use super::clock::moment;
use super::config::{Behavior, Rates};
use super::probe_slots::ProbeSlot;
use super::state::{Admission, Mode, Moment, State, Ticket, Word};
use super::stats::BreakerState;
use super::window::{CallResult, Results};
use super::{CircuitBreaker, CircuitOpenError, Permit};
use crate::event;

/// A call that the breaker has let pass.
///
/// Two words, because every call carries it, and it is written and read within a few nanoseconds:
/// a processor has to wait where it reads a word that was written in parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    /// The ticket, and above it the number of the probe's slot.
    ticket_and_slot: u64,
    /// When it began, in nanoseconds since the clock was first read; 0 where nobody asks.
    began: u64,
}

impl Admitted {
    #[inline]
    fn new(ticket: Ticket, slot: Option<ProbeSlot>, began: u64) -> Self {
        let slot = slot.map_or(0, ProbeSlot::number);
        Self { ticket_and_slot: u64::from(slot) << u32::BITS | u64::from(ticket.bits()), began }
    }

    #[inline]
    pub(super) const fn ticket(self) -> Ticket {
        #[expect(clippy::cast_possible_truncation, reason = "the slot is above it")]
        Ticket::from_bits(self.ticket_and_slot as u32)
    }

    #[inline]
    const fn has_slot(self) -> bool {
        self.ticket_and_slot >> u32::BITS != 0
    }

    fn slot(self) -> Option<ProbeSlot> {
        #[expect(clippy::cast_possible_truncation, reason = "nothing is above it")]
        ProbeSlot::from_number((self.ticket_and_slot >> u32::BITS) as u16)
    }
}

/// Releases the slot of a probe when it is dropped: after the probe has moved the state word, even if a subscriber panics. The next
/// probe to take the slot then sees what this one has found.
struct Release<'b> {
    breaker: &'b CircuitBreaker,
    admitted: Admitted,
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.breaker.release(self.admitted);
    }
}

/// Whether a call could pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    /// Not before this moment, unless something happens.
    At(Moment),
    /// Not before something happens.
    Unknown,
}

impl CircuitBreaker {
    /// The permit that a closed breaker gives to a call that is not timed, which is all that most
    /// calls ever see; none where there is more to find out.
    #[inline]
    pub(crate) fn pass(&self) -> Option<Permit<'_>> {
        let ticket = self.load().admit_closed()?;
        let admitted = Admitted::new(ticket, None, 0);
        // Most have no rates at all, and that is known by one comparison.
        let is_timed = self.config.rates().is_some() && self.config.slow_call_duration().is_some();
        (!is_timed).then(|| Permit::new(self, admitted))
    }

    /// The permit, or the rejection, in any state and with any configuration. `function` is the
    /// one that asks, for the event of a rejection.
    // Inlined, as is what it calls: a rejection is large, and each function would copy it.
    #[inline]
    pub(crate) fn ask(&self, function: Option<&str>) -> Result<Permit<'_>, CircuitOpenError> {
        let admitted = match self.load().admit_closed() {
            Some(ticket) => self.admitted(ticket, None),
            None => self.admit_by_the_clock(function)?,
        };
        Ok(Permit::new(self, admitted))
    }

    fn admitted(&self, ticket: Ticket, slot: Option<ProbeSlot>) -> Admitted {
        Admitted::new(ticket, slot, self.now_if_timed())
    }

    fn now_if_timed(&self) -> u64 {
        if self.config.slow_call_duration().is_some() { self.nanos() } else { 0 }
    }

    /// How long the call has lasted so far, if it is timed.
    pub(super) fn lasted(&self, admitted: Admitted) -> Duration {
        Duration::from_nanos(self.now_if_timed().saturating_sub(admitted.began))
    }

    /// The same leave, of a call that began so long ago.
    pub(super) fn having_lasted(&self, admitted: Admitted, lasted: Duration) -> Admitted {
        let lasted = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
        Admitted { began: self.now_if_timed().saturating_sub(lasted), ..admitted }
    }

    /// The part of an admission that reads the clock: the breaker is not closed.
    #[inline]
    fn admit_by_the_clock(&self, function: Option<&str>) -> Result<Admitted, CircuitOpenError> {
        loop {
            let (current, elapsed) = self.look();
            let now = moment(elapsed);
            match current.admit(now) {
                Admission::Pass(ticket) => return Ok(self.admitted(ticket, None)),
                Admission::Probe(ticket, next) => {
                    let Some(slot) = self.probes.take(&self.config, ticket.period(), now) else {
                        return Err(self.reject(function, current.mode_at(now), None));
                    };
                    // Dropped without an outcome, it releases the slot: so too if a subscriber
                    // panics.
                    let permit = Permit::new(self, self.admitted(ticket, Some(slot))).watched();
                    if self.begin_probe(current, next) {
                        return Ok(permit.surrender().1);
                    }
                    self.release(permit.surrender().1);
                }
                Admission::Reject { until } => {
                    let retry_after = until.map(|until| until.after(elapsed));
                    return Err(self.reject(function, current.mode(), retry_after));
                }
            }
        }
    }

    /// Moves the word for a probe that has its slot. `false` if the state has changed since
    /// `current` was read.
    fn begin_probe(&self, current: Word, next: Word) -> bool {
        let begun = if next == current {
            self.load().period() == current.period()
        } else {
            self.exchange(current, next)
        };
        if begun && self.config.probe_timeout().is_some() {
            // Waiting tasks can now tell when this probe will have hung for too long.
            self.waiters.wake_all();
        }
        begun
    }

    /// Whether a call would pass.
    pub(super) fn readiness(&self) -> Readiness {
        let (current, elapsed) = self.look();
        let now = moment(elapsed);
        match current.admit(now) {
            Admission::Pass(_) => Readiness::Ready,
            Admission::Probe(ticket, _) => {
                if self.probes.has_free(&self.config, ticket.period(), now) {
                    return Readiness::Ready;
                }
                let timeout = self.config.probe_timeout();
                let expiry = timeout.and_then(|timeout| self.probes.first_expiry(timeout));
                expiry.map_or(Readiness::Unknown, Readiness::At)
            }
            Admission::Reject { until: Some(until) } => Readiness::At(until),
            Admission::Reject { until: None } => Readiness::Unknown,
        }
    }

    /// The state word by the clock: where a probe has hung for too long, the breaker has opened.
    #[inline]
    fn look(&self) -> (Word, Duration) {
        loop {
            let current = self.load();
            let elapsed = self.clock.elapsed();
            if self.first_timeout(current).is_none_or(|timeout| moment(elapsed) < timeout) {
                return (current, elapsed);
            }
            // Only if nothing has happened since: the probe may have ended in time.
            let opened = self.open(elapsed, None, |word, until| {
                (word == current).then(|| word.fail(&self.config, word.ticket(), until)).flatten()
            });
            if opened {
                self.clock.failed(elapsed);
            }
        }
    }

    /// When the first probe of this half-open state will have hung for too long, if there is such
    /// a limit.
    fn first_timeout(&self, word: Word) -> Option<Moment> {
        let timeout = self.config.probe_timeout()?;
        let is_half_open = word.mode() == Mode::HalfOpen;
        is_half_open.then(|| self.probes.first_expiry_in(word.period(), timeout)).flatten()
    }

    #[inline]
    fn reject(
        &self,
        function: Option<&str>,
        mode: Mode,
        retry_after: Option<Duration>,
    ) -> CircuitOpenError {
        self.totals.count_rejected();
        event::rejected(function, &self.name, retry_after);
        CircuitOpenError { breaker: self.name.clone(), state: mode.into(), retry_after }
    }

    #[inline]
    pub(super) fn succeeded(&self, admitted: Admitted) {
        // What nearly every call finds.
        let is_done =
            self.load().is_at_rest() && self.config.rates().is_none() && !admitted.has_slot();
        // Each ends by a call, so that nothing has to be kept on the stack.
        if is_done {
            self.totals.count_success();
        } else {
            self.succeeded_with_more_to_do(admitted);
        }
    }

    // Not cold: with a window, every success comes here.
    #[inline(never)]
    fn succeeded_with_more_to_do(&self, admitted: Admitted) {
        self.totals.count_success();
        let ticket = admitted.ticket();
        let slow = self.is_slow(admitted);
        if self.config.rates().is_some() && !ticket.is_probe() {
            self.record(ticket, CallResult { failed: false, slow }, None);
        } else if slow {
            self.fail(admitted, slow, None);
        } else {
            let _released = Release { breaker: self, admitted };
            self.advance(|word| word.succeed(&self.config, ticket));
        }
    }

    /// `hint` is how long the server asks to stay away, if it does.
    #[cold]
    pub(super) fn failed(&self, admitted: Admitted, hint: Option<Duration>) {
        self.totals.count_failure();
        self.fail(admitted, self.is_slow(admitted), hint);
    }

    fn fail(&self, admitted: Admitted, slow: bool, hint: Option<Duration>) {
        let ticket = admitted.ticket();
        let elapsed = self.clock.elapsed();
        self.clock.failed(elapsed);
        let _released = Release { breaker: self, admitted };
        if self.config.rates().is_some() && !ticket.is_probe() {
            self.record(ticket, CallResult { failed: true, slow }, hint);
        } else {
            self.open(elapsed, hint, |word, until| word.fail(&self.config, ticket, until));
        }
    }

    pub(super) fn ignored(&self, admitted: Admitted) {
        self.totals.count_ignored();
        self.release(admitted);
    }

    /// Whether the call has been slow, which is counted.
    fn is_slow(&self, admitted: Admitted) -> bool {
        let Some(limit) = self.config.slow_call_duration() else { return false };
        let slow = self.lasted(admitted) > limit;
        if slow {
            self.totals.count_slow_call();
        }
        slow
    }

    /// Adds a result to the window, and opens the breaker where that is one too many.
    fn record(&self, ticket: Ticket, result: CallResult, hint: Option<Duration>) {
        let Some(rates) = self.config.rates() else { return };
        let window = self.results(rates).record(
            result,
            ticket.period(),
            || self.load().counts_in_window(ticket),
            || self.clock.now(),
        );
        if window.is_some_and(|window| window.exceeds(rates)) {
            self.open(self.clock.elapsed(), hint, |word, until| word.trip(ticket, until));
        }
    }

    pub(super) fn results(&self, rates: &Rates) -> &Results {
        self.results.get_or_init(|| Box::new(Results::new(rates.window)))
    }

    /// Releases the slot of a probe, whatever the breaker's state is by now.
    fn release(&self, admitted: Admitted) {
        if let Some(slot) = admitted.slot() {
            self.probes.release(slot, admitted.ticket().period());
            self.waiters.wake_all();
        }
    }

    /// Nanoseconds since the clock was first read: enough for 584 years.
    fn nanos(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn force(&self, state: State) {
        self.advance(|word| Some(word.begin(state)));
    }

    /// What the breaker looks like by now, with this state word. It reads the clock if the word is
    /// open.
    pub(super) fn mode_now(&self, word: Word) -> Mode {
        if word.mode() == Mode::Open { word.mode_at(self.clock.now()) } else { word.mode() }
    }

    /// Moves the word by `step` until nobody comes between, or there is nothing to change.
    fn advance(&self, step: impl Fn(Word) -> Option<Word>) {
        loop {
            let current = self.load();
            let Some(next) = step(current) else { return };
            if self.exchange(current, next) {
                return;
            }
        }
    }

    /// [`advance`](Self::advance) by a step that may open the breaker at this time. The step is
    /// told until when it would be open, which is not before the server's `hint` is over. Whether there was anything to change.
    fn open(
        &self,
        elapsed: Duration,
        hint: Option<Duration>,
        step: impl Fn(Word, Moment) -> Option<Word>,
    ) -> bool {
        let position = if self.config.open_jitter() > 0.0 { rand::random() } else { 0.5 };
        loop {
            // In this order: see `Openings`.
            let seen = self.openings.load();
            let current = self.load();
            let opening = seen.following(current);
            let open_for = self.config.open_for(opening.count(), position, hint);
            let Some(next) = step(current, moment(elapsed.saturating_add(open_for))) else {
                return false;
            };
            let noted = next.mode() != Mode::Open || self.openings.note(seen, opening);
            if noted && self.exchange(current, next) {
                return true;
            }
        }
    }

    /// Moves the word from `current` to `next`, if it is still `current`.
    fn exchange(&self, current: Word, next: Word) -> bool {
        let moved = self.compare_exchange(current, next);
        if moved {
            self.has_moved(current, next);
        }
        moved
    }

    /// Tells waiting tasks and observers that the breaker has moved.
    fn has_moved(&self, from: Word, to: Word) {
        if from.period() == to.period() {
            return;
        }
        let change = Change::between(from, to);
        if change.is_public() {
            self.totals.count_transition();
        }
        self.waiters.note_period(to.period(), self.looks_changed(from, to));
        // First, since it never panics: a subscriber may.
        self.waiters.wake_all();
        self.changes.tell(change, |change| {
            if change.is_public() {
                let opened = change.to == BreakerState::Open;
                let tell = if opened { event::opened } else { event::recovering };
                tell(&self.name, change.from.as_str(), change.to.as_str());
            }
        });
    }

    /// Whether [`state`](Self::state) reads otherwise than just before the move. An open breaker
    /// whose time is over has looked half-open since then, and becomes half-open unnoticed.
    fn looks_changed(&self, from: Word, to: Word) -> bool {
        to.mode() != Mode::HalfOpen
            && BreakerState::from(self.mode_now(from)) != BreakerState::from(to.mode())
    }
}
