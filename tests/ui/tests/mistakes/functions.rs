//! `classify` and `reject`, and errors that need them.

use resilient_runtime::{ErrorKind, Rejection, resilient};
use resilient_tests::Failure;

fn kind_of(_: &str) -> ErrorKind {
    ErrorKind::Unknown
}

fn name_of(_: &str) -> &'static str {
    "unknown"
}

fn from_rejection(rejection: Rejection) -> String {
    rejection.to_string()
}

#[resilient(retry = "auto")]
async fn text() -> Result<(), String> {
    Ok(())
}

#[resilient(breaker = "search")]
async fn borrowed_text() -> Result<(), &'static str> {
    Ok(())
}

#[resilient(retry = "auto", classify = "kind_of")]
async fn a_function_in_quotes() -> Result<(), String> {
    Ok(())
}

#[resilient(retry = "auto", classify = kind_of, reject = from_rejection)]
async fn nothing_rejects() -> Result<(), String> {
    Ok(())
}

#[resilient(breaker = "search", classify = kind_of)]
async fn no_rejection() -> Result<(), String> {
    Ok(())
}

#[resilient(retry = "auto", classify = name_of)]
async fn no_kind() -> Result<(), String> {
    Ok(())
}

#[resilient(retry = "auto", classify = kind_of)]
async fn of_another_error() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "search", classify = kind_of, reject = String::len)]
async fn no_error_of_a_rejection() -> Result<(), String> {
    Ok(())
}

#[resilient(classify = kind_of)]
async fn no_policy() -> Result<(), String> {
    Ok(())
}

fn main() {}
