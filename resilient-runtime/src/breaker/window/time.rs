//! The results of the calls that ended within some time: ten consecutive tenths.
//!
//! Each thread counts in the current tenth of a stripe that it shares with few others, so the lock
//! of a stripe is usually free. A tenth that is over is cleared when its place in the stripe is
//! needed again. Until then, its number shows that it has left the window.
//!
//! The stripes are summed only while the window holds a miss, which is a failure or a slow call: a
//! window without a miss opens no breaker. A single result may then decide, so the sum must be
//! complete: of several calls, the one that ends last sees all of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::super::state::is_later;
use super::super::sync::AtomicU64;
use super::short_lock::ShortLock;
use super::{CallResult, WindowStats};
use crate::count::stripe;

const LENGTH: usize = 10;
const TENTHS: u64 = LENGTH as u64;

/// Any number is correct. More stripes keep more threads apart, and take longer to sum.
const STRIPES: usize = 4;

/// The stripes, and when a call last missed.
pub(in crate::breaker) struct TimeWindow {
    stripes: [Stripe; STRIPES],
    /// The stripes that have ever been counted in, one bit for each.
    used: AtomicU64,
    /// The number of the last tenth in which a call has failed or was slow, plus one; 0 before the
    /// first.
    last_miss: AtomicU64,
    /// When the first tenth begins.
    epoch: Instant,
    tenth_nanos: u64,
}

/// On its own cache line, so that threads do not contend.
#[repr(align(128))]
struct Stripe(ShortLock<Counts>);

struct Counts {
    /// The number of the tenth that was last counted in, and when that tenth is over.
    newest: u64,
    end: Instant,
    tenths: [Tenth; LENGTH],
}

/// The results of one period that ended in one tenth of the window.
#[derive(Clone, Copy, Default)]
struct Tenth {
    period: u32,
    /// Which tenth it is, since the epoch.
    number: u64,
    stats: WindowStats,
}

impl TimeWindow {
    pub(in crate::breaker) fn new(time: Duration, epoch: Instant) -> Self {
        let counts = || Counts { newest: 0, end: epoch, tenths: [Tenth::default(); LENGTH] };
        Self {
            stripes: std::array::from_fn(|_| Stripe(ShortLock::new(counts()))),
            used: AtomicU64::new(0),
            last_miss: AtomicU64::new(0),
            epoch,
            tenth_nanos: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / TENTHS,
        }
    }

    /// See [`Results::record`](super::Results::record).
    #[inline]
    pub(in crate::breaker) fn record(
        &self,
        result: CallResult,
        period: u32,
        period_lasts: impl Fn() -> bool,
        now: Instant,
    ) -> Option<WindowStats> {
        self.record_in(stripe::get() % STRIPES, result, period, period_lasts, now)
    }

    #[inline]
    pub(in crate::breaker) fn record_in(
        &self,
        stripe: usize,
        result: CallResult,
        period: u32,
        period_lasts: impl Fn() -> bool,
        now: Instant,
    ) -> Option<WindowStats> {
        self.record_use_of(stripe);
        let mut counts = self.stripes[stripe].0.lock();
        // Under the lock: a result of an earlier period never comes after one of a later period.
        if !period_lasts() {
            return None;
        }
        let number = self.turn(&mut counts, now);
        if result.is_miss() {
            // Relaxed: the locks order it. A call that is counted in a stripe after this thread has
            // summed that stripe sees this miss. A call that was counted before is in the sum.
            self.last_miss.fetch_max(number + 1, Ordering::Relaxed);
        }
        counts.add(result, period);
        drop(counts);
        self.may_hold_a_miss(number).then(|| self.sum(period, number))
    }

    /// Advances a stripe to the tenth of this moment, and returns its number. A clock reading that
    /// arrives late counts in the newest tenth.
    // Instants are compared before any number is computed: most results are not the first of their
    // tenth.
    #[inline]
    fn turn(&self, counts: &mut Counts, now: Instant) -> u64 {
        if now >= counts.end {
            counts.newest = self.number_at(now);
            counts.end = self.end_of(counts.newest).unwrap_or(now);
        }
        counts.newest
    }

