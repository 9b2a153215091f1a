//! How often a breaker has opened in a row, without having closed in between.
//!
//! The state word has no room for it, so it stands in a word of its own, and the trouble of two
//! words is that one of them can be old. Two rules make it right:
//!
//! - It carries the period of the open state that it speaks of. An open state is followed only by
//!   the half-open one of the next period, so both know whether it speaks of them.
//! - Who opens the breaker notes the opening first, by a compare-exchange from what it read before
//!   it read the state word, and moves the state word only after that. Whoever acts on an old
//!   state word has read an old note too, and so fails wherever a breaker has opened since. Two
//!   who open the same period note the same.
//!
//! So the note of an open state is there before that state is, and stays until the next one's. A
//! note whose opening then did not happen, because a probe closed the breaker first, speaks of a
//! period that never was open, and nobody asks it.

use std::sync::atomic::Ordering;

use super::state::{Mode, PERIODS, Word};
use super::sync::{AtomicU64, const_unless_loom};

const PERIOD_SHIFT: u32 = 32;

/// The word in which it stands.
pub(super) struct Openings(AtomicU64);

/// What it says: the open state of this period is the `count`th in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    period: u32,
    count: u32,
}

impl Openings {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            // The period 0 is never open.
            Self(AtomicU64::new(0))
        }
    }

    /// To be read before the state word that it is held against.
    pub(super) fn load(&self) -> Note {
        // Acquire: the state word that is read next must not be older than this note.
        let word = self.0.load(Ordering::Acquire);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of a word")]
        Note { period: (word >> PERIOD_SHIFT) as u32, count: word as u32 }
    }

    /// Notes an opening, if `seen` is still what stands here.
    pub(super) fn note(&self, seen: Note, next: Note) -> bool {
        // Release: the counterpart of the load above; the mover has read the state word before. A
        // failed exchange tells nothing: the caller starts again.
        self.0
            .compare_exchange(seen.word(), next.word(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

impl Note {
    const fn word(self) -> u64 {
        (self.period as u64) << PERIOD_SHIFT | self.count as u64
    }

    /// How often a breaker with this state word has opened in a row; 0 while it is closed.
    pub(super) fn in_a_row(self, word: Word) -> u32 {
        let period = word.period();
        match word.mode() {
            Mode::Open if self.period == period => self.count,
            // Its own opening, or already the next one, which somebody is about to make.
            Mode::HalfOpen if self.period == shifted(period, 1) => self.count.saturating_sub(1),
            Mode::HalfOpen if self.period == shifted(period, PERIODS - 1) => self.count,
            _ => 0,
        }
    }

    /// The note of the opening that would follow.
    pub(super) fn following(self, word: Word) -> Self {
        Self { period: shifted(word.period(), 1), count: self.in_a_row(word).saturating_add(1) }
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

    fn open(openings: &Openings, word: Word) -> Word {
        let seen = openings.load();
        assert!(openings.note(seen, seen.following(word)));
        word.begin(OPEN)
    }

    fn in_a_row(openings: &Openings, word: Word) -> u32 {
        openings.load().in_a_row(word)
    }

    #[test]
    fn it_counts_until_the_breaker_closes() {
        let openings = Openings::new();
        let mut word = Word::NEW;
        for count in 1..4 {
            word = open(&openings, word);
            assert_eq!(in_a_row(&openings, word), count);
            word = word.begin(HALF_OPEN);
            assert_eq!(in_a_row(&openings, word), count);
        }
        word = word.begin(CLOSED);
        assert_eq!(in_a_row(&openings, word), 0);
        word = open(&openings, word);
        assert_eq!(in_a_row(&openings, word), 1);
    }

    #[test]
    fn an_opening_that_was_noted_and_not_made_does_not_count() {
        let openings = Openings::new();
        let half_open = open(&openings, Word::NEW).begin(HALF_OPEN);
        open(&openings, half_open);
        assert_eq!(in_a_row(&openings, half_open), 1, "noted for the next period only");
        let closed = half_open.begin(CLOSED);
        assert_eq!(in_a_row(&openings, closed), 0);
        assert_eq!(in_a_row(&openings, open(&openings, closed)), 1);
    }

    #[test]
    fn a_note_by_one_who_read_before_another_opening_is_refused() {
        let openings = Openings::new();
        let stale = openings.load();
        let open_again = open(&openings, open(&openings, Word::NEW).begin(HALF_OPEN));
        assert!(!openings.note(stale, stale.following(Word::NEW)));
        assert_eq!(in_a_row(&openings, open_again), 2);
    }

    #[test]
    fn it_counts_on_where_the_periods_wrap() {
        let openings = Openings::new();
        let mut word = Word::NEW;
        for _ in 1..PERIODS - 1 {
            word = word.begin(CLOSED);
        }
        for count in 1..4 {
            word = open(&openings, word);
            assert_eq!(in_a_row(&openings, word), count);
            word = word.begin(HALF_OPEN);
            assert_eq!(in_a_row(&openings, word), count);
        }
    }
}
