//! Two settings of one breaker, in a program of their own: a breaker is made only once.

use resilient_runtime::{Problem, breaker, breakers, catalogue, policies, resilient};
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
    assert_eq!(breaker("disputed").unwrap().config().failure_threshold(), 3);
    assert_eq!(breaker("disputed").unwrap().config().failure_threshold(), 3);
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
    assert_eq!(breaker("declared").unwrap().config().failure_threshold(), 3);
    let error = catalogue().validate().unwrap_err();
    let is_ours = |problem: &&Problem| {
        matches!(problem, Problem::BreakerConflict { breaker, dropped, .. }
            if breaker == "declared" && dropped.ends_with("::_before_its_declaration)"))
    };
    assert_eq!(error.problems().iter().filter(is_ours).count(), 1, "{error}");
}
