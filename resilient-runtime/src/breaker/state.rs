//! The breaker's state machine: pure functions from one 64-bit word to the next.
//!
//! Nothing here reads a clock, touches an atomic or logs. The word holds all that decides whether a
//! call is admitted, so one compare-exchange moves the breaker, and no reader ever sees half a
//! change:
//!
//! ```text
//! bits 63..61   status
//! bits 60..38   period, wrapping: which stretch between two changes of status this is
//! bits 37..0    open: the moment it may let a probe through
//!               closed, disabled: consecutive failures (16 bits)
//!               half-open: successful probes (16 bits)
//! ```
//!
//! Every change of status and every reset begins a new period. A result counts only in the period
//! in which its call was admitted: an answer from before a change can neither open nor close
//! anything after it.
//!
//! A breaker with a window counts in it, beside the word. While it is closed, its word
//! moves only when it opens. The probes in flight are also kept beside the word, because a probe
//! may outlive its period: see [`ProbeSlots`](super::probe_slots::ProbeSlots).

use std::time::Duration;

use super::config::BreakerConfig;
use crate::error::BreakerStatus;

/// Milliseconds since the breaker first read the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    /// The latest moment that the word has room for: 8.7 years.
    pub(super) const LATEST: Self = Self(PAYLOAD_MASK);

    pub(super) const fn from_millis(millis: u64) -> Self {
        if millis < PAYLOAD_MASK { Self(millis) } else { Self::LATEST }
    }

    pub(super) const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment `duration` later.
    pub(super) fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// How long it is from `elapsed` until then.
    pub(super) const fn after(self, elapsed: Duration) -> Duration {
        Duration::from_millis(self.0).saturating_sub(elapsed)
    }
}

const STATUS_SHIFT: u32 = 61;
const PERIOD_SHIFT: u32 = 38;
const PERIOD_MASK: u64 = (1 << (STATUS_SHIFT - PERIOD_SHIFT)) - 1;
/// How many periods there are before they begin anew at 0.
pub(super) const PERIODS: u32 = 1 << (STATUS_SHIFT - PERIOD_SHIFT);
const PAYLOAD_MASK: u64 = (1 << PERIOD_SHIFT) - 1;
const COUNT_BITS: u32 = 16;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// A word in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Closed { failures: u16 },
    Open { until: Moment },
    HalfOpen { successes: u16 },
    ForcedOpen,
    ForcedClosed,
    Disabled { failures: u16 },
}

/// The word of a breaker. Zero is a closed breaker that never saw a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

/// What an admitted call must show when it settles: its period, and whether it is a probe. Every
/// call carries it, so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u32);

impl Ticket {
    const PROBE: u32 = 1 << 31;

    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    pub(super) const fn is_probe(self) -> bool {
        self.0 & Self::PROBE != 0
    }

    pub(super) const fn period(self) -> u32 {
        self.0 & !Self::PROBE
    }
}

/// The answer of the state to a call that asks for admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// The call is admitted, and the word does not change.
    Pass(Ticket),
    /// The call is admitted as a probe, if there is a free slot and the word can be moved to this
    /// one. It is the same word if the breaker is already half-open.
    Probe(Ticket, Word),
    /// The call is rejected. `until` is the moment from which a probe is admitted, if that is
    /// known.
    Reject { until: Option<Moment> },
}

impl Word {
    pub(super) const NEW: Self = Self(0);

    #[inline]
    pub(super) const fn status(self) -> BreakerStatus {
        match self.0 >> STATUS_SHIFT {
            0 => BreakerStatus::Closed,
            1 => BreakerStatus::Open,
            2 => BreakerStatus::HalfOpen,
            3 => BreakerStatus::ForcedOpen,
            4 => BreakerStatus::ForcedClosed,
            _ => BreakerStatus::Disabled,
        }
    }

