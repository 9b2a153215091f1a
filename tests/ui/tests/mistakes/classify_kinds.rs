//! Kinds that do not exist, and one that is no string.

use resilient_runtime::Classify;

#[derive(Classify)]
#[classify(kind = "unknwon")]
enum SearchError {
    #[classify(kind = "rate_limit")]
    Busy,
    #[classify(kind = "weather")]
    Rain,
    #[classify(kind = RateLimitError)]
    Limited,
    #[classify(kind)]
    Kind,
    Rest,
}

fn main() {}
