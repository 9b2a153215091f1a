//! The rules of a breaker's settings.

use std::time::Duration;

use super::{BreakerConfig, BreakerConfigBuilder, trips_on_deadline};
use crate::error::ConfigError;
use crate::kind::ErrorKind;

const MICROSECOND: Duration = Duration::from_micros(1);

#[test]
fn the_builder_starts_from_the_defaults() {
    assert_eq!(BreakerConfig::builder().build(), Ok(BreakerConfig::DEFAULT));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let builder = BreakerConfig::builder;
    let window = || builder().window_calls(100);
    for (refused, error) in [
        (builder().failure_threshold(0), ConfigError::FailureThreshold),
        (builder().failure_threshold(65_536), ConfigError::FailureThreshold),
        (window().failure_threshold(0), ConfigError::FailureThreshold),
        (builder().success_threshold(0), ConfigError::SuccessThreshold),
        (builder().half_open_max_calls(0), ConfigError::HalfOpenMaxCalls),
        (builder().probe_timeout(999 * MICROSECOND), ConfigError::ProbeTimeout),
        (builder().open_duration(Duration::from_micros(999)), ConfigError::OpenDuration),
        (builder().open_duration_multiplier(0.9), ConfigError::OpenDurationMultiplier),
        (builder().open_duration_multiplier(f64::NAN), ConfigError::OpenDurationMultiplier),
        (builder().open_duration_multiplier(f64::INFINITY), ConfigError::OpenDurationMultiplier),
        (builder().open_jitter(1.1), ConfigError::OpenJitter),
        (builder().open_jitter(f64::NAN), ConfigError::OpenJitter),
        (builder().window_calls(0), ConfigError::WindowCalls),
        (builder().window_calls(1_001), ConfigError::WindowCalls),
        (builder().window_calls(65_637), ConfigError::WindowCalls),
        (builder().window_time(9_999 * MICROSECOND), ConfigError::WindowTime),
        (window().failure_rate(-0.1), ConfigError::FailureRate),
        (window().failure_rate(1.1), ConfigError::FailureRate),
        (window().failure_rate(f64::NAN), ConfigError::FailureRate),
        (window().minimum_calls(0), ConfigError::MinimumCalls),
        (window().minimum_calls(65_536), ConfigError::MinimumCalls),
        (window().slow_call_duration(999 * MICROSECOND), ConfigError::SlowCallDuration),
        (
            window().slow_call_duration(MICROSECOND * 1_000).slow_call_rate(2.0),
            ConfigError::SlowCallRate,
        ),
    ] {
        assert_eq!(refused.build(), Err(error));
    }
}

#[test]
fn numbers_that_contradict_each_other_are_refused() {
    let builder = BreakerConfig::builder;
    let window = || builder().window_calls(100);
    let second = Duration::from_secs(1);
    for (refused, error) in [
        (builder().failure_rate(0.5), ConfigError::WindowMissing),
        (builder().minimum_calls(20), ConfigError::WindowMissing),
        (builder().slow_call_duration(second), ConfigError::WindowMissing),
        (builder().slow_call_rate(0.5), ConfigError::WindowMissing),
        (window().window_time(second), ConfigError::TwoWindows),
        (window().failure_threshold(101), ConfigError::FailureThresholdOverWindow),
        (window().failure_threshold(5).minimum_calls(9), ConfigError::MinimumCallsWithoutRate),
        (window().minimum_calls(101), ConfigError::MinimumCallsOverWindow),
        (window().slow_call_rate(0.5), ConfigError::SlowCallDurationMissing),
        (builder().max_open_duration(second), ConfigError::MaxOpenDuration),
        (
            builder().open_duration_multiplier(2.0).max_open_duration(second),
            ConfigError::MaxOpenDuration,
        ),
    ] {
        assert_eq!(refused.build(), Err(error));
    }
}