    #[inline]
    pub(super) const fn state(self) -> State {
        let payload = self.0 & PAYLOAD_MASK;
        match self.status() {
            BreakerStatus::Closed => State::Closed { failures: (payload & COUNT_MASK) as u16 },
            BreakerStatus::Open => State::Open { until: Moment(payload) },
            BreakerStatus::HalfOpen => State::HalfOpen { successes: (payload & COUNT_MASK) as u16 },
            BreakerStatus::ForcedOpen => State::ForcedOpen,
            BreakerStatus::ForcedClosed => State::ForcedClosed,
            BreakerStatus::Disabled => State::Disabled { failures: (payload & COUNT_MASK) as u16 },
        }
    }

    #[inline]
    pub(super) const fn period(self) -> u32 {
        (self.0 >> PERIOD_SHIFT & PERIOD_MASK) as u32
    }

    /// The status that callers see at `now`. An open breaker whose time is over admits probes like a
    /// half-open one, although its word stays open until the first probe.
    pub(super) fn status_at(self, now: Moment) -> BreakerStatus {
        match self.state() {
            State::Open { until } if now >= until => BreakerStatus::HalfOpen,
            _ => self.status(),
        }
    }

    const fn assemble(state: State, period: u32) -> Self {
        let (status, payload) = match state {
            State::Closed { failures } => (0, failures as u64),
            State::Open { until } => (1, until.0),
            State::HalfOpen { successes } => (2, successes as u64),
            State::ForcedOpen => (3, 0),
            State::ForcedClosed => (4, 0),
            State::Disabled { failures } => (5, failures as u64),
        };
        Self(status << STATUS_SHIFT | (period as u64 & PERIOD_MASK) << PERIOD_SHIFT | payload)
    }

    /// The same period with other counts.
    const fn counting(self, state: State) -> Self {
        Self::assemble(state, self.period())
    }

    /// A new period.
    pub(super) const fn begin(self, state: State) -> Self {
        Self::assemble(state, self.period().wrapping_add(1))
    }

    /// The ticket of a call that is admitted now.
    #[inline]
    pub(super) const fn ticket(self) -> Ticket {
        let probe =
            if matches!(self.status(), BreakerStatus::HalfOpen) { Ticket::PROBE } else { 0 };
        Ticket(self.period() | probe)
    }

    /// Whether the breaker is closed and has counted no failure, as nearly every call finds it. A
    /// success does not change that, whenever its call was admitted.
    #[inline]
    pub(super) const fn is_at_rest(self) -> bool {
        self.0 & !(PERIOD_MASK << PERIOD_SHIFT) == 0
    }

    /// Whether `ticket` was issued in the current period.
    const fn issued(self, ticket: Ticket) -> bool {
        self.period() == ticket.period()
    }

    /// The ticket of a call if the breaker is closed, whatever it has counted; otherwise `None`.
    /// This is the part of [`admit`](Self::admit) that needs no clock.
    #[inline]
    pub(super) const fn admit_closed(self) -> Option<Ticket> {
        match self.status() {
            BreakerStatus::Closed | BreakerStatus::ForcedClosed | BreakerStatus::Disabled => {
                Some(self.ticket())
            }
            BreakerStatus::Open | BreakerStatus::HalfOpen | BreakerStatus::ForcedOpen => None,
        }
    }

    /// Whether a call is admitted at `now`.
    pub(super) fn admit(self, now: Moment) -> Admission {
        let probe = |next: Self| Admission::Probe(next.ticket(), next);
        match self.state() {
            State::Closed { .. } | State::ForcedClosed | State::Disabled { .. } => {
                Admission::Pass(self.ticket())
            }
            State::Open { until } if now >= until => {
                probe(self.begin(State::HalfOpen { successes: 0 }))
            }
            State::Open { until } => Admission::Reject { until: Some(until) },
            State::HalfOpen { .. } => probe(self),
            State::ForcedOpen => Admission::Reject { until: None },
        }
    }

