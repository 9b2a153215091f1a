//! Declarations.

use resilient_runtime::policies;

policies! {
    breaker "search" { failure_treshold: 3, scope: "attempt" }
    retry "rate_limit" { max_attempts: 0 }
    retry "collection_not_found" {}
    retry "auto" {}
    retry "import" { base_delay: "2s", max_delay: "1s", row: "patient" }
    breaker "scroll" { max_keys: 3 }
    breaker "search" {}
    #[inline]
    breaker "count" {}
}

policies! {
    braker "upsert" {}
}

policies! {
    breaker search {}
}

policies! {
    breaker "list" { failure_threshold = 3 }
}

policies! {
    breaker "scroll"
}

policies! {
    breaker "scroll" {},
    breaker "count" { open_duration "2s" }
}

fn main() {}
