//! How long calls take, where source or settings ask for it.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::outcome::CallOutcome;
use crate::count::stripe;

/// How many groups of threads have histograms of their own. Any number is correct. More keep more
/// threads apart, and take more memory.
const GROUPS: usize = 4;

/// How many digits of a duration are kept: an error of at most 1 %.
const DIGITS: u8 = 2;

/// Longer calls are recorded as this long, so that no histogram grows without end.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Histograms of microseconds by outcome. Each is made when it is first needed.
type ByOutcome = [Option<Histogram<u64>>; CallOutcome::ALL.len()];

/// Records the durations of the calls of one function or policy.
pub(crate) struct Recorder(OnceLock<Box<[Mutex<ByOutcome>; GROUPS]>>);

impl Recorder {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    #[cold]
    pub(super) fn record(&self, outcome: CallOutcome, took: Duration) {
        let groups = self.0.get_or_init(|| Box::new(std::array::from_fn(|_| Mutex::default())));
        let group = &groups[stripe::get() % GROUPS];
        // A histogram is not half changed by a panic, and nothing in here panics.
        let mut group = group.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = group[outcome as usize].get_or_insert_with(new_histogram);
        // It grows as far as is needed, so that there is no error.
        let _ = histogram.record(micros(took.min(LONGEST)));
    }

    /// Returns the durations that all threads have recorded.
    pub(crate) fn read(&self) -> Durations {
        let mut sum = Durations::NONE;
        for group in self.0.get().into_iter().flat_map(|groups| groups.iter()) {
            let group = group.lock().unwrap_or_else(PoisonError::into_inner);
            sum.add_all(&group);
        }
        sum
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recorder").finish_non_exhaustive()
    }
}

fn new_histogram() -> Histogram<u64> {
    // The number of digits is valid, so that it is made.
    let mut histogram = Histogram::new(DIGITS).expect("two digits are few enough");
    histogram.auto(true);
    histogram
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// How long the calls of a function or a policy have taken, by outcome, since the program started:
/// from the beginning of a call to its end, delays between attempts included.
///
/// Each duration is kept with two digits, so it is at most 1 % too long. The shortest is 1 µs, and a
/// call of more than an hour counts as one of an hour.
///
/// ```
/// use resilient_runtime::{CallOutcome, Policy};
///
/// let policy = Policy::builder("search").durations(true).build()?;
/// let durations = policy.durations();
/// assert!(durations.is_empty());
/// assert_eq!(durations.of(CallOutcome::Success).quantile(0.99), None);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Durations(ByOutcome);

impl Durations {
    pub(crate) const NONE: Self = Self([const { None }; CallOutcome::ALL.len()]);

    /// Returns whether no call has been measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Returns how long calls of this outcome took.
    #[must_use]
    pub fn of(&self, outcome: CallOutcome) -> DurationSummary<'_> {
        DurationSummary(self.0[outcome as usize].as_ref())
    }

    /// Adds those of another site of the same function.
    pub(crate) fn add(&mut self, other: &Self) {
        self.add_all(&other.0);
    }

    /// Returns the durations of the calls of this outcome that `told` does not contain, each with its
    /// number, and adds them to `told`. If they are more than `most`, the others follow the next time.
    ///
    /// If `told` contains more calls, this is another policy of the same name. It counts from here on.
    #[cfg(feature = "metrics")]
    pub(crate) fn tell(
        &self,
        outcome: CallOutcome,
        told: &mut Self,
        most: u64,
    ) -> Vec<(Duration, u64)> {
        let told = &mut told.0[outcome as usize];
        let Some(now) = &self.0[outcome as usize] else {
            *told = None;
            return Vec::new();
        };
        let told = told.get_or_insert_with(new_histogram);
        if now.len() < told.len() {
            told.clone_from(now);
            return Vec::new();
        }
        let mut left = most;
        let mut new = Vec::new();
        for recorded in now.iter_recorded() {
            let value = recorded.value_iterated_to();
            let count = recorded.count_at_value().saturating_sub(told.count_at(value)).min(left);
            if count > 0 {
                left -= count;
                // It grows as far as is needed, so that there is no error.
                let _ = told.record_n(value, count);
                new.push((Duration::from_micros(value), count));
            }
        }
        new
    }

    fn add_all(&mut self, more: &ByOutcome) {
        for (sum, more) in self.0.iter_mut().zip(more) {
            let Some(more) = more else { continue };
            let sum = sum.get_or_insert_with(new_histogram);
            // It grows as far as `more` has grown.
            sum.add(more).expect("both have the same number of digits");
        }
    }
}