    /// The word after a success. `None` if it does not change.
    #[inline]
    pub(super) const fn succeed(self, config: &BreakerConfig, ticket: Ticket) -> Option<Self> {
        if !self.issued(ticket) {
            return None;
        }
        match self.state() {
            State::Closed { failures: 1.. } => Some(self.counting(State::Closed { failures: 0 })),
            State::Disabled { failures: 1.. } => {
                Some(self.counting(State::Disabled { failures: 0 }))
            }
            State::HalfOpen { successes } if successes as u32 + 1 >= config.success_threshold() => {
                Some(self.begin(State::Closed { failures: 0 }))
            }
            State::HalfOpen { successes } => {
                Some(self.counting(State::HalfOpen { successes: successes + 1 }))
            }
            State::Closed { .. }
            | State::Open { .. }
            | State::ForcedOpen
            | State::ForcedClosed
            | State::Disabled { .. } => None,
        }
    }

    /// The word after a failure. `None` if it does not change. If the failure opens the breaker, it
    /// stays open until what `until` returns.
    pub(super) fn fail(
        self,
        config: &BreakerConfig,
        ticket: Ticket,
        until: impl FnOnce() -> Moment,
    ) -> Option<Self> {
        if !self.issued(ticket) {
            return None;
        }
        match self.state() {
            State::Closed { failures }
                if config
                    .failure_threshold()
                    .is_some_and(|most| u32::from(failures) + 1 >= most) =>
            {
                Some(self.begin(State::Open { until: until() }))
            }
            State::Closed { failures } => {
                Some(self.counting(State::Closed { failures: failures + 1 }))
            }
            State::HalfOpen { .. } => Some(self.begin(State::Open { until: until() })),
            State::Disabled { failures: u16::MAX }
            | State::Open { .. }
            | State::ForcedOpen
            | State::ForcedClosed => None,
            State::Disabled { failures } => {
                Some(self.counting(State::Disabled { failures: failures + 1 }))
            }
        }
    }

    /// Whether a result of this call goes into the window: the call was admitted in the current
    /// period, and results of this period are counted there.
    pub(super) const fn counts_in_window(self, ticket: Ticket) -> bool {
        self.issued(ticket)
            && matches!(self.status(), BreakerStatus::Closed | BreakerStatus::Disabled)
    }

    /// The word after the window has reached a rate or the threshold. `None` if it does not change.
    pub(super) fn trip(self, ticket: Ticket, until: impl FnOnce() -> Moment) -> Option<Self> {
        match self.status() {
            BreakerStatus::Closed if self.issued(ticket) => {
                Some(self.begin(State::Open { until: until() }))
            }
            _ => None,
        }
    }

    /// The word after a state of an earlier process is restored. `None` if the breaker is no longer
    /// closed, or is held: what has happened in this process is newer.
    pub(super) const fn restore(self, state: State) -> Option<Self> {
        match self.status() {
            BreakerStatus::Closed => Some(self.begin(state)),
            BreakerStatus::Open
            | BreakerStatus::HalfOpen
            | BreakerStatus::ForcedOpen
            | BreakerStatus::ForcedClosed
            | BreakerStatus::Disabled => None,
        }
    }
}

/// A period so far before this one that few tasks have waited since.
pub(super) const fn long_before(period: u32) -> u32 {
    (period + PERIODS - PERIODS / 4) % PERIODS
}

