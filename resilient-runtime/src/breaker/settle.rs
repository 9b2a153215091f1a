//! How a breaker moves: the pure steps of the state machine, applied to its words.

use std::time::Duration;

use super::changes::Change;
use super::clock::moment;
use super::config::Rates;
use super::places::Place;
use super::state::{Admission, Mode, Moment, State, Ticket, Word};
use super::stats::BreakerState;
use super::window::{Outcome, Results};
use super::{CircuitBreaker, CircuitOpenError, Permit};
use crate::event;

/// A call that the breaker has let pass.
///
/// Two words, because every call carries it, and it is written and read within a few nanoseconds:
/// a processor has to wait where it reads a word that was written in parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    /// The ticket, and above it the number of the place where the call is noted as a probe, if
    /// probes have only so much time.
    leave: u64,
    /// When it began, in nanoseconds since the clock was first read; 0 where nobody asks.
    began: u64,
}

impl Admitted {
    #[inline]
    fn new(ticket: Ticket, place: Option<Place>, began: u64) -> Self {
        let place = place.map_or(0, Place::number);
        Self { leave: u64::from(place) << u32::BITS | u64::from(ticket.bits()), began }
    }

    #[inline]
    pub(super) const fn ticket(self) -> Ticket {
        #[expect(clippy::cast_possible_truncation, reason = "the place is above it")]
        Ticket::from_bits(self.leave as u32)
    }

    fn place(self) -> Option<Place> {
        #[expect(clippy::cast_possible_truncation, reason = "nothing is above it")]
        Place::from_number((self.leave >> u32::BITS) as u16)
    }
}

