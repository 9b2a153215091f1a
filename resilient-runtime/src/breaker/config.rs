//! How a breaker behaves by its settings.

use std::time::Duration;

use resilient_config::breaker;

use crate::retry::{Range, above};

pub use resilient_config::BreakerConfig;

pub(super) use resilient_config::breaker::{Rates, Window};

/// What follows from the settings of a breaker.
pub(super) trait Behavior {
    /// Whether a call that the deadline of its own policy ended counts as a failure.
    fn trips_on_deadline(&self, has_attempt_timeout: bool) -> bool;

    /// What opens the breaker, if it has a window.
    fn rates(&self) -> Option<&Rates>;

    /// How long it stays open when it opens for the `opening`th time in a row; the first is 1.
    /// `position`, from 0 to 1, places that in the range that jitter allows. `hint` is how long the
    /// server asks to stay away, in the failure that opens it: no probe comes sooner.
    ///
    /// It is a millisecond or more, so that each opening has an effect.
    fn open_for(&self, opening: u32, position: f64, hint: Option<Duration>) -> Duration;
}

impl Behavior for BreakerConfig {
    fn trips_on_deadline(&self, has_attempt_timeout: bool) -> bool {
        breaker::trips_on_deadline(self, has_attempt_timeout)
    }

    #[inline]
    fn rates(&self) -> Option<&Rates> {
        breaker::rates(self)
    }

    fn open_for(&self, opening: u32, position: f64, hint: Option<Duration>) -> Duration {
        let own = own_open_for(self, opening, position);
        hint.map_or(own, |hint| {
            own.max(above(hint, self.open_jitter(), position).min(self.max_open_duration()))
        })
    }
}

/// How long it stays open by its settings alone.
fn own_open_for(config: &BreakerConfig, opening: u32, position: f64) -> Duration {
    // By floating point only what grows or spreads: the other numbers are exact.
    let grown = if config.open_duration_multiplier() > 1.0 && opening > 1 {
        let growth =
            config.open_duration_multiplier().powi(i32::try_from(opening - 1).unwrap_or(i32::MAX));
        // Beyond what a duration can be, the cap holds.
        Duration::try_from_secs_f64(config.open_duration().as_secs_f64() * growth)
            .map_or(config.max_open_duration(), |grown| grown.min(config.max_open_duration()))
    } else {
        config.open_duration()
    };
    if config.open_jitter() > 0.0 {
        Range::around(grown, config.max_open_duration(), config.open_jitter())
            .at(position)
            .max(Duration::from_millis(1))
    } else {
        grown
    }
}

/// Whether what is in the window opens the breaker: by the number of failures, or by either rate. A
/// failure can be slow too.
///
/// A rate of 0 is reached by the first such call.
pub(super) fn window_trip(
    config: &BreakerConfig,
    calls: u64,
    failures: u64,
    slow: u64,
) -> Option<Trip> {
    // As nearly every call finds it: no threshold and no rate is reached by none.
    if failures == 0 && slow == 0 {
        return None;
    }
    let rates = config.rates()?;
    if config.failure_threshold().is_some_and(|most| failures >= u64::from(most)) {
        return Some(Trip::Failures);
    }
    if rates.minimum_calls.is_none_or(|least| calls < u64::from(least)) {
        return None;
    }
    let reached = |count, rate: Option<f64>| {
        rate.is_some_and(|rate| count > 0 && share(count, calls) >= rate)
    };
    if reached(failures, rates.failure_rate()) {
        return Some(Trip::FailureRate);
    }
    reached(slow, rates.slow_call_rate()).then_some(Trip::SlowCallRate)
}

/// What in a window opens a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trip {
    /// The number of failures.
    Failures,
    /// The share of failures.
    FailureRate,
    /// The share of slow calls.
    SlowCallRate,
}