/// Whether `period` began after `other`. Periods wrap, so fewer than half of them may lie between
/// the two.
pub(super) const fn is_later(period: u32, other: u32) -> bool {
    let between = (period + PERIODS - other) % PERIODS;
    between > 0 && between < PERIODS / 2
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const OPEN_UNTIL: Moment = Moment(30_000);

    fn config() -> BreakerConfig {
        BreakerConfig::builder()
            .failure_threshold(3)
            .success_threshold(2)
            .half_open_max_calls(2)
            .open_duration(Duration::from_secs(30))
            .build()
            .unwrap()
    }

    fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    fn pass(word: Word) -> Ticket {
        match word.admit(at(0)) {
            Admission::Pass(ticket) => ticket,
            other => panic!("not admitted: {other:?}"),
        }
    }

    fn probe(word: Word, now: Moment) -> (Ticket, Word) {
        match word.admit(now) {
            Admission::Probe(ticket, next) => (ticket, next),
            other => panic!("not a probe: {other:?}"),
        }
    }

    fn fail(word: Word, ticket: Ticket) -> Word {
        word.fail(&config(), ticket, || OPEN_UNTIL).unwrap_or(word)
    }

    fn succeed(word: Word, ticket: Ticket) -> Word {
        word.succeed(&config(), ticket).unwrap_or(word)
    }

    fn opened() -> Word {
        (0..3).fold(Word::NEW, |word, _| fail(word, pass(word)))
    }

    #[test]
    fn every_state_survives_the_word() {
        for state in [
            State::Closed { failures: u16::MAX },
            State::Open { until: Moment::LATEST },
            State::HalfOpen { successes: u16::MAX },
            State::ForcedOpen,
            State::ForcedClosed,
            State::Disabled { failures: u16::MAX },
        ] {
            let word = Word::assemble(state, 0x7F_FFFF);
            assert_eq!((word.state(), word.period()), (state, 0x7F_FFFF));
        }
    }

    #[test]
    fn the_period_wraps_without_touching_the_status() {
        let last = Word::assemble(State::ForcedOpen, 0x7F_FFFF);
        let next = last.begin(State::Closed { failures: 0 });
        assert_eq!((next.state(), next.period()), (State::Closed { failures: 0 }, 0));
    }

    #[test]
    fn only_consecutive_failures_open_it() {
        let mut word = Word::NEW;
        for _ in 0..2 {
            word = fail(word, pass(word));
        }
        word = succeed(word, pass(word));
        assert_eq!(word.state(), State::Closed { failures: 0 });
        for _ in 0..2 {
            word = fail(word, pass(word));
        }
        assert_eq!(word.state(), State::Closed { failures: 2 });
        word = fail(word, pass(word));
        assert_eq!(word.state(), State::Open { until: OPEN_UNTIL });
    }

    #[test]
    fn a_success_while_closed_without_failures_writes_nothing() {
        assert_eq!(Word::NEW.succeed(&config(), pass(Word::NEW)), None);
    }

    #[test]
    fn an_open_breaker_rejects_until_its_time_and_then_probes() {
        let open = opened();
        assert_eq!(open.admit(at(29_999)), Admission::Reject { until: Some(OPEN_UNTIL) });
        let (_, half_open) = probe(open, OPEN_UNTIL);
        assert_eq!(half_open.state(), State::HalfOpen { successes: 0 });
        assert_eq!(probe(half_open, OPEN_UNTIL).1, half_open, "it is half-open already");
    }

    #[test]
    fn an_open_breaker_looks_half_open_once_its_time_is_over() {
        let open = opened();
        assert_eq!(open.status_at(at(29_999)), BreakerStatus::Open);
        assert_eq!(open.status_at(OPEN_UNTIL), BreakerStatus::HalfOpen);
        let held = open.begin(State::ForcedOpen);
        assert_eq!(held.status_at(Moment::LATEST), BreakerStatus::ForcedOpen);
    }

    #[test]
    fn enough_successful_probes_close_it() {
        let (first, word) = probe(opened(), OPEN_UNTIL);
        let word = succeed(word, first);
        assert_eq!(word.state(), State::HalfOpen { successes: 1 });
        let (second, word) = probe(word, OPEN_UNTIL);
        assert_eq!(succeed(word, second).state(), State::Closed { failures: 0 });
    }

    #[test]
    fn one_failed_probe_opens_it_again() {
        let (first, word) = probe(opened(), OPEN_UNTIL);
        let (second, word) = probe(word, OPEN_UNTIL);
        let word = succeed(word, first);
        let again = at(60_000);
        let reopened = word.fail(&config(), second, || again).unwrap();
        assert_eq!(reopened.state(), State::Open { until: again });
    }

    #[test]
    fn stale_results_change_nothing_in_any_later_state() {
        let stale = pass(Word::NEW);
        let open = opened();
        let (_, half_open) = probe(open, OPEN_UNTIL);
        let closed = half_open.begin(State::Closed { failures: 1 });
        for word in [open, half_open, closed] {
            assert_eq!(word.succeed(&config(), stale), None);
            assert_eq!(word.fail(&config(), stale, || OPEN_UNTIL), None);
        }
    }

    #[test]
    fn held_by_hand_it_ignores_results() {
        for state in [State::ForcedOpen, State::ForcedClosed] {
            let word = Word::NEW.begin(state);
            let ticket = word.ticket();
            assert!(!word.counts_in_window(ticket));
            assert_eq!(word.succeed(&config(), ticket), None);
            assert_eq!(word.fail(&config(), ticket, || OPEN_UNTIL), None);
        }
        let closed = Word::NEW.begin(State::ForcedClosed);
        assert_eq!(closed.admit(at(0)), Admission::Pass(closed.ticket()));
        let open = Word::NEW.begin(State::ForcedOpen);
        assert_eq!(open.admit(Moment::LATEST), Admission::Reject { until: None });
    }

    #[test]
    fn disabled_it_counts_and_never_opens() {
        let mut word = Word::NEW.begin(State::Disabled { failures: 0 });
        for _ in 0..5 {
            word = fail(word, pass(word));
        }
        assert_eq!(word.state(), State::Disabled { failures: 5 });
        assert_eq!(word.trip(pass(word), || OPEN_UNTIL), None);
        word = succeed(word, pass(word));
        assert_eq!(word.state(), State::Disabled { failures: 0 });
        let most = word.counting(State::Disabled { failures: u16::MAX });
        assert_eq!(most.fail(&config(), pass(most), || OPEN_UNTIL), None);
    }

    #[test]
    fn a_window_opens_a_closed_breaker_in_the_period_of_the_call_only() {
        let ticket = pass(Word::NEW);
        assert!(Word::NEW.counts_in_window(ticket));
        let open = Word::NEW.trip(ticket, || OPEN_UNTIL).unwrap();
        assert_eq!(open.state(), State::Open { until: OPEN_UNTIL });
        let again = open.begin(State::Closed { failures: 0 });
        for word in [open, again] {
            assert!(!word.counts_in_window(ticket));
            assert_eq!(word.trip(ticket, || OPEN_UNTIL), None);
        }
    }

    #[test]
    fn a_state_is_restored_only_while_it_is_closed_and_not_held() {
        let restored = State::Open { until: OPEN_UNTIL };
        for state in [State::Closed { failures: 0 }, State::Closed { failures: 2 }] {
            let word = Word::NEW.begin(state);
            let next = word.restore(restored).unwrap();
            assert_eq!((next.state(), next.period()), (restored, word.period() + 1));
        }
        for state in [
            State::Open { until: at(1) },
            State::HalfOpen { successes: 0 },
            State::ForcedOpen,
            State::ForcedClosed,
            State::Disabled { failures: 0 },
        ] {
            assert_eq!(Word::NEW.begin(state).restore(restored), None, "{state:?}");
        }
    }

    #[test]
    fn no_result_from_before_counts_after_a_restore() {
        let stale = pass(Word::NEW);
        let restored = Word::NEW.restore(State::Disabled { failures: 0 }).unwrap();
        assert_eq!(restored.fail(&config(), stale, || OPEN_UNTIL), None);
        assert_eq!(fail(restored, pass(restored)).state(), State::Disabled { failures: 1 });
    }

    #[test]
    fn periods_are_compared_across_the_wrap() {
        assert!(is_later(1, 0) && is_later(0, PERIODS - 1) && is_later(7, PERIODS - 7));
        assert!(!is_later(0, 0) && !is_later(0, 1) && !is_later(PERIODS - 1, 0));
    }

    #[test]
    fn a_moment_beyond_the_word_is_the_latest() {
        assert_eq!(Moment::from_millis(u64::MAX), Moment::LATEST);
    }
}
