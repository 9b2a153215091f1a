//! A library of a program that names policies of another crate.

use std::cell::Cell;

use resilient_runtime::resilient;
use resilient_tests::Failure;

/// Fails each time, as `failure` says.
///
/// # Errors
///
/// `failure`.
#[resilient(retry = "auto", breaker = "program reads")]
pub async fn read(calls: &Cell<u32>, failure: Failure) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(failure)
}
