//! Keys of the derive that do not exist, or not there.

use resilient_runtime::{Classify, resilient};

#[derive(Classify)]
#[classify(knd = "unknown")]
enum SearchError {
    #[classify(transparnt)]
    Server(std::io::Error),
    #[classify(reason = "busy", kind = "rate_limit_error")]
    Busy,
    #[classify(kind = "unknown", kind = "timeout_error")]
    Slow,
}

#[derive(Classify)]
#[classify(transparent, maybe_executed = false)]
enum UpsertError {
    #[classify(crate = ::resilient_runtime, kind = "unknown")]
    Server,
    Busy(#[classify(retry_after)] std::time::Duration),
}

#[derive(Classify)]
#[classify]
struct ScrollError;

// No error follows where the errors are used.
#[resilient(retry = "auto")]
async fn search() -> Result<(), SearchError> {
    Err(SearchError::Slow)
}

fn main() {}