#[test]
fn lists_of_kinds_that_say_nothing_or_too_much_are_refused() {
    use ErrorKind::{NotFoundError, RateLimitError, TimeoutError};

    let builder = BreakerConfig::builder;
    let transient: Vec<_> =
        ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient()).collect();
    for (refused, error) in [
        (builder().trip_on(&[]), ConfigError::NoKinds),
        (builder().ignore(&[]), ConfigError::NoKinds),
        (builder().trip_on(&[TimeoutError, TimeoutError]), ConfigError::KindTwice(TimeoutError)),
        (
            builder().ignore(&[TimeoutError, RateLimitError, TimeoutError]),
            ConfigError::KindTwice(TimeoutError),
        ),
        (builder().ignore(&[TimeoutError, NotFoundError]), ConfigError::IgnoreNotTransient),
        (builder().ignore(&transient), ConfigError::IgnoreAll),
        (
            builder().trip_on(&[TimeoutError]).ignore(&[RateLimitError]),
            ConfigError::TripOnAndIgnore,
        ),
    ] {
        assert_eq!(refused.build(), Err(error));
    }
}

#[test]
fn the_kinds_that_count_are_the_transient_ones_or_those_that_are_named() {
    use ErrorKind::{NotFoundError, RateLimitError, TimeoutError};

    let counted = |builder: BreakerConfigBuilder| {
        let config = builder.build().unwrap();
        ErrorKind::ALL.iter().copied().filter(move |kind| config.trips_on(*kind)).collect()
    };
    let transient: Vec<_> = counted(BreakerConfig::builder());
    assert!(transient.iter().all(|kind| kind.is_transient()) && transient.len() == 8);
    let named: Vec<_> = counted(BreakerConfig::builder().trip_on(&[NotFoundError, TimeoutError]));
    assert_eq!(named, [TimeoutError, NotFoundError]);
    let rest: Vec<_> = counted(BreakerConfig::builder().ignore(&[RateLimitError]));
    assert!(rest.len() == 7 && !rest.contains(&RateLimitError), "{rest:?}");
}

#[test]
fn a_deadline_counts_by_the_policy_unless_a_list_says_otherwise() {
    use ErrorKind::{DeadlineExceeded, NotFoundError, TimeoutError};

    let builder = BreakerConfig::builder;
    for (config, without_attempt_timeout, with_it) in [
        (builder(), true, false),
        (builder().ignore(&[TimeoutError]), true, false),
        (builder().ignore(&[DeadlineExceeded]), false, false),
        (builder().trip_on(&[NotFoundError]), false, false),
        (builder().trip_on(&[NotFoundError, DeadlineExceeded]), true, true),
    ] {
        let config = config.build().unwrap();
        let counts = [false, true].map(|timed| trips_on_deadline(&config, timed));
        assert_eq!(counts, [without_attempt_timeout, with_it], "{config:?}");
    }
}

#[test]
fn a_configuration_survives_the_way_through_a_builder() {
    use ErrorKind::{DeadlineExceeded, NotFoundError, RateLimitError, TimeoutError};

    let builder = BreakerConfig::builder;
    let second = Duration::from_secs(1);
    let window = || builder().window_calls(10);
    for built in [
        builder(),
        builder().failure_threshold(7).success_threshold(3),
        builder().half_open_max_calls(9).probe_timeout(second),
        builder().open_duration(400 * second).open_duration_multiplier(1.5).open_jitter(0.2),
        builder().max_open_duration(60 * second),
        window(),
        window().failure_rate(0.25).minimum_calls(3),
        window().slow_call_duration(second).slow_call_rate(0.75),
        builder().window_time(60 * second).minimum_calls(100),
        window().failure_threshold(5),
        builder().window_time(second).failure_threshold(65_535),
        window().failure_threshold(5).failure_rate(0.5).minimum_calls(3),
        window().failure_threshold(3).slow_call_duration(second).minimum_calls(3),
        builder().trip_on(&[NotFoundError]),
        builder().trip_on(&[NotFoundError, DeadlineExceeded]),
        builder().ignore(&[RateLimitError]),
        builder().ignore(&[DeadlineExceeded, TimeoutError]),
    ] {
        let config = built.build().unwrap();
        assert_eq!(config.to_builder().build(), Ok(config));
    }
}

#[test]
fn a_builder_of_a_configuration_changes_one_setting() {
    use ErrorKind::{RateLimitError, TimeoutError};

    let config = BreakerConfig::builder().failure_threshold(7).ignore(&[RateLimitError]);
    let config = config.build().unwrap();
    let longer = config.to_builder().open_duration(Duration::from_secs(60)).build().unwrap();
    assert_eq!(longer.failure_threshold(), Some(7));
    assert!(!longer.trips_on(RateLimitError));
    // A new list replaces the old one, whether each names kinds or removes some.
    let other = config.to_builder().ignore(&[TimeoutError]).build().unwrap();
    assert!(other.trips_on(RateLimitError) && !other.trips_on(TimeoutError));
    let named = config.to_builder().trip_on(&[TimeoutError]).build().unwrap();
    assert!(named.trips_on(TimeoutError) && !named.trips_on(ErrorKind::NetworkError));
}

