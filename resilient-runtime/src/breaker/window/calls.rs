//! The results of the last n calls: a ring that many threads write without a lock.
//!
//! One word holds the sums and the position in the ring, and a result enters the window by one
//! compare-exchange of that word: at that moment, for everybody, it is in and the oldest is out.
//! So the sums are always those of exactly n results in a row, as if the calls had ended one by
//! one. They cannot drift from the ring, since nothing else changes them.
//!
//! ```text
//! bits 63..41   period of the breaker
//! bits 40..22   head: results so far in this period; it wraps once the ring is full
//! bits 21..12   failures in the window
//! bits 11..2    slow calls in the window
//! bits  1..0    the last result: failed, slow
//! ```
//!
//! The slots of the ring are other words, so between that exchange and the write of its slot, a
//! result is in the sums and not in the ring. That is why the word holds the last result: whoever
//! comes next writes its slot first, if it is not written yet. A slot is read, to be taken out of
//! the sums, n results after it was written.
//!
//! A slot is read between the load of the word and its exchange. Were the word to return to the
//! very same value in between, the exchange would succeed with a slot read in another lap. For
//! that, a thread would have to sleep between two neighbouring instructions while a multiple of
//! some 524,000 calls end, all in one period, and leave the same sums.
//!
//! A mutex around a plain ring would be as right, shorter, and faster where one thread comes at a
//! time. But a thread that is put to sleep within the mutex holds up every call of the process that
//! ends, and here it holds up nobody.

use std::sync::atomic::Ordering;

use super::super::sync::{AtomicU64, spin_loop};
use super::{Outcome, WindowStats};

/// In spins, a few nanoseconds each.
const MAX_PAUSE: u32 = 64;

const FAILED: u64 = 0b01;
const SLOW: u64 = 0b10;
const RESULT_MASK: u64 = FAILED | SLOW;
const SLOW_SHIFT: u32 = 2;
const FAILURES_SHIFT: u32 = 12;
const COUNT_MASK: u64 = (1 << 10) - 1;
const HEAD_SHIFT: u32 = 22;
const HEADS: u64 = 1 << 19;
const PERIOD_SHIFT: u32 = 41;

/// The ring and its sums.
pub(in crate::breaker) struct CallWindow {
    sums: AtomicU64,
    slots: Box<[AtomicU64]>,
}

/// The word, taken apart by its methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sums(u64);

impl Outcome {
    const fn bits(self) -> u64 {
        (if self.failed { FAILED } else { 0 }) | (if self.slow { SLOW } else { 0 })
    }
}

/// A result's share in the sums.
const fn weight(result: u64) -> u64 {
    ((result & FAILED) << FAILURES_SHIFT) | (((result & SLOW) >> 1) << SLOW_SHIFT)
}

impl Sums {
    /// An empty window of this period.
    const fn begin(period: u32) -> Self {
        Self((period as u64) << PERIOD_SHIFT)
    }

    const fn period(self) -> u32 {
        (self.0 >> PERIOD_SHIFT) as u32
    }

    const fn head(self) -> u64 {
        self.0 >> HEAD_SHIFT & (HEADS - 1)
    }

    /// With one result more. `oldest` is the one that it takes the place of.
    const fn push(self, result: u64, oldest: u64, places: u64) -> Self {
        // It wraps to a full ring, and at a multiple of its length: positions and length hold.
        let head = self.head() + 1;
        let head = if head == HEADS / places * places { places } else { head };
        // Wrapping: where the window has moved on meanwhile, these do not belong together. The
        // exchange then fails.
        let sums = (self.0 & COUNTS_MASK).wrapping_add(weight(result)).wrapping_sub(weight(oldest));
        Self(Self::begin(self.period()).0 | head << HEAD_SHIFT | sums & COUNTS_MASK | result)
    }

    /// What the last result's slot holds once it is written: the result, and which one it is.
    const fn last(self) -> u64 {
        // The sums are left out. No slot is 0 then: the head is 1 or more.
        self.0 & !COUNTS_MASK
    }

    const fn stats(self, places: u64) -> WindowStats {
        let head = self.head();
        WindowStats {
            calls: if head < places { head } else { places },
            failures: self.0 >> FAILURES_SHIFT & COUNT_MASK,
            slow_calls: self.0 >> SLOW_SHIFT & COUNT_MASK,
        }
    }
}

