//! The results of the last n calls: a ring under a lock.
//!
//! Results enter one by one, so the sums are always those of n results in a row. The lock is held
//! for a few nanoseconds. A thread that is put to sleep while it holds the lock delays the calls
//! that end meanwhile. A ring without a lock would not, but it has to keep several words consistent.

use super::short_lock::ShortLock;
use super::{CallResult, WindowStats};

/// The ring and its sums.
pub(in crate::breaker) struct CallWindow(ShortLock<Ring>);

struct Ring {
    period: u32,
    /// One entry for each call that the window can hold.
    results: Box<[CallResult]>,
    /// The entry that the next result takes: the oldest one, if the ring is full.
    next: usize,
    /// The sums of the results in the window.
    stats: WindowStats,
}

impl CallWindow {
    pub(in crate::breaker) fn new(length: u16) -> Self {
        let empty = CallResult { failed: false, slow: false };
        Self(ShortLock::new(Ring {
            period: 0,
            results: vec![empty; usize::from(length)].into(),
            next: 0,
            stats: WindowStats::default(),
        }))
    }

    /// See [`Results::record`](super::Results::record).
    #[inline]
    pub(in crate::breaker) fn record(
        &self,
        result: CallResult,
        period: u32,
        period_lasts: impl Fn() -> bool,
    ) -> Option<WindowStats> {
        let mut ring = self.0.lock();
        // Under the lock: a result of an earlier period never comes after one of a later period.
        if !period_lasts() {
            return None;
        }
        ring.begin(period);
        ring.push(result);
        Some(ring.stats)
    }

    /// See [`Results::stats`](super::Results::stats).
    pub(in crate::breaker) fn stats(&self, period: Option<u32>) -> WindowStats {
        let ring = self.0.lock();
        let is_asked_for = period.is_none_or(|period| period == ring.period);
        if is_asked_for { ring.stats } else { WindowStats::default() }
    }
}

impl Ring {
    /// Empties the ring if it is of another period.
    fn begin(&mut self, period: u32) {
        if self.period != period {
            self.period = period;
            self.next = 0;
            self.stats = WindowStats::default();
        }
    }

    fn push(&mut self, result: CallResult) {
        let is_full = self.stats.calls == self.results.len() as u64;
        // There is an entry: a window holds at least one call.
        let Some(entry) = self.results.get_mut(self.next) else { return };
        let oldest = std::mem::replace(entry, result);
        if is_full {
            self.stats.remove(oldest);
        }
        self.stats.add(result);
        self.next += 1;
        if self.next == self.results.len() {
            self.next = 0;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    const RESULTS: [CallResult; 4] = [
        CallResult { failed: false, slow: false },
        CallResult { failed: true, slow: false },
        CallResult { failed: false, slow: true },
        CallResult { failed: true, slow: true },
    ];

    fn results() -> impl Iterator<Item = CallResult> {
        // A generator of Lehmer's: any mixture will do, as long as it is the same in each run.
        std::iter::successors(Some(1_u64), |state| Some(state * 48_271 % 0x7FFF_FFFF))
            .map(|state| RESULTS[usize::try_from(state >> 8 & 3).unwrap()])
    }

    fn record(window: &CallWindow, result: CallResult) -> WindowStats {
        window.record(result, 0, || true).unwrap()
    }

    fn stats_of<'r>(results: impl IntoIterator<Item = &'r CallResult>) -> WindowStats {
        let mut stats = WindowStats::default();
        results.into_iter().for_each(|result| stats.add(*result));
        stats
    }

    /// What the ring holds, counted.
    fn ring(window: &CallWindow) -> WindowStats {
        let ring = window.0.lock();
        stats_of(&ring.results[..usize::try_from(ring.stats.calls).unwrap()])
    }

    #[test]
    fn it_holds_the_last_results_and_no_older_one() {
        for length in [1, 2, 3, 10, 1_000] {
            let window = CallWindow::new(length);
            let mut last = VecDeque::new();
            for result in results().take(3_000) {
                last.push_back(result);
                if last.len() > usize::from(length) {
                    last.pop_front();
                }
                assert_eq!(record(&window, result), stats_of(&last), "of {length}");
                assert_eq!(ring(&window), stats_of(&last), "of {length}");
            }
        }
    }

    #[test]
    fn a_new_period_begins_with_an_empty_window() {
        let window = CallWindow::new(3);
        for _ in 0..5 {
            record(&window, RESULTS[3]);
        }
        assert_eq!(window.stats(Some(7)), WindowStats::default());
        let stats = window.record(RESULTS[1], 7, || true).unwrap();
        assert_eq!(stats, WindowStats { calls: 1, failures: 1, slow_calls: 0 });
        let evicting = (0..3).map(|_| window.record(RESULTS[0], 7, || true).unwrap().failures);
        assert_eq!(evicting.collect::<Vec<_>>(), [1, 1, 0]);
    }

    #[test]
    fn a_result_of_a_period_that_is_over_is_not_recorded() {
        let window = CallWindow::new(3);
        assert_eq!(window.record(RESULTS[1], 0, || false), None);
        assert_eq!(window.stats(None), WindowStats::default());
    }

    #[test]
    fn the_sums_of_many_threads_are_those_of_the_ring() {
        for length in [1, 2, 3, 100] {
            let window = CallWindow::new(length);
            let work = |seed: usize| {
                results().skip(seed * 1_000).take(20_000).for_each(|result| {
                    let stats = record(&window, result);
                    assert!(stats.calls <= u64::from(length));
                    assert!(stats.failures.max(stats.slow_calls) <= stats.calls);
                });
            };
            thread::scope(|scope| {
                for seed in 0..4 {
                    let work = &work;
                    scope.spawn(move || work(seed));
                }
            });
            assert_eq!(window.stats(None), ring(&window), "of {length}");
        }
    }

    /// After each failure a success is recorded before the next failure is, so no two failures
    /// are neighbors: a window of two never holds more than one.
    #[test]
    fn no_thread_sees_a_window_that_never_was() {
        let window = CallWindow::new(2);
        let failing = AtomicBool::new(false);
        let work = || {
            for _ in 0..50_000 {
                if failing.swap(true, Ordering::AcqRel) {
                    assert!(record(&window, RESULTS[0]).failures <= 1);
                } else {
                    assert_eq!(record(&window, RESULTS[1]).failures, 1);
                    assert!(record(&window, RESULTS[0]).failures <= 1);
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