    fn number_at(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch).as_nanos();
        u64::try_from(elapsed / u128::from(self.tenth_nanos)).unwrap_or(u64::MAX)
    }

    /// Returns when this tenth is over. `None` if the clock cannot express it.
    fn end_of(&self, number: u64) -> Option<Instant> {
        let nanos = self.tenth_nanos.checked_mul(number.checked_add(1)?)?;
        self.epoch.checked_add(Duration::from_nanos(nanos))
    }

    fn record_use_of(&self, stripe: usize) {
        let bit = 1 << stripe;
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            // Release and acquire: see `used_stripes`.
            self.used.fetch_or(bit, Ordering::AcqRel);
        }
    }

    /// The stripes that have ever been counted in.
    ///
    /// If a first use of a stripe is not included here, it comes later, and then sees the miss that
    /// this thread has recorded before. For that, both have to write, even if they change nothing.
    fn used_stripes(&self) -> u64 {
        self.used.fetch_or(0, Ordering::AcqRel)
    }

    /// Whether the window that ends with this tenth may hold a miss.
    fn may_hold_a_miss(&self, number: u64) -> bool {
        let last = self.last_miss.load(Ordering::Relaxed).checked_sub(1);
        last.is_some_and(|last| last >= oldest_beside(number))
    }

    /// See [`Results::stats`](super::Results::stats).
    pub(in crate::breaker) fn stats(&self, period: Option<u32>, now: Instant) -> WindowStats {
        let number = self.number_at(now);
        let period = period.or_else(|| self.last_period(number));
        period.map_or_else(WindowStats::default, |period| self.sum(period, number))
    }

    /// Returns what is in the window of this period. It ends with this tenth, or with a later one
    /// in which another thread has already counted.
    // Not inlined into `record`, which does not come here while nothing fails.
    #[inline(never)]
    fn sum(&self, period: u32, number: u64) -> WindowStats {
        let mut newest = number;
        loop {
            let mut sum = WindowStats::default();
            let last = newest;
            self.each_tenth_since(oldest_beside(last), |tenth| {
                if tenth.period == period {
                    newest = newest.max(tenth.number);
                    sum.add_all(tenth.stats);
                }
            });
            if newest == last {
                return sum;
            }
        }
    }

    /// Returns the last period that has a result in the window.
    fn last_period(&self, number: u64) -> Option<u32> {
        let mut last = None;
        self.each_tenth_since(oldest_beside(number), |tenth| {
            let is_later = last.is_none_or(|last| is_later(tenth.period, last));
            if tenth.stats.calls > 0 && is_later {
                last = Some(tenth.period);
            }
        });
        last
    }

    /// Visits the tenths of all stripes from this number on.
    fn each_tenth_since(&self, number: u64, mut visit: impl FnMut(&Tenth)) {
        let used = self.used_stripes();
        let is_used = |(number, _): &(usize, &Stripe)| used & 1 << number != 0;
        for (_, stripe) in self.stripes.iter().enumerate().filter(is_used) {
            let counts = stripe.0.lock();
            if counts.newest >= number {
                counts.tenths.iter().filter(|tenth| tenth.number >= number).for_each(&mut visit);
            }
        }
    }
}

impl Counts {
    /// Adds a result to the newest tenth.
    fn add(&mut self, result: CallResult, period: u32) {
        let number = self.newest;
        let tenth = &mut self.tenths[(number % TENTHS) as usize];
        if (tenth.period, tenth.number) != (period, number) {
            *tenth = Tenth { period, number, stats: WindowStats::default() };
        }
        tenth.stats.add(result);
    }
}

