//! Every setting of a breaker, as the attribute and `policies!` give it.

use std::collections::BTreeSet;
use std::future::pending;
use std::time::Duration;

use resilient_runtime::ErrorKind::{
    CircuitOpen, ConnectionError, NetworkError, NotFoundError, RateLimitError, ServiceUnavailable,
    TimeoutError, Unknown,
};
use resilient_runtime::{
    BreakerConfig, BreakerConfigBuilder, BreakerState, breaker, catalog, policies, resilient,
};
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::time::{advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

fn state(name: &str) -> BreakerState {
    breaker(name).unwrap().state()
}

fn built(builder: BreakerConfigBuilder) -> BreakerConfig {
    builder.build().unwrap()
}

#[resilient(breaker(name = "last calls", window = 4, minimum_calls = 3, failure_rate = 0.5))]
async fn of_the_last_calls(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[tokio::test(start_paused = true)]
async fn a_window_of_calls_opens_by_the_share_of_failures_in_it() {
    for result in [Err(DOWN), Ok(()), Ok(()), Ok(()), Ok(()), Err(DOWN)] {
        of_the_last_calls(result.clone()).await.ok();
        assert_eq!(state("last calls"), BreakerState::Closed);
    }
    of_the_last_calls(Err(WRONG)).await.unwrap_err();
    assert_eq!(state("last calls"), BreakerState::Closed, "it is not in the window");
    of_the_last_calls(Err(DOWN)).await.unwrap_err();
    assert_eq!(state("last calls"), BreakerState::Open);
}

#[resilient(breaker(name = "failures of a minute", window = "60s", failure_threshold = 2))]
async fn of_a_minute(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

policies! {
    breaker "failures of ten" { window: 10, failure_threshold: 2, failure_rate: 0.9 }
}

#[resilient(breaker = "failures of ten")]
async fn of_ten(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[tokio::test(start_paused = true)]
async fn a_window_opens_by_the_number_of_failures_in_it() {
    for result in [Err(DOWN), Ok(()), Err(WRONG), Ok(())] {
        of_a_minute(result.clone()).await.ok();
        of_ten(result).await.ok();
        advance(SECOND).await;
    }
    let both = || ["failures of a minute", "failures of ten"].map(state);
    assert_eq!(both(), [BreakerState::Closed; 2]);
    of_a_minute(Err(DOWN)).await.unwrap_err();
    of_ten(Err(DOWN)).await.unwrap_err();
    assert_eq!(both(), [BreakerState::Open; 2]);
    let rate = |name| breaker(name).unwrap().config().failure_rate();
    assert_eq!(["failures of a minute", "failures of ten"].map(rate), [None, Some(0.9)]);
}

policies! {
    /// Looks ten seconds back.
    breaker "last seconds" { window: "10s", minimum_calls: 2, failure_rate: 1 }
}

#[resilient(breaker = "last seconds")]
async fn of_the_last_seconds() -> Result<(), Failure> {
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_window_of_time_forgets_what_is_older() {
    of_the_last_seconds().await.unwrap_err();
    advance(11 * SECOND).await;
    of_the_last_seconds().await.unwrap_err();
    assert_eq!(state("last seconds"), BreakerState::Closed);
    advance(5 * SECOND).await;
    of_the_last_seconds().await.unwrap_err();
    assert_eq!(state("last seconds"), BreakerState::Open);
}

#[resilient(breaker(
    name = "slow",
    window = 2,
    slow_call_duration = "100ms",
    slow_call_rate = 1.0
))]
async fn lasting(millis: u64) -> Result<(), Failure> {
    sleep(Duration::from_millis(millis)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_it_though_they_succeed() {
    for millis in [101, 100, 101] {
        lasting(millis).await.unwrap();
        assert_eq!(state("slow"), BreakerState::Closed);
    }
    lasting(101).await.unwrap();
    assert_eq!(state("slow"), BreakerState::Open);
}

policies! {
    breaker "hanging probes" {
        failure_threshold: 1, open_duration: "1s", half_open_max_calls: 1, probe_timeout: "2s"
    }
}

#[resilient(breaker = "hanging probes")]
async fn probing(hangs: bool) -> Result<(), Failure> {
    if hangs {
        pending::<()>().await;
    }
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_loses_its_place() {
    probing(false).await.unwrap_err();
    advance(SECOND).await;
    let hanging = tokio::spawn(probing(true));
    tokio::task::yield_now().await;
    advance(Duration::from_millis(1_999)).await;
    assert!(probing(false).await.unwrap_err().is_rejection());
    assert_eq!(state("hanging probes"), BreakerState::HalfOpen);
    advance(Duration::from_millis(1)).await;
    assert!(probing(false).await.unwrap_err().is_rejection());
    assert_eq!(state("hanging probes"), BreakerState::Open);
    hanging.abort();
}

#[resilient(breaker(
    name = "growing",
    failure_threshold = 1,
    open_duration = "1s",
    open_duration_multiplier = 2,
    max_open_duration = "3s",
))]
async fn growing() -> Result<(), Failure> {
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn it_stays_open_for_longer_each_time_up_to_the_longest() {
    for seconds in [1, 2, 3, 3] {
        assert_eq!(growing().await, Err(DOWN));
        let wait = breaker("growing").unwrap().stats().time_until_half_open.unwrap();
        assert_eq!(wait, seconds * SECOND);
        advance(wait).await;
    }
}

policies! {
    breaker "spread" { failure_threshold: 1, open_duration: "10s", open_jitter: 0.1 }
}

#[resilient(breaker = "spread")]
async fn spread() -> Result<(), Failure> {
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn it_stays_open_for_a_time_within_the_jitter() {
    let mut waits = BTreeSet::new();
    for _ in 0..100 {
        assert_eq!(spread().await, Err(DOWN));
        let spread = breaker("spread").unwrap();
        waits.extend(spread.stats().time_until_half_open);
        spread.reset();
    }
    let (first, last) = (*waits.first().unwrap(), *waits.last().unwrap());
    assert!(first >= 9 * SECOND && last <= 11 * SECOND, "{first:?} to {last:?}");
    // Of a hundred that are uniform in two seconds, all on one side of the middle: one in 2^99.
    assert!(first < 10 * SECOND && last > 10 * SECOND, "{first:?} to {last:?}");
}

#[resilient(
    retry(max_attempts = 2, base_delay = "1ms"),
    breaker(
        name = "tripped",
        failure_threshold = 1,
        trip_on = ["timeout_error", "not_found_error"],
    ),
    attempt_timeout = "1s"
)]
async fn tripped_by(failure: Option<Failure>) -> Result<(), Failure> {
    match failure {
        Some(failure) => Err(failure),
        None => pending().await,
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_kinds_that_are_named_trip_it() {
    let tripped = breaker("tripped").unwrap();
    for kind in [ConnectionError, RateLimitError, ServiceUnavailable] {
        tripped_by(Some(Failure::of(kind))).await.unwrap_err();
        assert_eq!(tripped.state(), BreakerState::Closed, "{kind}");
    }
    for failure in [Some(Failure::of(NotFoundError)), Some(Failure::of(TimeoutError)), None] {
        tripped_by(failure.clone()).await.unwrap_err();
        assert_eq!(tripped.state(), BreakerState::Open, "{failure:?}");
        tripped.reset();
    }
}

policies! {
    breaker "lenient/{tenant}" {
        window: 4, minimum_calls: 2, ignore: ["rate_limit_error", "timeout_error"]
    }
}

struct Tenants;

#[resilient(
    retry(max_attempts = 2, base_delay = "1ms"),
    breaker(name = "lenient/{name}", scope = "attempt")
)]
impl Tenants {
    async fn ask(&self, name: &str, failure: Failure) -> Result<(), Failure> {
        let _ = name;
        Err(failure)
    }
}

#[tokio::test(start_paused = true)]
async fn the_kinds_that_are_ignored_trip_no_breaker_of_a_template() {
    for kind in [RateLimitError, TimeoutError] {
        assert_eq!(Tenants.ask("one", Failure::of(kind)).await, Err(Failure::of(kind)));
    }
    let one = breaker("lenient/one").unwrap();
    assert_eq!((one.state(), one.stats().totals.ignored), (BreakerState::Closed, 4));
    assert_eq!(one.stats().window.unwrap().calls, 0);
    Tenants.ask("other", DOWN).await.unwrap_err();
    assert_eq!(state("lenient/other"), BreakerState::Open);
}

struct Store;

#[resilient(breaker(name = "block", window = "60s", slow_call_duration = "2s", ignore = ["timeout_error"]))]
impl Store {
    async fn by_the_block(&self) -> Result<(), Failure> {
        Err(DOWN)
    }

    #[resilient(breaker(name = "method", window = 2, trip_on = ["not_found_error"]))]
    async fn by_its_own(&self, failure: Failure) -> Result<(), Failure> {
        Err(failure)
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_of_a_method_takes_no_setting_from_that_of_its_block() {
    let of_the_block = BreakerConfig::builder()
        .window_time(60 * SECOND)
        .slow_call_duration(2 * SECOND)
        .ignore(&[TimeoutError]);
    let of_the_method = BreakerConfig::builder().window_calls(2).trip_on(&[NotFoundError]);
    assert_eq!(breaker("block").unwrap().config(), built(of_the_block));
    assert_eq!(breaker("method").unwrap().config(), built(of_the_method));

    Store.by_the_block().await.unwrap_err();
    for failure in [DOWN, Failure::of(TimeoutError), Failure::of(NotFoundError)] {
        Store.by_its_own(failure).await.unwrap_err();
    }
    assert_eq!(breaker("block").unwrap().stats().totals.failures, 1);
    let totals = breaker("method").unwrap().stats().totals;
    assert_eq!((totals.failures, totals.ignored), (1, 2));
    assert_eq!(state("method"), BreakerState::Closed);
    Store.by_its_own(Failure::of(NotFoundError)).await.unwrap_err();
    assert_eq!(state("method"), BreakerState::Open);
}

#[resilient(breaker(
    name = "all settings",
    window = 200,
    failure_rate = 0.25,
    minimum_calls = 50,
    slow_call_duration = "1500ms",
    slow_call_rate = 0.75,
    trip_on = ["unknown", "circuit_open"],
    open_duration = "20s",
    open_duration_multiplier = 1.5,
    max_open_duration = "2m",
    open_jitter = 0.3,
    success_threshold = 4,
    half_open_max_calls = 6,
    probe_timeout = "7s",
))]
async fn _all_settings() -> Result<(), Failure> {
    Ok(())
}

policies! {
    breaker "all settings declared" {
        window: "90s",
        failure_rate: 1,
        minimum_calls: 50,
        slow_call_duration: "1500ms",
        slow_call_rate: 0,
        ignore: ["network_error"],
        open_duration: "20s",
        open_duration_multiplier: 3,
        max_open_duration: "20s",
        success_threshold: 4,
        half_open_max_calls: 6,
        probe_timeout: "7s",
    }
}

#[test]
fn each_setting_arrives_where_it_belongs() {
    let common = BreakerConfig::builder()
        .minimum_calls(50)
        .slow_call_duration(Duration::from_millis(1_500))
        .open_duration(20 * SECOND)
        .success_threshold(4)
        .half_open_max_calls(6)
        .probe_timeout(7 * SECOND);
    let given = built(
        common
            .window_calls(200)
            .failure_rate(0.25)
            .slow_call_rate(0.75)
            .trip_on(&[Unknown, CircuitOpen])
            .open_duration_multiplier(1.5)
            .max_open_duration(120 * SECOND)
            .open_jitter(0.3),
    );
    assert_eq!(breaker("all settings").unwrap().config(), given);
    let declared = built(
        common
            .window_time(90 * SECOND)
            .failure_rate(1.0)
            .slow_call_rate(0.0)
            .ignore(&[NetworkError])
            .open_duration_multiplier(3.0)
            .max_open_duration(20 * SECOND),
    );
    assert_eq!(breaker("all settings declared").unwrap().config(), declared);
}

#[test]
fn the_catalog_shows_the_settings() {
    let catalog = catalog();
    let declared =
        catalog.breakers().iter().find(|it| it.name() == "all settings declared").unwrap();
    let config = declared.settings().config();
    assert_eq!((config.window_time(), config.failure_rate()), (Some(90 * SECOND), Some(1.0)));
    assert!(!config.trips_on(NetworkError));
    let text = format!("{declared:?}");
    assert!(text.contains("open_duration_multiplier: 3.0") && text.contains("trips: {"), "{text}");
}

// As short as a longest open duration may be where the shortest is the default.
#[resilient(breaker(
    name = "longest is default",
    max_open_duration = "30s",
    open_duration_multiplier = 2
))]
async fn _longest_is_default() -> Result<(), Failure> {
    Ok(())
}