/// How large a part `count` is of `all`. 0 if `all` is 0.
///
/// A division, and not a product with the rate: both 7 of 100 and a rate of `0.07` are the number
/// nearest to it, so that the one reaches the other.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
pub(super) fn share(count: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { count as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn growing() -> resilient_config::BreakerConfigBuilder {
        BreakerConfig::builder().open_duration(SECOND).open_duration_multiplier(2.0)
    }

    fn seconds(config: &BreakerConfig, openings: impl IntoIterator<Item = u32>) -> Vec<u64> {
        openings.into_iter().map(|opening| config.open_for(opening, 0.5, None).as_secs()).collect()
    }

    #[test]
    fn it_stays_open_for_longer_each_time_up_to_the_cap() {
        let config = growing().max_open_duration(10 * SECOND).build().unwrap();
        assert_eq!(seconds(&config, 1..=6), [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn growth_that_overflows_is_the_cap() {
        let config = growing().open_duration_multiplier(f64::MAX).build().unwrap();
        assert_eq!(seconds(&config, [1, 2, 3, u32::MAX]), [1, 300, 300, 300]);
        let endless = growing().max_open_duration(Duration::MAX).build().unwrap();
        assert_eq!(endless.open_for(u32::MAX, 0.5, None), Duration::MAX);
    }

    #[test]
    fn without_growth_and_jitter_the_duration_is_exact() {
        let odd = Duration::new(0, 123_456_789);
        let config = BreakerConfig::builder().open_duration(odd).build().unwrap();
        assert_eq!([1, 2, u32::MAX].map(|opening| config.open_for(opening, 0.9, None)), [odd; 3]);
    }

    #[test]
    fn jitter_spreads_it_either_way_and_never_above_the_cap() {
        let config = growing().max_open_duration(4 * SECOND).open_jitter(0.1).build().unwrap();
        let millis = |opening, position| config.open_for(opening, position, None).as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(1, position)), [900, 1000, 1100]);
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(3, position)), [3600, 3800, 4000]);
    }

    #[test]
    fn the_widest_jitter_leaves_it_open_for_a_millisecond() {
        let config = BreakerConfig::builder().open_jitter(1.0).build().unwrap();
        assert_eq!(config.open_for(1, 0.0, None), Duration::from_millis(1));
        assert_eq!(config.open_for(1, 1.0, None), 2 * config.open_duration());
    }

    #[test]
    fn a_hint_lengthens_it_up_to_the_cap() {
        let config = growing().max_open_duration(10 * SECOND).open_jitter(0.5).build().unwrap();
        let millis =
            |position, hint: u32| config.open_for(1, position, Some(hint * SECOND)).as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(position, 0)), [500, 1000, 1500]);
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(position, 6)), [6000, 7500, 9000]);
        assert_eq!([0.0, 0.5, 1.0].map(|position| millis(position, 9)), [9000, 10_000, 10_000]);
        assert_eq!(config.open_for(1, 0.0, Some(Duration::MAX)), 10 * SECOND);
    }

    #[test]
    fn a_rate_opens_once_there_are_enough_calls() {
        let config = BreakerConfig::builder()
            .window_calls(100)
            .failure_rate(0.07)
            .minimum_calls(100)
            .slow_call_duration(SECOND)
            .slow_call_rate(0.3)
            .build()
            .unwrap();
        let is_reached =
            |calls, failures, slow| window_trip(&config, calls, failures, slow).is_some();
        assert!(is_reached(100, 7, 0) && !is_reached(100, 6, 0));
        assert!(is_reached(100, 0, 30) && !is_reached(100, 0, 29));
        assert!(!is_reached(99, 99, 99), "too few calls");
    }

    #[test]
    fn a_rate_of_zero_is_reached_by_one_failure_and_not_by_none() {
        let config = BreakerConfig::builder().window_calls(9).failure_rate(0.0).build().unwrap();
        assert!(window_trip(&config, 9, 0, 0).is_none() && window_trip(&config, 9, 1, 0).is_some());
    }

    #[test]
    fn a_number_of_failures_opens_whatever_the_calls_are() {
        let config = BreakerConfig::builder().window_time(SECOND).failure_threshold(3);
        let by_count = config.build().unwrap();
        assert!(
            window_trip(&by_count, 3, 3, 0).is_some()
                && window_trip(&by_count, 1_000, 3, 0).is_some()
        );
        assert!(
            window_trip(&by_count, 2, 2, 0).is_none()
                && window_trip(&by_count, 100, 2, 100).is_none()
        );
        let either = config.failure_rate(0.5).minimum_calls(4).build().unwrap();
        assert!(window_trip(&either, 3, 3, 0).is_some() && window_trip(&either, 4, 2, 0).is_some());
        assert!(window_trip(&either, 3, 2, 0).is_none() && window_trip(&either, 5, 2, 0).is_none());
    }

    #[test]
    fn slow_calls_open_beside_a_number_of_failures() {
        let config = BreakerConfig::builder().window_calls(10).failure_threshold(3);
        let config = config.slow_call_duration(SECOND).slow_call_rate(0.5).build().unwrap();
        assert!(
            window_trip(&config, 10, 0, 5).is_some() && window_trip(&config, 3, 3, 0).is_some()
        );
        assert!(
            window_trip(&config, 9, 2, 9).is_none() && window_trip(&config, 10, 2, 4).is_none()
        );
    }
}
