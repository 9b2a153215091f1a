//! Declarations and functions of several crates meet, in every build: CI runs this in debug and in
//! release.

use std::cell::Cell;

use resilient_program_reads::read;
use resilient_program_tests::import;
use resilient_runtime::{AnnotatedFunction, ErrorKind, RetryTable, breaker, catalog, resilient};
use resilient_tests::{DOWN, Failure};

#[resilient(retry, breaker = "program shard {shard}")]
async fn write(calls: &Cell<u32>, shard: u32) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[test]
fn functions_and_declarations_of_every_crate_are_listed() {
    let catalog = catalog();
    let functions: Vec<_> = catalog.functions().iter().map(AnnotatedFunction::name).collect();
    assert_eq!(
        functions,
        ["resilient_program_reads::read", "resilient_program_tests::import", "catalog::write"]
    );
    let breakers: Vec<_> = catalog.breakers().iter().map(|it| it.name()).collect();
    assert_eq!(breakers, ["program reads", "program writes", "program shard {shard}"]);
    assert_eq!(catalog.breakers()[0].documentation(), "Guards every read.");
    let rows: Vec<_> = catalog.rows().iter().map(|it| it.name()).collect();
    assert_eq!(rows, ["default", "rate_limit_error", "program import"]);
    assert_eq!(catalog.validate(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_function_is_retried_by_rows_of_another_crate() {
    for (kind, attempts) in [
        (ErrorKind::RateLimitError, 9),
        // The row of the kinds without one of their own.
        (ErrorKind::SearchTimeout, 2),
        (ErrorKind::ConnectionError, 3),
    ] {
        let calls = Cell::new(0);
        read(&calls, Failure::of(kind)).await.unwrap_err();
        assert_eq!(calls.get(), attempts, "{kind}");
        breaker("program reads").unwrap().reset();
    }
    let calls = Cell::new(0);
    import(&calls).await.unwrap_err();
    assert_eq!(calls.get(), 7);
    let calls = Cell::new(0);
    write(&calls, 1).await.unwrap_err();
    assert_eq!(calls.get(), 2);
}

#[test]
fn a_breaker_behaves_as_another_crate_declares_it() {
    assert_eq!(breaker("program writes").unwrap().config().failure_threshold(), Some(3));
}

#[test]
fn code_without_the_attribute_can_use_the_declared_rows() {
    let table = RetryTable::declared();
    assert_eq!(table.row(ErrorKind::RateLimitError).max_attempts(), 9);
    assert_eq!(table.row(ErrorKind::SearchTimeout).max_attempts(), 2);
    assert_eq!(RetryTable::default().row(ErrorKind::RateLimitError).max_attempts(), 5);
}
