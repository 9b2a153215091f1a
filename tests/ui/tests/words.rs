//! Settings of a breaker that do not go together, and counts and times out of their range, are
//! refused by the macros and by the builder, for those who use it by hand. Both say the same, the
//! macros before they say what to write. Of a share, a factor or a list that says nothing, each
//! speaks in its own words.

use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, BudgetConfig, CircuitBreaker, ErrorKind, Policy, RetryBudget, RetryPolicy, Scope,
};

const RULES: &str = include_str!("mistakes/breaker_rules.stderr");
const VALUES: &str = include_str!("mistakes/breaker_values.stderr");
const COUNTS: &str = include_str!("mistakes/counts.stderr");
const DURATIONS: &str = include_str!("mistakes/durations.stderr");
const KINDS: &str = include_str!("mistakes/breaker_kinds.stderr");
const NAMES: &str = include_str!("mistakes/names.stderr");
const TIMES: &str = include_str!("mistakes/times.stderr");
const NONSENSE: &str = include_str!("mistakes/nonsense.stderr");

#[test]
fn the_macros_refuse_a_breaker_in_the_words_of_its_builder() {
    let builder = BreakerConfig::builder;
    let second = Duration::from_secs(1);
    let transient: Vec<_> =
        ErrorKind::ALL.iter().copied().filter(|kind| kind.is_transient()).collect();
    for (refused, told) in [
        (builder().failure_rate(0.5), RULES),
        (builder().minimum_calls(20), RULES),
        (builder().slow_call_duration(second), RULES),
        (builder().slow_call_rate(0.5), RULES),
        (builder().window_calls(100).failure_threshold(5), RULES),
        (builder().window_calls(100).slow_call_rate(0.5), RULES),
        (builder().window_calls(10).minimum_calls(11), RULES),
        (builder().open_duration_multiplier(2.0).max_open_duration(second), RULES),
        (builder().trip_on(&[ErrorKind::TimeoutError]).ignore(&[ErrorKind::RateLimitError]), RULES),
        (builder().window_calls(0), VALUES),
        (builder().window_time(Duration::ZERO), VALUES),
        (builder().window_calls(1).slow_call_duration(Duration::ZERO), VALUES),
        (builder().probe_timeout(Duration::ZERO), VALUES),
        (builder().window_calls(1).minimum_calls(0), VALUES),
        (builder().success_threshold(70_000), COUNTS),
        (builder().failure_threshold(0), COUNTS),
        (builder().open_duration(Duration::ZERO), DURATIONS),
        (builder().ignore(&transient), KINDS),
        (builder().trip_on(&[ErrorKind::Unknown, ErrorKind::Unknown]), KINDS),
    ] {
        let words = refused.build().unwrap_err().to_string();
        assert!(told.contains(&format!("error: {words}\n")), "nobody says: {words}");
    }
}

#[test]
fn the_macros_refuse_a_budget_in_the_words_of_its_builder() {
    for refused in [
        BudgetConfig::builder().retry_cost(10).timeout_cost(9),
        BudgetConfig::builder().success_refund(501),
    ] {
        let words = refused.build().unwrap_err().to_string();
        assert!(TIMES.contains(&format!("error: {words}\n")), "no macro says: {words}");
    }
}

#[test]
fn the_macros_refuse_a_policy_in_the_words_of_its_builder() {
    let builder = || Policy::builder("test");
    let second = Duration::from_secs(1);
    let breaker = Arc::new(CircuitBreaker::default());
    let budget = Arc::new(RetryBudget::named("test", BudgetConfig::DEFAULT));
    for (refused, told) in [
        (builder().attempt_timeout(second).deadline(second), TIMES),
        (builder().breaker(breaker).scope(Scope::Attempt), NAMES),
        (builder().idempotent(false), TIMES),
        (builder().budget(budget), TIMES),
    ] {
        let words = refused.build().unwrap_err().to_string();
        assert!(told.contains(&format!("error: {words}\n")), "no macro says: {words}");
    }
}

#[test]
fn the_macros_refuse_a_row_in_the_words_of_its_builder() {
    let none = RetryPolicy::builder().base_delay(Duration::ZERO).max_delay(Duration::ZERO);
    let words = none.build().unwrap_err().to_string();
    assert!(NONSENSE.contains(&format!("error: {words}\n")), "no message says: {words}");
}
