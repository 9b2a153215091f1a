//! The results of the calls that ended within some time: ten tenths that follow each other.
//!
//! A result is added to the newest tenth. When the time of a tenth is over, whoever ends a call
//! empties those that have come since, and then turns the window to the newest of them. Each tenth
//! carries a tag of its period and of its lap around the window, in the words of its counts: so a
//! result that comes too late finds another tag and is not added to a tenth that it does not
//! belong to. Emptying does not go by the tags, which wrap, but by what the window had been turned
//! to: a window that stood still for long is empty whatever its tags say.
//!
//! A tenth has two words, since one has no room for three counts and a tag: its calls, and how
//! many of them failed or were slow. The calls are written first and read last. So a rate that is
//! read while others write is never higher than it was, and no breaker opens by it; whoever ends
//! the last of several calls sees them all.
//!
//! While nothing fails nobody adds the tenths up: beside them stands the turn of the last miss,
//! which is a failure or a slow call, and a window without one opens no breaker.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::state::{Moment, PERIODS};
use super::super::sync::{AtomicU64, fence};
use super::{Outcome, WindowStats};

/// How many there are, as a length and as a number of turns.
const LENGTH: usize = 10;
const TENTHS: u64 = LENGTH as u64;

const NUMBER_BITS: u32 = 41;
const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;

const TAG_SHIFT: u32 = 40;
const HALF_TAG_BITS: u32 = 12;
const HALF_TAG_MASK: u64 = (1 << HALF_TAG_BITS) - 1;
const CALLS_MASK: u64 = (1 << TAG_SHIFT) - 1;
const FAILURES_SHIFT: u32 = 20;
const COUNT_MASK: u64 = (1 << FAILURES_SHIFT) - 1;

/// The tenths, and which of them is the newest.
pub(in crate::breaker) struct TimeWindow {
    newest: AtomicU64,
    /// The newest turn in which a call has failed or was slow; one of the last period there can be
    /// until one has.
    last_miss: AtomicU64,
    tenths: [Tenth; LENGTH],
    tenth_millis: u64,
}

/// A tag and 40 bits of calls; the same tag and 20 bits each of failures and of slow calls.
struct Tenth {
    calls: AtomicU64,
    misses: AtomicU64,
}

/// A period, and a tenth by its number since the breaker's first reading of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    period: u32,
    number: u64,
}

impl Turn {
    const fn from_word(word: u64) -> Self {
        Self { period: (word >> NUMBER_BITS) as u32, number: word & NUMBER_MASK }
    }

    const fn word(self) -> u64 {
        (self.period as u64) << NUMBER_BITS | self.number
    }

    /// The words of its tenth while that is empty.
    const fn empty(self) -> u64 {
        let lap = (self.number / TENTHS) & HALF_TAG_MASK;
        ((self.period as u64 & HALF_TAG_MASK) << HALF_TAG_BITS | lap) << TAG_SHIFT
    }

    /// The turns of the tenths of a window of which this is the newest, the oldest first.
    fn window(self) -> impl Iterator<Item = Self> {
        let oldest = self.number.saturating_sub(TENTHS - 1);
        (oldest..=self.number).map(move |number| Self { number, ..self })
    }
}

impl TimeWindow {
    pub(super) fn new(time: Duration) -> Self {
        let first = Turn { period: 0, number: 0 };
        let empty = || AtomicU64::new(first.empty());
        Self {
            newest: AtomicU64::new(first.word()),
            last_miss: AtomicU64::new(Turn { period: PERIODS - 1, number: 0 }.word()),
            tenths: std::array::from_fn(|_| Tenth { calls: empty(), misses: empty() }),
            tenth_millis: u64::try_from(time.as_millis()).unwrap_or(u64::MAX) / TENTHS,
        }
    }

