//! `transparent` where there is nothing to ask, or too much, or something else to say.

use resilient_runtime::Classify;
use resilient_tests::Failure;

#[derive(Classify)]
enum SearchError {
    #[classify(transparent)]
    Two(Failure, Failure),
    #[classify(transparent)]
    Unit,
    #[classify(transparent, kind = "unknown")]
    Kind(Failure),
    #[classify(transparent, retry_after = 0, maybe_executed = false)]
    All(Failure),
    #[classify(transparent = true)]
    Value(Failure),
}

fn main() {}
