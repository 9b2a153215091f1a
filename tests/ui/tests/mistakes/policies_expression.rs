//! Declarations stand where items stand.

use resilient_runtime::policies;

fn main() {
    policies! {
        breaker "search" {}
    }
    let _ = policies! {
        breaker "upsert" {}
    };
}