    /// See [`Results::record`](super::Results::record).
    pub(super) fn record(
        &self,
        outcome: Outcome,
        period: u32,
        period_lasts: impl Fn() -> bool,
        now: impl Fn() -> Moment,
    ) -> Option<WindowStats> {
        loop {
            // Acquire: the tenths that the window was turned to are empty for whoever sees it, and
            // the state word is read after it. So a later period is never taken for an earlier.
            // The last miss is read first for the same reason: it is of no later turn than these.
            let last_miss = self.last_miss.load(Ordering::Acquire);
            let newest = Turn::from_word(self.newest.load(Ordering::Acquire));
            if !period_lasts() {
                return None;
            }
            let number = self.number(now(), newest);
            let turn = Turn { period, number };
            if turn != newest {
                self.turn(newest, turn);
            } else if self.note(turn, last_miss, outcome) && self.add(turn, outcome) {
                // Of two who add at once, the one whose fence comes second sees what both have
                // added and noted. Without it each could read what was there before the other. The
                // other may have turned the window, too.
                fence(Ordering::SeqCst);
                let newest = Turn::from_word(self.newest.load(Ordering::Acquire));
                return self.may_hold_a_miss(newest).then(|| self.sum(newest, newest));
            }
        }
    }

    /// The number of the tenth at this moment, or of the newest where that is later: the clock was
    /// read before it came.
    fn number(&self, now: Moment, newest: Turn) -> u64 {
        let since_newest = now.as_millis().saturating_sub(newest.number * self.tenth_millis);
        // As a rule it is the newest, and a multiplication takes less time than a division.
        if since_newest < self.tenth_millis {
            return newest.number;
        }
        newest.number + since_newest / self.tenth_millis
    }

