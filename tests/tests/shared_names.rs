//! Templates that make the names of other breakers, in a program of their own: a name is one
//! breaker's in the whole program.

use std::ops::Range;

use resilient_runtime::test::isolated;
use resilient_runtime::{
    BreakerConfig, BreakerState, CircuitBreaker, Problem, breaker, breakers, catalog, policies,
    resilient,
};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure};

#[resilient(breaker(name = "q/{name}", failure_threshold = 5))]
async fn of_any(name: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    let _ = name;
    result
}

#[resilient(breaker(name = "q/special", failure_threshold = 1))]
async fn of_special(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker(name = "q/shard-{number}", failure_threshold = 2))]
async fn of_shard(number: u32, result: Result<(), Failure>) -> Result<(), Failure> {
    let _ = number;
    result
}

/// What `q/{name}` never makes: a value contains no `/`.
#[resilient(breaker(name = "q/x/{name}", failure_threshold = 3))]
async fn of_x(name: &str, result: Result<(), Failure>) -> Result<(), Failure> {
    let _ = name;
    result
}

static FIXED: CircuitBreaker = CircuitBreaker::named("q/fixed", BreakerConfig::DEFAULT);

#[resilient(breaker = FIXED)]
async fn of_fixed(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

fn count(name: &str) -> usize {
    breakers().iter().filter(|breaker| *breaker.name() == *name).count()
}

/// One test, since only the first use of a template is reported, and to list the breakers is a use.
#[tokio::test(start_paused = true)]
async fn a_name_has_one_breaker_whatever_makes_it_and_that_is_reported_once() {
    let events = Events::catch_and(|| drop(breakers()));
    let all = async || {
        a_name_in_source_holds_before_a_template().await;
        the_first_of_two_templates_holds().await;
        templates_that_make_no_common_name_share_no_breaker().await;
        a_breaker_of_two_templates_that_are_the_same_is_listed_once().await;
    };
    all().await;
    assert_eq!(FIXED.stats().totals.successes, 2);
    isolated(all()).await;
    assert_eq!(FIXED.stats().totals.successes, 2, "the test has another one");

    let message = "two circuit breakers can have one name, and then are one: change one of them";
    let shared = events.named(message);
    let names: Vec<_> = shared.iter().map(|event| event.field("name")).collect();
    assert_eq!(names, ["q/fixed", "q/special", "q/shard-…"]);
    for event in shared {
        assert_eq!((event.level, event.field("other")), (tracing::Level::ERROR, "q/{name}"));
    }
}

async fn a_name_in_source_holds_before_a_template() {
    of_any("special", Err(DOWN)).await.unwrap_err();
    let special = breaker("q/special").unwrap();
    assert_eq!(special.state(), BreakerState::Open, "its own threshold holds");
    assert!(of_special(Ok(())).await.unwrap_err().is_rejection());
    assert!(of_any("special", Ok(())).await.unwrap_err().is_rejection());
    assert_eq!((count("q/special"), special.stats().totals.rejected), (1, 2));

    of_any("fixed", Ok(())).await.unwrap();
    of_fixed(Ok(())).await.unwrap();
    let fixed = breaker("q/fixed").unwrap();
    assert_eq!((count("q/fixed"), fixed.stats().totals.successes), (1, 2));
}

async fn the_first_of_two_templates_holds() {
    of_any("shard-7", Err(DOWN)).await.unwrap_err();
    of_shard(7, Err(DOWN)).await.unwrap_err();
    let shard = breaker("q/shard-7").unwrap();
    assert_eq!((shard.state(), shard.config().failure_threshold()), (BreakerState::Open, Some(2)));
    assert!(of_any("shard-7", Ok(())).await.unwrap_err().is_rejection());
    assert!(of_shard(7, Ok(())).await.unwrap_err().is_rejection());
    assert_eq!(count("q/shard-7"), 1);
}

async fn templates_that_make_no_common_name_share_no_breaker() {
    of_any("x/y", Ok(())).await.unwrap();
    of_x("y", Ok(())).await.unwrap();
    let threshold = |name: &str| breaker(name).unwrap().config().failure_threshold();
    assert_eq!((threshold("q/x%2Fy"), threshold("q/x/y")), (Some(5), Some(3)));
}

#[resilient(breaker = "twice/{range.start}")]
async fn one_of_twice(range: Range<u32>) -> Result<u32, Failure> {
    Ok(range.end)
}

#[resilient(breaker = "twice/{range.start}/x")]
async fn _between_the_two(range: Range<u32>) -> Result<u32, Failure> {
    Ok(range.end)
}

#[resilient(breaker = "twice/{start}")]
async fn other_of_twice(start: u32) -> Result<u32, Failure> {
    Ok(start)
}

async fn a_breaker_of_two_templates_that_are_the_same_is_listed_once() {
    one_of_twice(7..8).await.unwrap();
    other_of_twice(7).await.unwrap();
    assert_eq!(breaker("twice/7").unwrap().stats().totals.successes, 2);
    assert_eq!(count("twice/7"), 1);
}

policies! {
    breaker "renamed/{start}" { failure_threshold: 1 }
    breaker "unknown/{pair.0}" {}
}

#[resilient(breaker = "renamed/{collection}")]
async fn _renamed(collection: &str) -> Result<(), Failure> {
    let _ = collection;
    Ok(())
}

#[resilient(breaker = "renamed/{range.start}")]
async fn _as_declared(range: Range<u32>) -> Result<u32, Failure> {
    Ok(range.end)
}

#[resilient(breaker = "unknown/{range.start}")]
async fn _of_a_number(range: Range<u32>) -> Result<u32, Failure> {
    Ok(range.end)
}

#[test]
fn validation_finds_names_that_two_breakers_can_have() {
    let error = catalog().validate().unwrap_err();
    let shared: Vec<_> = error
        .problems()
        .iter()
        .filter_map(|problem| match problem {
            Problem::SharedName { name, one, one_in, other, other_in, .. } => {
                assert!(one_in.contains("shared_names.rs:"), "{error}");
                assert!(other_in.ends_with("::of_any)"), "{error}");
                Some((name.as_str(), one.as_str(), other.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        shared,
        [
            ("q/fixed", "q/fixed", "q/{name}"),
            ("q/special", "q/special", "q/{name}"),
            ("q/shard-…", "q/shard-{number}", "q/{name}"),
        ]
    );
}

#[test]
fn validation_finds_templates_that_differ_in_the_names_of_their_placeholders_only() {
    let error = catalog().validate().unwrap_err();
    let differ: Vec<_> = error
        .problems()
        .iter()
        .filter_map(|problem| match problem {
            Problem::DifferentPlaceholders { one, one_in, other, other_in, .. } => {
                Some((one.as_str(), one_in.as_str(), other.as_str(), other_in.as_str()))
            }
            _ => None,
        })
        .collect();
    let [first, second] = &differ[..] else { panic!("{error}") };
    assert_eq!((first.0, first.2), ("renamed/{collection}", "renamed/{range.start}"), "{error}");
    assert_eq!((second.0, second.2), ("renamed/{collection}", "renamed/{start}"), "{error}");
    assert!(first.1.ends_with("::_renamed)"), "{error}");
    assert!(first.3.ends_with("::_as_declared)"), "{error}");
}
