//! A program of several crates: what each declares and annotates meets in one catalog.

use std::cell::Cell;

use resilient_runtime::resilient;
use resilient_tests::{DOWN, Failure};

/// Declares policies, and is used for nothing else.
use resilient_program_policies as _;

/// Fails each time.
///
/// # Errors
///
/// [`DOWN`].
#[resilient(retry = "program import", breaker = "program writes")]
pub async fn import(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}