    /// Notes the turn of a call that failed or was slow in the place of an older one, which was
    /// `found` there; false where somebody has noted another meanwhile.
    fn note(&self, turn: Turn, found: u64, outcome: Outcome) -> bool {
        if !outcome.is_miss() || Turn::from_word(found) == turn {
            return true;
        }
        // Release: see `record`. It fails where the word has moved on, and so never moves it back.
        let word = turn.word();
        self.last_miss.compare_exchange(found, word, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Whether a call in the window of which this is the newest turn has failed or was slow; it
    /// may say so where none has.
    fn may_hold_a_miss(&self, turn: Turn) -> bool {
        // Relaxed: the fence before it does the rest.
        let last = Turn::from_word(self.last_miss.load(Ordering::Relaxed));
        last.period == turn.period && turn.number.saturating_sub(last.number) < TENTHS
    }

    /// See [`Results::stats`](super::Results::stats).
    pub(super) fn stats(&self, period: Option<u32>, now: Moment) -> WindowStats {
        let newest = Turn::from_word(self.newest.load(Ordering::Acquire));
        if period.is_some_and(|period| period != newest.period) {
            return WindowStats::default();
        }
        let number = self.number(now, newest);
        self.sum(newest, Turn { number, ..newest })
    }

    /// Empties what lies between two turns, and turns the window, unless somebody else has.
    fn turn(&self, from: Turn, to: Turn) {
        let is_old = |turn: &Turn| from.period == to.period && turn.number <= from.number;
        for turn in to.window().filter(|turn| !is_old(turn)) {
            let Tenth { calls, misses } = self.tenth(turn);
            if !self.empty(misses, turn, from) || !self.empty(calls, turn, from) {
                return;
            }
        }
        // Release: whoever sees the window turned sees the tenths empty. If it fails, the caller
        // looks again.
        let _ = self.newest.compare_exchange(
            from.word(),
            to.word(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }

    /// Empties a word for a turn, while the window is turned `from` where nobody writes to it;
    /// false once it is not.
    fn empty(&self, word: &AtomicU64, turn: Turn, from: Turn) -> bool {
        loop {
            let found = word.load(Ordering::Acquire);
            // Acquire, after the word: what was found there is then of this turn or older.
            if self.newest.load(Ordering::Acquire) != from.word() {
                return false;
            }
            // Release: see `turn`.
            let emptied =
                || word.compare_exchange(found, turn.empty(), Ordering::AcqRel, Ordering::Relaxed);
            if found == turn.empty() || emptied().is_ok() {
                return true;
            }
        }
    }

    /// Adds a result; false where the tenth is not that of this turn any more.
    fn add(&self, turn: Turn, outcome: Outcome) -> bool {
        let Tenth { calls, misses } = self.tenth(turn);
        if !add_to(calls, turn, |_| 1) {
            return false;
        }
        if outcome.is_miss() {
            let one = |is: bool, shift: u32, word: u64| {
                // At most: a million in a tenth is enough to know.
                u64::from(is && word >> shift & COUNT_MASK < COUNT_MASK) << shift
            };
            // Should the tenth have gone since, both are gone with it.
            add_to(misses, turn, |word| {
                one(outcome.failed, FAILURES_SHIFT, word) + one(outcome.slow, 0, word)
            });
        }
        true
    }

    /// What the tenths up to `newest` hold that are in the window at the turn `now`.
    // Apart from `record`, which does not come here while nothing fails.
    #[inline(never)]
    fn sum(&self, newest: Turn, now: Turn) -> WindowStats {
        let words = |of: fn(&Tenth) -> &AtomicU64| {
            now.window().filter(|turn| turn.number <= newest.number).filter_map(move |turn| {
                // Acquire: the calls are not read before the failures among them.
                let word = of(self.tenth(turn)).load(Ordering::Acquire);
                has_tag(word, turn).then_some(word)
            })
        };
        let (failures, slow_calls) =
            words(|tenth| &tenth.misses).fold((0, 0), |(failures, slow), word| {
                (failures + (word >> FAILURES_SHIFT & COUNT_MASK), slow + (word & COUNT_MASK))
            });
        let calls = words(|tenth| &tenth.calls).map(|word| word & CALLS_MASK).sum();
        WindowStats { calls, failures, slow_calls }
    }

    fn tenth(&self, turn: Turn) -> &Tenth {
        &self.tenths[(turn.number % TENTHS) as usize]
    }
}

/// Adds to a word while it has the tag of this turn; false once it has not.
fn add_to(word: &AtomicU64, turn: Turn, what: impl Fn(u64) -> u64) -> bool {
    let mut found = word.load(Ordering::Relaxed);
    while has_tag(found, turn) {
        // Release: the counterpart of the load in `sum`, so that the calls are seen by whoever
        // sees the failures among them.
        match word.compare_exchange(found, found + what(found), Ordering::AcqRel, Ordering::Relaxed)
        {
            Ok(_) => return true,
            Err(actual) => found = actual,
        }
    }
    false
}

const fn has_tag(word: u64, turn: Turn) -> bool {
    word >> TAG_SHIFT == turn.empty() >> TAG_SHIFT
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::*;

    const FAILED: Outcome = Outcome { failed: true, slow: false };
    const SLOW: Outcome = Outcome { failed: false, slow: true };
    const GOOD: Outcome = Outcome { failed: false, slow: false };

    fn window() -> TimeWindow {
        TimeWindow::new(Duration::from_millis(100))
    }

    fn record(
        window: &TimeWindow,
        outcome: Outcome,
        period: u32,
        millis: u64,
    ) -> Option<WindowStats> {
        window.record(outcome, period, || true, || Moment::from_millis(millis))
    }

    fn stats(calls: u64, failures: u64, slow_calls: u64) -> WindowStats {
        WindowStats { calls, failures, slow_calls }
    }

    #[test]
    fn results_leave_it_a_tenth_at_a_time() {
        let window = window();
        for (millis, expected) in [
            (0, stats(1, 1, 0)),
            (9, stats(2, 2, 0)),
            (10, stats(3, 3, 0)),
            (99, stats(4, 4, 0)),
            (100, stats(3, 3, 0)),
            (110, stats(3, 3, 0)),
            (199, stats(3, 3, 0)),
        ] {
            assert_eq!(record(&window, FAILED, 0, millis), Some(expected), "at {millis} ms");
        }
    }

    #[test]
    fn it_is_empty_after_it_has_stood_still_whatever_the_tags_say() {
        let window = window();
        record(&window, FAILED, 0, 5);
        // As many laps later, the tags are the same again.
        let laps = 100 * (HALF_TAG_MASK + 1);
        assert_eq!(window.stats(Some(0), Moment::from_millis(laps)), stats(0, 0, 0));
        assert_eq!(record(&window, SLOW, 0, laps + 5), Some(stats(1, 0, 1)));
    }

    #[test]
    fn it_is_told_of_a_success_only_while_it_holds_a_miss() {
        let window = window();
        for (outcome, millis, expected) in [
            (GOOD, 0, None),
            (FAILED, 5, Some(stats(2, 1, 0))),
            (GOOD, 99, Some(stats(3, 1, 0))),
            (GOOD, 100, None),
            (SLOW, 115, Some(stats(3, 0, 1))),
            (GOOD, 209, Some(stats(2, 0, 1))),
            (GOOD, 210, None),
        ] {
            assert_eq!(record(&window, outcome, 0, millis), expected, "at {millis} ms");
        }
        record(&window, FAILED, 0, 210);
        assert_eq!(record(&window, GOOD, 1, 210), None, "a miss of the period before");
    }

    #[test]
    fn a_miss_that_is_noted_late_does_not_hide_a_later_one() {
        let window = window();
        let found = window.last_miss.load(Ordering::Relaxed);
        record(&window, FAILED, 0, 15);
        assert!(!window.note(Turn { period: 0, number: 0 }, found, FAILED));
        assert_eq!(record(&window, GOOD, 0, 105), Some(stats(2, 1, 0)));
    }

    #[test]
    fn a_new_period_begins_with_an_empty_window() {
        let window = window();
        record(&window, FAILED, 0, 5);
        // Its tag is the same as that of the period 0.
        let period = 1 << HALF_TAG_BITS;
        assert_eq!(window.stats(Some(period), Moment::from_millis(5)), stats(0, 0, 0));
        assert_eq!(record(&window, SLOW, period, 5), Some(stats(1, 0, 1)));
    }

    #[test]
    fn a_result_of_a_period_that_is_over_is_not_recorded() {
        let window = window();
        assert_eq!(window.record(FAILED, 0, || false, || Moment::from_millis(5)), None);
        assert_eq!(window.stats(None, Moment::from_millis(5)), stats(0, 0, 0));
    }

    #[test]
    fn a_reading_of_the_clock_that_comes_late_counts_as_now() {
        let window = window();
        record(&window, GOOD, 0, 95);
        assert_eq!(record(&window, FAILED, 0, 5), Some(stats(2, 1, 0)));
        assert_eq!(window.stats(None, Moment::from_millis(185)), stats(2, 1, 0));
        assert_eq!(window.stats(None, Moment::from_millis(190)), stats(0, 0, 0));
    }

    #[test]
    fn the_counts_of_many_threads_are_complete_and_no_rate_is_too_high() {
        const THREADS: u64 = 4;
        const ROUNDS: u64 = 10_000;
        let window = window();
        let work = || {
            for round in 0..ROUNDS {
                record(&window, GOOD, 0, round / 200);
                let missed = Outcome { failed: true, slow: true };
                let now = record(&window, missed, 0, round / 200).unwrap();
                assert!(now.failures <= now.calls.div_ceil(2) + THREADS, "{now:?}");
                assert!(now.slow_calls <= now.calls, "{now:?}");
            }
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(work);
            }
        });
        let all = THREADS * ROUNDS;
        assert_eq!(window.stats(None, Moment::from_millis(50)), stats(2 * all, all, all));
    }
}
