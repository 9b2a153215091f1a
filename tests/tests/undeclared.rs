//! Names that no declaration knows, in a program of their own: the catalog is of the whole
//! program.

use std::cell::Cell;

use resilient_runtime::{
    BreakerConfig, CircuitBreaker, Problem, breaker, catalog, policies, resilient,
};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure};

policies! {
    breaker "search" {}
    breaker "shard {shard}" {}
    retry "nightly_import" { max_attempts: 4, base_delay: "1s" }
}

mod again {
    resilient_runtime::policies! {
        breaker "search" {}
        retry "nightly_import" { max_attempts: 5, base_delay: "1s" }
    }
}

static STATIC: CircuitBreaker = CircuitBreaker::named("static", BreakerConfig::DEFAULT);

#[resilient(breaker = "search")]
async fn _declared() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "shard {shard}")]
async fn _declared_template(shard: u32) -> Result<u32, Failure> {
    Ok(shard)
}

#[resilient(breaker = STATIC)]
async fn _static() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "serach")]
async fn _misspelt() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "upsert")]
async fn _undeclared() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "scroll", failure_threshold = 4))]
async fn _configured_by_its_function() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "nightly-import")]
async fn misspelt_row(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

const TEMPLATE: &str = "shard {shard}";

#[resilient(breaker = TEMPLATE)]
async fn template_in_a_constant(shard: u32) -> Result<u32, Failure> {
    Ok(shard)
}

#[resilient(breaker = "shard {number}")]
async fn _the_same_template(number: u32) -> Result<u32, Failure> {
    Ok(number)
}

fn ends_with(location: &str, function: &str) -> bool {
    location.contains("undeclared.rs:") && location.ends_with(&format!("::{function})"))
}

#[test]
fn the_catalog_finds_what_no_declaration_knows() {
    let error = catalog().validate().unwrap_err();
    let [
        Problem::DifferentPlaceholders { one: shard, other: number, .. },
        Problem::RowConflict { row, .. },
        Problem::TemplateInConstant { breaker: template, function: constant, .. },
        Problem::UndeclaredBreaker {
            breaker: serach,
            function: misspelt,
            similar: Some("search"),
            ..
        },
        Problem::UndeclaredBreaker { breaker: upsert, function: undeclared, similar: None, .. },
        Problem::UndeclaredRow {
            row: import,
            function: row_user,
            similar: Some("nightly_import"),
            ..
        },
    ] = error.problems()
    else {
        panic!("{error}")
    };
    assert_eq!(
        (row.as_str(), serach.as_str(), upsert.as_str()),
        ("nightly_import", "serach", "upsert")
    );
    assert_eq!(import, "nightly-import");
    assert_eq!((shard.as_str(), number.as_str()), ("shard {shard}", "shard {number}"));
    assert!(ends_with(misspelt, "_misspelt") && ends_with(undeclared, "_undeclared"), "{error}");
    assert!(ends_with(row_user, "misspelt_row"), "{error}");
    assert!(template == TEMPLATE && ends_with(constant, "template_in_a_constant"), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("6 problems with the policies of this program\n- "), "{text}");
    assert!(text.contains("never declared; is `search` meant?"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_not_declared_is_the_default_row_and_is_reported_once() {
    let events = Events::catch();
    let calls = Cell::new(0);
    misspelt_row(&calls).await.unwrap_err();
    misspelt_row(&calls).await.unwrap_err();
    assert_eq!(calls.get(), 2 * 3);
    let [undeclared] = &events.named(
        "retry row is never declared, and the default row is used: declare it by `policies!`",
    )[..] else {
        panic!("{:?}", events.all())
    };
    assert_eq!(undeclared.level, tracing::Level::ERROR);
    assert_eq!(
        (undeclared.field("row"), undeclared.field("similar")),
        ("nightly-import", "nightly_import")
    );
}

#[tokio::test]
async fn a_template_in_a_constant_is_one_breaker_and_is_reported() {
    // The event is made once the policy is kept: its subscriber may call the function again.
    let events = Events::catch_and(|| {
        std::thread::spawn(|| drop(breaker(TEMPLATE))).join().unwrap();
    });
    template_in_a_constant(1).await.unwrap();
    template_in_a_constant(2).await.unwrap();
    let message =
        "placeholders in a constant are no placeholders: all calls share one circuit breaker";
    assert_eq!(events.named(message).len(), 1);
    assert_eq!(breaker(TEMPLATE).unwrap().stats().totals.successes, 2);
}
