//! Fields that `retry_after` cannot name, and other wrong values.

use std::time::Duration;

use resilient_runtime::Classify;

#[derive(Classify)]
#[classify(crate = "resilient_runtime", kind = "unknown")]
enum SearchError {
    #[classify(kind = "rate_limit_error", retry_after = wiat)]
    Misspelt { wait: Duration, limit: u32 },
    #[classify(kind = "rate_limit_error", retry_after = delay)]
    Other { wait: Duration, limit: u32 },
    #[classify(kind = "rate_limit_error", retry_after = 1)]
    Index(Duration),
    #[classify(kind = "rate_limit_error", retry_after = wait)]
    Unit,
    #[classify(kind = "rate_limit_error", retry_after = "500ms")]
    Text { wait: Duration },
    #[classify(kind = "rate_limit_error", retry_after)]
    Bare { wait: Duration },
    #[classify(kind = "rate_limit_error", maybe_executed = "no")]
    Flag,
}

fn main() {}