/// The oldest tenth of the window that ends with this tenth.
const fn oldest_beside(number: u64) -> u64 {
    (number + 1).saturating_sub(TENTHS)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::*;

    const FAILED: CallResult = CallResult { failed: true, slow: false };
    const SLOW: CallResult = CallResult { failed: false, slow: true };
    const GOOD: CallResult = CallResult { failed: false, slow: false };

    fn window() -> TimeWindow {
        TimeWindow::new(Duration::from_millis(100), Instant::now())
    }

    fn at(window: &TimeWindow, millis: u64) -> Instant {
        window.epoch + Duration::from_millis(millis)
    }

    fn record_in(
        window: &TimeWindow,
        stripe: usize,
        result: CallResult,
        period: u32,
        millis: u64,
    ) -> Option<WindowStats> {
        window.record_in(stripe, result, period, || true, at(window, millis))
    }

    fn record(
        window: &TimeWindow,
        result: CallResult,
        period: u32,
        millis: u64,
    ) -> Option<WindowStats> {
        record_in(window, 0, result, period, millis)
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
    fn results_of_all_stripes_are_summed_and_leave_together() {
        let window = window();
        for stripe in 0..STRIPES {
            record_in(&window, stripe, FAILED, 0, 5);
        }
        let all = STRIPES as u64;
        assert_eq!(record_in(&window, 0, SLOW, 0, 95), Some(stats(all + 1, all, 1)));
        assert_eq!(record_in(&window, 1, GOOD, 0, 100), Some(stats(2, 0, 1)));
    }

    #[test]
    fn it_is_empty_after_it_has_stood_still() {
        let window = window();
        record(&window, FAILED, 0, 5);
        for laps in [1, 2, 1_000_000] {
            let later = 100 * laps;
            assert_eq!(window.stats(Some(0), at(&window, later + 5)), stats(0, 0, 0));
        }
        assert_eq!(record(&window, SLOW, 0, 1_000_000), Some(stats(1, 0, 1)));
    }

    #[test]
    fn a_success_is_summed_up_only_while_the_window_may_hold_a_miss() {
        let window = window();
        for (result, millis, expected) in [
            (GOOD, 0, None),
            (FAILED, 5, Some(stats(2, 1, 0))),
            (GOOD, 99, Some(stats(3, 1, 0))),
            (GOOD, 100, None),
            (SLOW, 115, Some(stats(3, 0, 1))),
            (GOOD, 209, Some(stats(2, 0, 1))),
            (GOOD, 210, None),
        ] {
            assert_eq!(record(&window, result, 0, millis), expected, "at {millis} ms");
        }
    }

    #[test]
    fn a_new_period_begins_with_an_empty_window() {
        let window = window();
        record(&window, FAILED, 0, 5);
        record_in(&window, 1, FAILED, 0, 5);
        assert_eq!(window.stats(Some(1), at(&window, 5)), stats(0, 0, 0));
        assert_eq!(record(&window, SLOW, 1, 5), Some(stats(1, 0, 1)));
        assert_eq!(window.stats(None, at(&window, 5)), stats(1, 0, 1), "the last period");
    }

    #[test]
    fn a_result_of_a_period_that_is_over_is_not_recorded() {
        let window = window();
        let now = at(&window, 5);
        assert_eq!(window.record(FAILED, 0, || false, now), None);
        assert_eq!(window.stats(None, now), stats(0, 0, 0));
    }

    /// A thread that was put to sleep between its reading of the clock and the sum.
    #[test]
    fn a_sum_that_comes_late_holds_nothing_older_than_a_window() {
        let window = window();
        record_in(&window, 0, FAILED, 0, 5);
        record_in(&window, 1, FAILED, 0, 505);
        assert_eq!(window.sum(0, 0), stats(1, 1, 0));
    }

    #[test]
    fn the_counts_of_many_threads_are_complete_and_no_rate_is_too_high() {
        const THREADS: u64 = 4;
        const ROUNDS: u64 = 10_000;
        let window = window();
        let work = || {
            for round in 0..ROUNDS {
                let now = at(&window, round / 200);
                window.record(GOOD, 0, || true, now);
                let missed = CallResult { failed: true, slow: true };
                let seen = window.record(missed, 0, || true, now).unwrap();
                assert!(seen.failures <= seen.calls.div_ceil(2) + THREADS, "{seen:?}");
                assert!(seen.slow_calls <= seen.calls, "{seen:?}");
            }
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(work);
            }
        });
        let all = THREADS * ROUNDS;
        assert_eq!(window.stats(None, at(&window, 50)), stats(2 * all, all, all));
    }
}