/// What a breaker tells one who asks whether a call could pass, without making one.
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
        let is_timed = self.config.rates().is_some() && self.config.slow_call().is_some();
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

    fn admitted(&self, ticket: Ticket, place: Option<Place>) -> Admitted {
        Admitted::new(ticket, place, self.now_if_timed())
    }

    fn now_if_timed(&self) -> u64 {
        if self.config.slow_call().is_some() { self.nanos() } else { 0 }
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
            match current.admit(&self.config, now) {
                Admission::Pass(ticket) => return Ok(self.admitted(ticket, None)),
                Admission::Probe(ticket, next) => {
                    if self.compare_exchange(current, next) {
                        let admitted = self.admitted(ticket, self.take_place(ticket, now));
                        // Should a subscriber panic, the call is not made.
                        let permit = Permit::new(self, admitted).watched();
                        self.has_moved(current, next);
                        permit.surrender();
                        return Ok(admitted);
                    }
                }
                Admission::Reject { until } => {
                    let retry_after = until.map(|until| until.after(elapsed));
                    return Err(self.reject(function, current, retry_after));
                }
            }
        }
    }

    /// Whether a call would pass.
    pub(super) fn readiness(&self) -> Readiness {
        let (current, elapsed) = self.look();
        match current.admit(&self.config, moment(elapsed)) {
            Admission::Pass(_) | Admission::Probe(..) => Readiness::Ready,
            Admission::Reject { until: Some(until) } => Readiness::At(until),
            Admission::Reject { until: None } => {
                self.first_timeout(current).map_or(Readiness::Unknown, Readiness::At)
            }
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
            let opened = self.open(elapsed, |word, until| {
                (word == current).then(|| word.fail(&self.config, word.ticket(), until)).flatten()
            });
            if opened {
                self.clock.failed(elapsed);
            }
        }
    }

    /// When the oldest probe will have hung for too long; none while there is none, or no such
    /// limit.
    fn first_timeout(&self, word: Word) -> Option<Moment> {
        let timeout = self.config.half_open_timeout()?;
        if word.mode() != Mode::HalfOpen {
            return None;
        }
        let began = Duration::from_millis(self.places.oldest(word.period())?.as_millis());
        Some(moment(began.saturating_add(timeout)))
    }

    fn take_place(&self, ticket: Ticket, now: Moment) -> Option<Place> {
        self.config.half_open_timeout()?;
        let place = self.places.take(self.config.half_open_max_calls(), ticket.period(), now);
        // There is a time now until which somebody may have to wait.
        self.waiters.call_may_pass();
        place
    }

    #[inline]
    fn reject(
        &self,
        function: Option<&str>,
        word: Word,
        retry_after: Option<Duration>,
    ) -> CircuitOpenError {
        self.totals.count_rejected();
        event::rejected(function, &self.name, retry_after);
        CircuitOpenError { breaker: self.name.clone(), state: word.mode().into(), retry_after }
    }

    #[inline]
    pub(super) fn succeeded(&self, admitted: Admitted) {
        self.totals.count_success();
        // What nearly every call finds. Of a probe too there is nothing left to count then: the
        // period is another than its own, and so its place is free.
        if !(self.load().is_at_rest() && self.config.rates().is_none()) {
            self.succeeded_with_more_to_do(admitted);
        }
    }

    // Not cold: with a window, every success comes here.
    #[inline(never)]
    fn succeeded_with_more_to_do(&self, admitted: Admitted) {
        let ticket = admitted.ticket();
        let slow = self.is_slow(admitted);
        if self.config.rates().is_some() && !ticket.is_probe() {
            self.record(ticket, Outcome { failed: false, slow });
        } else if slow {
            self.fail(admitted, slow);
        } else {
            self.give_place_up(admitted);
            self.advance(|word| word.succeed(&self.config, ticket));
        }
    }

    #[cold]
    pub(super) fn failed(&self, admitted: Admitted) {
        self.totals.count_failure();
        self.fail(admitted, self.is_slow(admitted));
    }

    fn fail(&self, admitted: Admitted, slow: bool) {
        let ticket = admitted.ticket();
        let elapsed = self.clock.elapsed();
        self.clock.failed(elapsed);
        self.give_place_up(admitted);
        if self.config.rates().is_some() && !ticket.is_probe() {
            self.record(ticket, Outcome { failed: true, slow });
        } else {
            self.open(elapsed, |word, until| word.fail(&self.config, ticket, until));
        }
    }

    pub(super) fn ignored(&self, admitted: Admitted) {
        self.totals.count_ignored();
        self.give_place_up(admitted);
        self.advance(|word| word.release(admitted.ticket()));
    }

    /// Whether the call has been slow, which is counted.
    fn is_slow(&self, admitted: Admitted) -> bool {
        let Some(limit) = self.config.slow_call() else { return false };
        let slow = self.lasted(admitted) > limit;
        if slow {
            self.totals.count_slow_call();
        }
        slow
    }

    /// Adds a result to the window, and opens the breaker where that is one too many.
    fn record(&self, ticket: Ticket, outcome: Outcome) {
        let Some(rates) = self.config.rates() else { return };
        let window = self.results(rates).record(
            outcome,
            ticket.period(),
            || self.load().counts_in_window(ticket),
            || self.clock.now(),
        );
        if window.is_some_and(|window| window.exceeds(rates)) {
            self.open(self.clock.elapsed(), |word, until| word.trip(ticket, until));
        }
    }

    pub(super) fn results(&self, rates: &Rates) -> &Results {
        self.results.get_or_init(|| Box::new(Results::new(rates.window)))
    }

    fn give_place_up(&self, admitted: Admitted) {
        if let Some(place) = admitted.place() {
            self.places.give_up(place, admitted.ticket().period());
        }
    }

    /// Nanoseconds since the clock was first read: enough for 584 years.
    fn nanos(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn force(&self, state: State) {
        self.advance(|word| Some(word.begin(state)));
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
    /// told until when it would be open. Whether there was anything to change.
    fn open(&self, elapsed: Duration, step: impl Fn(Word, Moment) -> Option<Word>) -> bool {
        let position = if self.config.open_jitter() > 0.0 { rand::random() } else { 0.5 };
        loop {
            // In this order: see `Openings`.
            let seen = self.openings.load();
            let current = self.load();
            let opening = seen.following(current);
            let open_for = self.config.open_for(opening.count(), position);
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

    /// Says that the breaker has moved, once for each change of its public state.
    fn has_moved(&self, from: Word, to: Word) {
        if from.period() == to.period() {
            if to.probes() < from.probes() {
                self.waiters.call_may_pass();
            }
            return;
        }
        let change = Change::between(from, to);
        if change.is_public() {
            self.totals.count_transition();
            self.waiters.state_has_changed();
        }
        self.waiters.call_may_pass();
        self.changes.tell(change, |change| {
            if change.is_public() {
                let opened = change.to == BreakerState::Open;
                let tell = if opened { event::opened } else { event::recovering };
                tell(&self.name, change.from.as_str(), change.to.as_str());
            }
        });
    }
}
