//! Attributes that are not finished: the type is an error all the same.

use resilient_runtime::{Classify, resilient};

#[derive(Classify)]
enum SearchError {
    #[classify(kind = )]
    Value,
    #[classify(kind "unknown")]
    Equals,
    #[classify()]
    Nothing,
    #[classify(kind = "timeout_error", retry_after =)]
    Field,
}

#[resilient(retry = "auto")]
async fn search() -> Result<(), SearchError> {
    Err(SearchError::Value)
}

fn main() {}