/// How long the calls of one outcome took, from [`Durations::of`].
#[derive(Clone, Copy, Debug)]
pub struct DurationSummary<'d>(Option<&'d Histogram<u64>>);

impl DurationSummary<'_> {
    /// Returns how many calls were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.map_or(0, Histogram::len)
    }

    /// Returns the duration that this share of the calls did not exceed: 0.99 for the 99th
    /// percentile. A share below 0 counts as 0, and above 1 as 1. `None` without a call.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let histogram = self.0.filter(|histogram| !histogram.is_empty())?;
        Some(Duration::from_micros(histogram.value_at_quantile(share.clamp(0.0, 1.0))))
    }

    /// Returns the longest duration. `None` without a call.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.quantile(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUCCESS: CallOutcome = CallOutcome::Success;

    #[test]
    fn a_quantile_is_at_most_one_percent_too_long() {
        let recorder = Recorder::new();
        for millis in 1..=1_000 {
            recorder.record(SUCCESS, Duration::from_millis(millis));
        }
        let durations = recorder.read();
        for (share, exact) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let millis = durations.of(SUCCESS).quantile(share).unwrap().as_secs_f64() * 1_000.0;
            assert!((exact..=exact * 1.01).contains(&millis), "{share}: {millis}");
        }
        assert_eq!(durations.of(CallOutcome::Error).count(), 0);
    }

    #[test]
    fn the_shortest_and_the_longest_are_within_the_range() {
        let recorder = Recorder::new();
        recorder.record(SUCCESS, Duration::ZERO);
        assert!(recorder.read().of(SUCCESS).max() <= Some(Duration::from_micros(1)));
        recorder.record(SUCCESS, Duration::MAX);
        let longest = recorder.read().of(SUCCESS).max().unwrap();
        assert!((LONGEST..LONGEST * 102 / 100).contains(&longest), "{longest:?}");
    }

    #[cfg(feature = "metrics")]
    #[test]
    fn each_call_is_told_once_and_those_that_are_too_many_follow() {
        let recorder = Recorder::new();
        let (short, long) = (Duration::from_micros(5), Duration::from_secs(2));
        (0..3).for_each(|_| recorder.record(SUCCESS, short));
        recorder.record(SUCCESS, long);
        let mut told = Durations::NONE;
        let mut tell = |now: &Recorder, most| -> Vec<u64> {
            let told = now.read().tell(SUCCESS, &mut told, most);
            told.into_iter().map(|(_, count)| count).collect()
        };
        assert_eq!(tell(&recorder, 2), [2]);
        assert_eq!(tell(&recorder, 10), [1, 1]);
        assert!(tell(&recorder, 10).is_empty());
        recorder.record(SUCCESS, long);
        assert_eq!(tell(&recorder, 10), [1]);

        let another = Recorder::new();
        another.record(SUCCESS, short);
        assert!(tell(&another, 10).is_empty(), "known from now on");
        another.record(SUCCESS, short);
        assert_eq!(tell(&another, 10), [1]);
    }

    #[test]
    fn the_histograms_of_all_threads_are_merged() {
        let recorder = Recorder::new();
        std::thread::scope(|scope| {
            for thread in 1..=8 {
                let recorder = &recorder;
                scope.spawn(move || recorder.record(SUCCESS, Duration::from_secs(thread)));
            }
        });
        let durations = recorder.read();
        assert_eq!(durations.of(SUCCESS).count(), 8);
        let mut twice = durations.clone();
        twice.add(&durations);
        assert_eq!(twice.of(SUCCESS).count(), 16);
        assert_eq!(twice.of(SUCCESS).max(), durations.of(SUCCESS).max());
    }
}