/// The bits of both sums.
const COUNTS_MASK: u64 = COUNT_MASK << FAILURES_SHIFT | COUNT_MASK << SLOW_SHIFT;

impl CallWindow {
    pub(super) fn new(places: u16) -> Self {
        Self {
            sums: AtomicU64::new(Sums::begin(0).0),
            slots: (0..places).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// See [`Results::record`](super::Results::record).
    #[inline]
    pub(super) fn record(
        &self,
        outcome: Outcome,
        period: u32,
        period_lasts: impl Fn() -> bool,
    ) -> Option<WindowStats> {
        let mut pause: u32 = 1;
        loop {
            // Acquire: the slots of all earlier results are written for whoever sees this word,
            // and the state word is read after it. So a word of a later period is never taken for
            // one of an earlier.
            let seen = Sums(self.sums.load(Ordering::Acquire));
            if !period_lasts() {
                return None;
            }
            let window = if seen.period() == period { seen } else { Sums::begin(period) };
            self.write_last(window);
            let oldest = if window.head() < self.places() {
                0
            } else {
                // Acquire: see `write_last`.
                self.slot(window.head()).load(Ordering::Acquire) & RESULT_MASK
            };
            let next = window.push(outcome.bits(), oldest, self.places());
            // Release: the counterpart of the load above. A failed exchange starts again.
            let exchanged =
                self.sums.compare_exchange(seen.0, next.0, Ordering::AcqRel, Ordering::Relaxed);
            if exchanged.is_ok() {
                self.write_last(next);
                return Some(next.stats(self.places()));
            }
            // Others are at it. Each try takes the words away from them, so it comes later and
            // later.
            (0..pause).for_each(|_| spin_loop());
            pause = MAX_PAUSE.min(2 * pause);
        }
    }

    /// See [`Results::stats`](super::Results::stats).
    pub(super) fn stats(&self, period: Option<u32>) -> WindowStats {
        // Relaxed: figures for people.
        let sums = Sums(self.sums.load(Ordering::Relaxed));
        if period.is_none_or(|period| period == sums.period()) {
            sums.stats(self.places())
        } else {
            WindowStats::default()
        }
    }

    /// Writes the slot of the last result, unless somebody has, or the window has moved on, which
    /// it does only once that slot is written.
    fn write_last(&self, sums: Sums) {
        let Some(last) = sums.head().checked_sub(1) else { return };
        let slot = self.slot(last);
        // Acquire, here and at the failed exchange: whoever finds the slot written and moves the
        // window on passes that on with the word.
        let found = slot.load(Ordering::Acquire);
        // As long as the window has not moved on, what was found is what the slot held before, or
        // what it is to hold: so the exchange cannot undo the write of a later lap.
        if found != sums.last() && self.sums.load(Ordering::Acquire) == sums.0 {
            let _ = slot.compare_exchange(found, sums.last(), Ordering::AcqRel, Ordering::Acquire);
        }
    }

    fn slot(&self, position: u64) -> &AtomicU64 {
        #[expect(clippy::cast_possible_truncation, reason = "less than the number of slots")]
        &self.slots[(position % self.places()) as usize]
    }

    const fn places(&self) -> u64 {
        self.slots.len() as u64
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    const OUTCOMES: [Outcome; 4] = [
        Outcome { failed: false, slow: false },
        Outcome { failed: true, slow: false },
        Outcome { failed: false, slow: true },
        Outcome { failed: true, slow: true },
    ];

    fn outcomes() -> impl Iterator<Item = Outcome> {
        // A generator of Lehmer's: any mixture will do, as long as it is the same in each run.
        std::iter::successors(Some(1_u64), |state| Some(state * 48_271 % 0x7FFF_FFFF))
            .map(|state| OUTCOMES[usize::try_from(state >> 8 & 3).unwrap()])
    }

    fn record(window: &CallWindow, outcome: Outcome) -> WindowStats {
        window.record(outcome, 0, || true).unwrap()
    }

    fn stats_of<'o>(outcomes: impl IntoIterator<Item = &'o Outcome>) -> WindowStats {
        outcomes.into_iter().fold(WindowStats::default(), |stats, outcome| WindowStats {
            calls: stats.calls + 1,
            failures: stats.failures + u64::from(outcome.failed),
            slow_calls: stats.slow_calls + u64::from(outcome.slow),
        })
    }

    /// What the slots hold, counted.
    fn ring(window: &CallWindow) -> WindowStats {
        let bits = |slot: &AtomicU64| slot.load(Ordering::Relaxed);
        let written = window.slots.iter().map(bits).filter(|slot| *slot != 0);
        let outcomes: Vec<_> = written
            .map(|slot| Outcome { failed: slot & FAILED != 0, slow: slot & SLOW != 0 })
            .collect();
        stats_of(&outcomes)
    }

    #[test]
    fn it_holds_the_last_results_and_no_older_one() {
        for places in [1, 2, 3, 10, 1_000] {
            let window = CallWindow::new(places);
            let mut last = VecDeque::new();
            for outcome in outcomes().take(3_000) {
                last.push_back(outcome);
                if last.len() > usize::from(places) {
                    last.pop_front();
                }
                assert_eq!(record(&window, outcome), stats_of(&last), "of {places}");
                assert_eq!(ring(&window), stats_of(&last), "of {places}");
            }
        }
    }

    #[test]
    fn it_evicts_on_where_the_head_wraps() {
        for places in [1, 2, 3, 1_000] {
            let window = CallWindow::new(places);
            let outcomes: Vec<_> =
                outcomes().take(usize::try_from(HEADS).unwrap() + 3_000).collect();
            let mut last = WindowStats::default();
            for outcome in &outcomes {
                last = record(&window, *outcome);
            }
            let expected = stats_of(&outcomes[outcomes.len() - usize::from(places)..]);
            assert_eq!((last, ring(&window)), (expected, expected), "of {places}");
        }
    }

    #[test]
    fn a_new_period_begins_with_an_empty_window() {
        let window = CallWindow::new(3);
        for _ in 0..5 {
            record(&window, OUTCOMES[3]);
        }
        assert_eq!(window.stats(Some(7)), WindowStats::default());
        let stats = window.record(OUTCOMES[1], 7, || true).unwrap();
        assert_eq!(stats, WindowStats { calls: 1, failures: 1, slow_calls: 0 });
        let evicting = (0..3).map(|_| window.record(OUTCOMES[0], 7, || true).unwrap().failures);
        assert_eq!(evicting.collect::<Vec<_>>(), [1, 1, 0]);
    }

    #[test]
    fn a_result_of_a_period_that_is_over_is_not_recorded() {
        let window = CallWindow::new(3);
        assert_eq!(window.record(OUTCOMES[1], 0, || false), None);
        assert_eq!(window.stats(None), WindowStats::default());
    }

    #[test]
    fn the_sums_of_many_threads_are_those_of_the_ring() {
        for places in [1, 2, 3, 100] {
            let window = CallWindow::new(places);
            let work = |seed: usize| {
                outcomes().skip(seed * 1_000).take(20_000).for_each(|outcome| {
                    let stats = record(&window, outcome);
                    assert!(stats.calls <= u64::from(places));
                    assert!(stats.failures.max(stats.slow_calls) <= stats.calls);
                });
            };
            thread::scope(|scope| {
                for seed in 0..4 {
                    let work = &work;
                    scope.spawn(move || work(seed));
                }
            });
            assert_eq!(window.stats(None), ring(&window), "of {places}");
        }
    }

    /// After each failure a success is recorded before the next failure is, so no two failures
    /// are neighbours: a window of two never holds more than one.
    #[test]
    fn no_thread_sees_a_window_that_never_was() {
        let window = CallWindow::new(2);
        let failing = AtomicBool::new(false);
        let work = || {
            for _ in 0..50_000 {
                if failing.swap(true, Ordering::AcqRel) {
                    assert!(record(&window, OUTCOMES[0]).failures <= 1);
                } else {
                    assert_eq!(record(&window, OUTCOMES[1]).failures, 1);
                    assert!(record(&window, OUTCOMES[0]).failures <= 1);
                    failing.store(false, Ordering::Release);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(work);
            }
        });
        assert_eq!(window.stats(None), ring(&window));
    }
}
