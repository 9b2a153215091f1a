//! A union has no errors in it.

use resilient_runtime::{Classify, resilient};

#[derive(Classify)]
union SearchError {
    code: u32,
}

#[resilient(retry = "auto")]
async fn search() -> Result<(), SearchError> {
    Err(SearchError { code: 1 })
}

fn main() {}
