//! Errors that do not say their kind.

use resilient_runtime::{Classify, resilient};
use resilient_tests::Failure;

#[derive(Classify)]
enum SearchError {
    #[classify(kind = "timeout_error")]
    Slow,
    Empty,
    Server {
        source: Failure,
    },
    #[classify(maybe_executed = false)]
    Unsent,
}

#[derive(Classify)]
struct UpsertError;

#[resilient(retry = "auto")]
async fn search() -> Result<(), SearchError> {
    Err(SearchError::Empty)
}

fn main() {}
