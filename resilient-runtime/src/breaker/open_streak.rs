//! How often a breaker has opened in a row, without having closed in between.
//!
//! The state word has no room for this count, so it has a word of its own, and one of two words can
//! be stale. Two rules keep them consistent:
//!
//! - The count carries the period of the open state that it refers to. An open state is followed
//!   only by the half-open state of the next period, so both know whether it refers to them.
//! - A thread that opens the breaker first records the opening, by a compare-exchange from what it
//!   read before it read the state word. It moves the state word only after that. A thread that
//!   acts on a stale state word has also read a stale count, so its exchange fails if the breaker
//!   has opened since. Of two threads that open the same period, the second adopts what the first
//!   has recorded: a failure and a restore would otherwise record different counts.
//!
//! So the count of an open state is there before that state is, and stays until the next open state.
//! If a probe closes the breaker before a recorded opening takes effect, the count refers to a
//! period that was never open and is never read.

use std::sync::atomic::Ordering;

use super::state::{PERIODS, Word};
use super::sync::{AtomicU64, const_unless_loom};
use crate::error::BreakerStatus;

const PERIOD_SHIFT: u32 = 32;

/// The word that holds the [`Streak`].
pub(super) struct OpenStreak(AtomicU64);

/// The open state of this period is the `count`th in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Streak {
    period: u32,
    count: u32,
}

impl OpenStreak {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            // The period 0 is never open.
            Self(AtomicU64::new(0))
        }
    }

    /// Reads the streak. Read it before the state word that it is compared with.
    pub(super) fn load(&self) -> Streak {
        // Acquire: the state word that is read next must not be older than this streak.
        let word = self.0.load(Ordering::Acquire);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of a word")]
        Streak { period: (word >> PERIOD_SHIFT) as u32, count: word as u32 }
    }

    /// Records an opening, if the streak is still the one that was `seen`.
    pub(super) fn record(&self, seen: Streak, next: Streak) -> bool {
        // Release: the counterpart of the load above. This thread has read the state word before. A
        // failed exchange tells nothing: the caller starts again.
        self.0
            .compare_exchange(seen.word(), next.word(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

impl Streak {
    const fn word(self) -> u64 {
        (self.period as u64) << PERIOD_SHIFT | self.count as u64
    }

    /// How often a breaker with this state word has opened in a row; 0 while it is closed.
    pub(super) fn openings(self, word: Word) -> u32 {
        let period = word.period();
        match word.status() {
            BreakerStatus::Open if self.period == period => self.count,
            // The streak already counts the next opening, which is about to happen.
            BreakerStatus::HalfOpen if self.period == shifted(period, 1) => {
                self.count.saturating_sub(1)
            }
            BreakerStatus::HalfOpen if self.period == shifted(period, PERIODS - 1) => self.count,
            _ => 0,
        }
    }

    /// The streak after the opening that would follow this state word.
    pub(super) fn following(self, word: Word) -> Self {
        self.opening(word, self.openings(word).saturating_add(1))
    }

    /// The streak after an opening that follows this state word and is the `count`th in a row, 1 or
    /// more. If another thread has already recorded that opening, its count holds.
    pub(super) const fn opening(self, word: Word, count: u32) -> Self {
        let period = shifted(word.period(), 1);
        // A count of 0 is the initial one, which refers to no opening.
        if self.period == period && self.count > 0 { self } else { Self { period, count } }
    }

    pub(super) const fn count(self) -> u32 {
        self.count
    }
}

const fn shifted(period: u32, by: u32) -> u32 {
    (period + by) % PERIODS
}

#[cfg(test)]
mod tests {
    use super::super::state::{Moment, State};
    use super::*;

    const OPEN: State = State::Open { until: Moment::from_millis(1) };
    const HALF_OPEN: State = State::HalfOpen { successes: 0 };
    const CLOSED: State = State::Closed { failures: 0 };

    fn open(streak: &OpenStreak, word: Word) -> Word {
        let seen = streak.load();
        assert!(streak.record(seen, seen.following(word)));
        word.begin(OPEN)
    }

    fn openings(streak: &OpenStreak, word: Word) -> u32 {
        streak.load().openings(word)
    }

    #[test]
    fn it_counts_until_the_breaker_closes() {
        let streak = OpenStreak::new();
        let mut word = Word::NEW;
        for count in 1..4 {
            word = open(&streak, word);
            assert_eq!(openings(&streak, word), count);
            word = word.begin(HALF_OPEN);
            assert_eq!(openings(&streak, word), count);
        }
        word = word.begin(CLOSED);
        assert_eq!(openings(&streak, word), 0);
        word = open(&streak, word);
        assert_eq!(openings(&streak, word), 1);
    }

    #[test]
    fn an_opening_that_was_recorded_and_not_made_does_not_count() {
        let streak = OpenStreak::new();
        let half_open = open(&streak, Word::NEW).begin(HALF_OPEN);
        open(&streak, half_open);
        assert_eq!(openings(&streak, half_open), 1, "recorded for the next period only");
        let closed = half_open.begin(CLOSED);
        assert_eq!(openings(&streak, closed), 0);
        assert_eq!(openings(&streak, open(&streak, closed)), 1);
    }

    #[test]
    fn a_record_by_a_thread_that_read_before_another_opening_is_refused() {
        let streak = OpenStreak::new();
        let stale = streak.load();
        let open_again = open(&streak, open(&streak, Word::NEW).begin(HALF_OPEN));
        assert!(!streak.record(stale, stale.following(Word::NEW)));
        assert_eq!(openings(&streak, open_again), 2);
    }

    #[test]
    fn a_restored_count_goes_on_and_ends_when_the_breaker_closes() {
        let streak = OpenStreak::new();
        let seen = streak.load();
        assert!(streak.record(seen, seen.opening(Word::NEW, 7)));
        let word = Word::NEW.begin(OPEN);
        assert_eq!(openings(&streak, word), 7);
        let word = open(&streak, word.begin(HALF_OPEN));
        assert_eq!(openings(&streak, word), 8);
        let closed = word.begin(HALF_OPEN).begin(CLOSED);
        assert_eq!(openings(&streak, open(&streak, closed)), 1);
    }

    #[test]
    fn a_failure_and_a_restore_that_open_one_period_agree_on_the_count() {
        for (first, second) in [(1, 7), (7, 1)] {
            let streak = OpenStreak::new();
            let recorded = streak.load().opening(Word::NEW, first);
            assert!(streak.record(streak.load(), recorded));
            assert_eq!(streak.load().opening(Word::NEW, second), recorded);
            assert_eq!(streak.load().following(Word::NEW), recorded);
        }
    }

    #[test]
    fn it_counts_on_when_the_periods_wrap() {
        let streak = OpenStreak::new();
        let mut word = Word::NEW;
        for _ in 1..PERIODS - 1 {
            word = word.begin(CLOSED);
        }
        for count in 1..4 {
            word = open(&streak, word);
            assert_eq!(openings(&streak, word), count);
            word = word.begin(HALF_OPEN);
            assert_eq!(openings(&streak, word), count);
        }
    }
}
