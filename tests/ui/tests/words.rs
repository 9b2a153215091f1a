//! What the macros refuse of a breaker, the builder refuses too, for those who use it by hand. Both
//! say the same.

use std::time::Duration;

use resilient_runtime::{BreakerConfig, ErrorKind};

const RULES: &str = include_str!("mistakes/breaker_rules.stderr");
const VALUES: &str = include_str!("mistakes/breaker_values.stderr");
const KINDS: &str = include_str!("mistakes/breaker_kinds.stderr");

#[test]
fn the_macros_refuse_a_breaker_in_the_words_of_its_builder() {
    let builder = BreakerConfig::builder;
    let second = Duration::from_secs(1);
    let transient: Vec<_> = ErrorKind::ALL.into_iter().filter(|kind| kind.is_transient()).collect();
    for (refused, told) in [
        (builder().failure_rate(0.5), RULES),
        (builder().window_calls(100).failure_threshold(5), RULES),
        (builder().window_calls(100).slow_call_rate(0.5), RULES),
        (builder().window_calls(10).minimum_calls(11), RULES),
        (builder().max_open_duration(300 * second), RULES),
        (builder().open_growth(2.0).max_open_duration(second), RULES),
        (builder().trip_on(&[ErrorKind::TimeoutError]).ignore(&[ErrorKind::RateLimitError]), RULES),
        (builder().window_calls(0), VALUES),
        (builder().window_time(Duration::ZERO), VALUES),
        (builder().window_calls(1).slow_call(Duration::ZERO), VALUES),
        (builder().half_open_timeout(Duration::ZERO), VALUES),
        (builder().ignore(&transient), KINDS),
    ] {
        let words = refused.build().unwrap_err().to_string();
        assert!(told.contains(&format!("error: {words}\n")), "nobody says: {words}");
    }
}
