//! Names that are constants, and what `policies!` declares.

use std::cell::Cell;
use std::time::Duration;

use resilient_runtime::{
    BreakerConfig, CircuitBreaker, ErrorKind, RetryRule, breaker, catalog, policies, resilient,
};
use resilient_tests::{DOWN, Failure};
use tokio::time::Instant;

const READS: &str = "named reads";
static WRITES: CircuitBreaker = CircuitBreaker::named("named writes", BreakerConfig::DEFAULT);

mod elsewhere {
    pub(super) const ROW: &str = "rate_limit_error";
}

#[resilient(breaker = READS)]
async fn by_a_constant() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = READS, failure_threshold = 9))]
async fn by_a_constant_with_numbers() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = WRITES)]
async fn by_a_static() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "named writes")]
async fn by_the_name_of_the_static() -> Result<(), Failure> {
    Ok(())
}

#[tokio::test]
async fn a_constant_is_a_name_and_a_static_is_a_breaker() {
    by_a_constant().await.unwrap();
    by_a_constant_with_numbers().await.unwrap();
    let reads = breaker("named reads").unwrap();
    assert_eq!((reads.stats().totals.successes, reads.config().failure_threshold()), (2, Some(9)));

    by_a_static().await.unwrap();
    by_the_name_of_the_static().await.unwrap();
    assert_eq!(WRITES.stats().totals.successes, 2);
    assert!(std::ptr::eq(&raw const *breaker("named writes").unwrap(), &raw const WRITES));
}

#[resilient(retry(row = elsewhere::ROW, base_delay = "1ms"))]
async fn by_a_constant_row(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_row_can_be_named_by_a_constant() {
    let calls = Cell::new(0);
    by_a_constant_row(&calls).await.unwrap_err();
    assert_eq!(calls.get(), 5);
}

policies! {
    /// Guards what is declared.
    ///
    /// In two paragraphs.
    breaker "declared" { failure_threshold: 2, open_duration: "7s" }
    breaker "declared and never named" {}
    #[cfg(test)]
    breaker "declared under a condition" { failure_threshold: 3 }
    #[cfg(not(test))]
    breaker "declared under a condition" { failure_threshold: 4 }
    retry "nightly_import" { max_attempts: 4, base_delay: "2s", max_delay: "1m", jitter: 0 }
    /// From the row of a kind.
    retry "patient" { row: "timeout_error", max_attempts: 3, jitter: 0 }
}

#[resilient(retry = "nightly_import", breaker = "declared")]
async fn import(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_declared_row_and_a_declared_breaker_serve_whoever_names_them() {
    let (calls, start) = (Cell::new(0), Instant::now());
    import(&calls).await.unwrap_err();
    assert_eq!((calls.get(), start.elapsed()), (4, Duration::from_secs(2 + 4 + 8)));
    let declared = breaker("declared").unwrap();
    assert_eq!(declared.config().open_duration(), Duration::from_secs(7));
    assert_eq!(declared.stats().totals.failures, 1);
    let conditional = breaker("declared under a condition").unwrap();
    assert_eq!(conditional.config().failure_threshold(), Some(3));
    assert!(breaker("declared and never named").is_some(), "code without the attribute uses it");
}

#[resilient(retry(row = "patient", base_delay = "3s"))]
async fn patient(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn numbers_of_the_attribute_change_a_declared_row() {
    let (calls, start) = (Cell::new(0), Instant::now());
    patient(&calls).await.unwrap_err();
    // The longest delay of the row, 2 s, gives way to the base delay that is given.
    assert_eq!((calls.get(), start.elapsed()), (3, Duration::from_secs(3 + 3)));
}

const AUTO: &str = "auto";

#[resilient(retry = AUTO)]
async fn by_kind(calls: &Cell<u32>, kind: ErrorKind) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(Failure::of(kind))
}

#[tokio::test(start_paused = true)]
async fn a_constant_can_ask_for_the_row_of_each_kind() {
    for (kind, attempts) in [(ErrorKind::RateLimitError, 5), (ErrorKind::TimeoutError, 2)] {
        let calls = Cell::new(0);
        by_kind(&calls, kind).await.unwrap_err();
        assert_eq!(calls.get(), attempts, "{kind}");
    }
}

#[resilient(retry(max_delay = "50ms", jitter = 0))]
async fn in_haste() -> Result<(), Failure> {
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn the_longest_delay_shortens_a_longer_first_one() {
    let start = Instant::now();
    in_haste().await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_millis(50 + 50));
}

#[test]
fn declarations_keep_their_words() {
    let catalog = catalog();
    let declared = catalog.breakers().iter().find(|it| it.name() == "declared").unwrap();
    assert_eq!(declared.documentation(), "Guards what is declared.\n\nIn two paragraphs.");
    assert!(declared.file().ends_with("named.rs") && declared.line() > 1, "{declared:?}");
    let patient = catalog.rows().iter().find(|it| it.name() == "patient").unwrap();
    assert_eq!(patient.documentation(), "From the row of a kind.");
    assert_eq!(patient.settings().base_delay(), Duration::from_secs(1));
}

#[test]
fn the_catalog_lists_a_function_with_its_policy_and_its_place() {
    let catalog = catalog();
    let name = concat!(module_path!(), "::import");
    let import = catalog.functions().iter().find(|it| it.name() == name).unwrap();
    assert_eq!(import.breaker(), Some("declared"));
    let Some(RetryRule::Row { name, policy, .. }) = import.retry() else { panic!("{import:?}") };
    assert_eq!((name, policy.max_attempts()), ("nightly_import", 4));
    let text = import.to_string();
    let policy = "retry \"nightly_import\" (4 attempts), breaker \"declared\"";
    assert!(text.contains("named.rs:") && text.ends_with(policy), "{text}");
    let places: Vec<_> = catalog.functions().iter().map(|it| (it.file(), it.line())).collect();
    assert!(places.is_sorted());
}

#[test]
fn declared_rows_are_none_of_the_kinds() {
    for row in catalog().rows() {
        assert!(row.name().parse::<ErrorKind>().is_err(), "other tests need the default table");
    }
}
