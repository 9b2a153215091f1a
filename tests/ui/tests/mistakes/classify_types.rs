//! Fields of types that cannot answer.

use resilient_runtime::Classify;

struct Unclassified;

#[derive(Classify)]
enum SearchError {
    #[classify(transparent)]
    Server(std::num::ParseIntError),
    #[classify(transparent)]
    Own(Unclassified),
    #[classify(kind = "rate_limit_error", retry_after = seconds)]
    Busy { seconds: u64 },
    #[classify(kind = "rate_limit_error", retry_after = 0)]
    Text(String),
}

fn main() {}