#[test]
fn what_follows_by_default_follows_a_change_too() {
    let minute = Duration::from_secs(60);
    let default = BreakerConfig::DEFAULT;
    let changed = default.to_builder().success_threshold(4).open_duration(10 * minute);
    let changed = changed.build().unwrap();
    assert_eq!(changed.half_open_max_calls(), 4);
    assert_eq!(changed.max_open_duration(), 20 * minute);
    let window = default.to_builder().window_calls(10).build().unwrap();
    assert_eq!(window.minimum_calls(), Some(10));
    let wider = window.to_builder().window_calls(100).build().unwrap();
    assert_eq!(wider.minimum_calls(), Some(20));
}

#[test]
fn two_ways_to_name_the_same_kinds_are_one_configuration() {
    let all: Vec<_> = ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient()).collect();
    let [first, rest @ ..] = &all[..] else { panic!("{all:?}") };
    let build = |builder: BreakerConfigBuilder| builder.build().unwrap();
    assert_eq!(
        build(BreakerConfig::builder().trip_on(&all)),
        build(BreakerConfig::builder().ignore(&[ErrorKind::DeadlineExceeded]))
    );
    assert_eq!(
        build(BreakerConfig::builder().trip_on(rest)),
        build(BreakerConfig::builder().ignore(&[*first, ErrorKind::DeadlineExceeded]))
    );
}

#[test]
fn a_window_brings_its_defaults() {
    let calls = BreakerConfig::builder().window_calls(10).build().unwrap();
    assert_eq!((calls.window_calls(), calls.window_time()), (Some(10), None));
    assert_eq!((calls.minimum_calls(), calls.failure_rate()), (Some(10), Some(0.5)));
    assert_eq!((calls.slow_call_duration(), calls.slow_call_rate()), (None, None));

    let minute = Duration::from_secs(60);
    let time =
        BreakerConfig::builder().window_time(minute).slow_call_duration(minute).build().unwrap();
    assert_eq!((time.window_calls(), time.window_time()), (None, Some(minute)));
    assert_eq!((time.minimum_calls(), time.slow_call_rate()), (Some(20), Some(1.0)));
}

#[test]
fn a_window_opens_by_rates_unless_a_number_of_failures_is_given() {
    let window = || BreakerConfig::builder().window_calls(10);
    let read = |builder: BreakerConfigBuilder| {
        let config = builder.build().unwrap();
        (config.failure_threshold(), config.failure_rate(), config.minimum_calls())
    };
    assert_eq!(read(BreakerConfig::builder()), (Some(5), None, None));
    assert_eq!(read(window()), (None, Some(0.5), Some(10)));
    assert_eq!(read(window().failure_threshold(5)), (Some(5), None, None));
    let both = window().failure_threshold(5).failure_rate(0.3);
    assert_eq!(read(both), (Some(5), Some(0.3), Some(10)));
    let slow = window().failure_threshold(5).slow_call_duration(Duration::from_secs(1));
    assert_eq!(read(slow), (Some(5), None, Some(10)));
}

#[test]
fn two_windows_that_open_differently_are_two_configurations() {
    let window = || BreakerConfig::builder().window_calls(10);
    let [by_rate, by_count, by_both] =
        [window(), window().failure_threshold(5), window().failure_threshold(5).failure_rate(0.5)]
            .map(|builder| builder.build().unwrap());
    assert!(by_rate != by_count && by_count != by_both && by_rate != by_both);
    assert_ne!(format!("{by_rate:?}"), format!("{by_count:?}"));
}

#[test]
fn the_longest_open_duration_leaves_room_for_growth_and_jitter() {
    let longest = |seconds| {
        let open = Duration::from_secs(seconds);
        BreakerConfig::builder().open_duration(open).build().unwrap().max_open_duration()
    };
    assert_eq!([30, 150, 151].map(|open| longest(open).as_secs()), [300, 300, 302]);
}