// The edges of what is allowed.
#[resilient(breaker(
    name = "edges",
    window = "10ms",
    failure_rate = 0,
    minimum_calls = 65_535,
    slow_call_duration = "1ms",
    slow_call_rate = 1,
    open_duration = "1ms",
    open_duration_multiplier = 1,
    open_jitter = 1,
    max_open_duration = "1ms",
    probe_timeout = "1ms",
))]
async fn _edges() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "one call", window = 1, minimum_calls = 1, failure_rate = 1.0))]
async fn _one_call() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "a thousand calls", window = 1_000, minimum_calls = 1_000))]
async fn _a_thousand_calls() -> Result<(), Failure> {
    Ok(())
}

// Numbers as the language has them.
#[resilient(
    retry(max_attempts = 3u32, jitter = 0.1f64),
    breaker(name = "typed numbers", window = 100_u16, failure_rate = 1f32, minimum_calls = 0x10)
)]
async fn _typed_numbers() -> Result<(), Failure> {
    Ok(())
}

macro_rules! passed_on {
    ($window:expr, $share:literal, $kinds:expr, $kind:expr) => {
        #[resilient(breaker(name = "passed on", window = $window, trip_on = $kinds))]
        async fn _passed_on() -> Result<(), Failure> {
            Ok(())
        }

        #[resilient(breaker(name = "passed", window = 9, failure_rate = $share, ignore = [$kind]))]
        async fn _passed_too() -> Result<(), Failure> {
            Ok(())
        }
    };
}

passed_on!("60s", 0.25, ["timeout_error", "network_error"], "network_error");

#[test]
fn the_edges_are_allowed_and_macros_may_pass_settings_on() {
    let config = |name| breaker(name).unwrap().config();
    assert_eq!(config("longest is default").max_open_duration(), 30 * SECOND);
    assert_eq!(config("edges").minimum_calls(), Some(65_535));
    assert_eq!(config("one call").window_calls(), Some(1));
    assert_eq!(config("a thousand calls").minimum_calls(), Some(1_000));
    assert_eq!(config("typed numbers").window_calls(), Some(100));
    assert_eq!(config("typed numbers").failure_rate(), Some(1.0));
    assert_eq!(config("typed numbers").minimum_calls(), Some(16));
    assert_eq!(config("passed on").window_time(), Some(60 * SECOND));
    assert!(config("passed on").trips_on(TimeoutError));
    assert_eq!(config("passed").failure_rate(), Some(0.25));
    assert!(config("passed").trips_on(TimeoutError));
    assert!(!config("passed").trips_on(NetworkError));
}
