//! A library of a program that names policies of another crate.

use std::cell::Cell;
use std::error::Error;
use std::fmt;

use resilient_runtime::{Classify, resilient};
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

/// An error that no other crate can name.
#[derive(Debug, Classify)]
#[classify(kind = "search_timeout")]
struct Slow;

impl fmt::Display for Slow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("slow")
    }
}

impl Error for Slow {}

/// Returns an error of a private type.
#[must_use]
pub fn slow() -> Box<dyn Error + Send + Sync> {
    Box::new(Slow)
}
