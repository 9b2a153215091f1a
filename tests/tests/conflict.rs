//! Two settings of one breaker, in a program of their own: a breaker is made only once.

use resilient_runtime::{
    BreakerConfig, CircuitBreaker, Problem, breaker, breakers, catalog, policies, resilient,
};
use resilient_tests::Failure;
use resilient_tests::events::Events;

#[resilient(breaker(name = "disputed", failure_threshold = 3))]
async fn _first_in_source() -> Result<(), Failure> {
    Ok(())
}

/// Where the second function is.
const SECOND: u32 = line!() + 3;

#[resilient(breaker(name = "disputed", failure_threshold = 4))]
async fn _second_in_source() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn two_settings_of_one_breaker_are_reported_once_and_the_first_in_source_wins() {
    // An event is made under no lock: whoever hears it may ask for breakers.
    let events = Events::catch_and(|| drop(breakers()));
    assert_eq!(breaker("disputed").unwrap().config().failure_threshold(), Some(3));
    assert_eq!(breaker("disputed").unwrap().config().failure_threshold(), Some(3));
    let [conflict] = &events.all()[..] else { panic!("{:?}", events.all()) };
    assert_eq!(conflict.level, tracing::Level::ERROR);
    assert_eq!(conflict.field("breaker"), "disputed");
    assert!(conflict.field("kept").ends_with("::_first_in_source)"), "{conflict:?}");
    let place = format!("conflict.rs:{SECOND} (");
    assert!(conflict.field("dropped").contains(&place), "{conflict:?}");
}

#[resilient(breaker(name = "declared", failure_threshold = 4))]
async fn _before_its_declaration() -> Result<(), Failure> {
    Ok(())
}

policies! {
    breaker "declared" { failure_threshold: 3 }
}

#[test]
fn a_declaration_holds_before_the_numbers_of_a_function() {
    assert_eq!(breaker("declared").unwrap().config().failure_threshold(), Some(3));
    let error = catalog().validate().unwrap_err();
    let is_ours = |problem: &&Problem| {
        matches!(problem, Problem::BreakerConflict { breaker, dropped, .. }
            if breaker == "declared" && dropped.ends_with("::_before_its_declaration)"))
    };
    assert_eq!(error.problems().iter().filter(is_ours).count(), 1, "{error}");
}

static FIXED: CircuitBreaker = CircuitBreaker::named("fixed", BreakerConfig::DEFAULT);
static ALSO_FIXED: CircuitBreaker = CircuitBreaker::named("fixed", BreakerConfig::DEFAULT);

#[resilient(breaker = FIXED)]
async fn _by_a_static() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = ALSO_FIXED)]
async fn _by_another_static() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "fixed", failure_threshold = 9))]
async fn _by_its_name() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn a_static_breaker_holds_before_all_else_and_what_differs_is_reported() {
    assert!(std::ptr::eq(&raw const *breaker("fixed").unwrap(), &raw const FIXED));
    let error = catalog().validate().unwrap_err();
    let dropped = error.problems().iter().filter_map(|problem| match problem {
        Problem::BreakerConflict { breaker, dropped, .. } if breaker == "fixed" => Some(dropped),
        _ => None,
    });
    let dropped: Vec<_> = dropped.map(|dropped| dropped.rsplit("::").next().unwrap()).collect();
    assert_eq!(dropped, ["_by_another_static)", "_by_its_name)"], "{error}");
}

/// Pairs of functions that differ in one setting of their breaker.
macro_rules! pairs {
    ($($name:ident: ($($one:tt)*) and ($($other:tt)*);)*) => {
        $(mod $name {
            use super::*;

            const NAME: &str = stringify!($name);

            #[resilient(breaker(name = NAME, $($one)*))]
            async fn _one() -> Result<(), Failure> {
                Ok(())
            }

            #[resilient(breaker(name = NAME, $($other)*))]
            async fn _other() -> Result<(), Failure> {
                Ok(())
            }
        })*

        const PAIRS: &[&str] = &[$(stringify!($name)),*];
    };
}

pairs! {
    window: (window = 100) and (window = 101);
    kind_of_window: (window = 100) and (window = "60s");
    failure_rate: (window = 100) and (window = 100, failure_rate = 0.4);
    minimum_calls: (window = 100) and (window = 100, minimum_calls = 21);
    slow_call_duration: (window = 100) and (window = 100, slow_call_duration = "1s");
    slow_call_rate:
        (window = 100, slow_call_duration = "1s") and (window = 100, slow_call_duration = "1s", slow_call_rate = 0.9);
    probe_timeout: (probe_timeout = "1s") and (probe_timeout = "2s");
    open_duration_multiplier: (open_duration_multiplier = 2) and (open_duration_multiplier = 3);
    max_open_duration: (open_duration_multiplier = 2) and (open_duration_multiplier = 2, max_open_duration = "4m");
    open_jitter: (open_jitter = 0.1) and (open_jitter = 0.2);
    trip_on: (trip_on = ["timeout_error"]) and (trip_on = ["timeout_error", "network_error"]);
    ignore: (ignore = ["timeout_error"]) and (ignore = ["network_error"]);
}

mod in_other_words {
    use super::*;

    policies! {
        breaker "in other words" { trip_on: ["timeout_error", "network_error"], open_duration_multiplier: 2 }
    }

    #[resilient(breaker(
        name = "in other words",
        open_duration_multiplier = 2.0,
        max_open_duration = "5m",
        trip_on = ["network_error", "timeout_error"],
    ))]
    async fn _the_same() -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn settings_that_differ_in_one_key_are_a_conflict_and_those_that_differ_in_words_are_none() {
    let error = catalog().validate().unwrap_err();
    let conflicts_of = |name: &str| {
        let is_of = |problem: &&Problem| match problem {
            Problem::BreakerConflict { breaker, .. } => breaker == name,
            _ => false,
        };
        error.problems().iter().filter(is_of).count()
    };
    for name in PAIRS {
        assert_eq!(conflicts_of(name), 1, "{name}: {error}");
    }
    assert_eq!(conflicts_of("in other words"), 0, "{error}");
}
