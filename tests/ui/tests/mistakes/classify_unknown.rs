//! Errors that tell no kind at all.

use resilient_runtime::{Classify, resilient};

#[derive(Classify)]
#[classify(kind = "unknown")]
enum SearchError {
    Slow,
    Server(String),
}

#[derive(Classify)]
enum UpsertError {
    #[classify(kind = "unknown", maybe_executed = false)]
    Unsent,
}

// One kind is enough, and so is an error inside.
#[derive(Classify)]
#[classify(kind = "unknown")]
enum DeleteError {
    #[classify(kind = "timeout_error")]
    Slow,
    Other,
}

#[derive(Classify)]
enum CountError {
    #[classify(transparent)]
    Io(std::io::Error),
    #[classify(kind = "unknown")]
    Other,
}

#[resilient(retry = "auto")]
async fn search() -> Result<(), SearchError> {
    Err(SearchError::Slow)
}

fn main() {}
