//! Types that a policy cannot work with.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[derive(Debug)]
struct Unclassified;

#[resilient(retry = "auto")]
async fn search() -> Result<(), Unclassified> {
    Ok(())
}

/// It misses both, and each has its own mend.
#[resilient(retry = "auto", breaker = "search")]
async fn guarded() -> Result<(), Unclassified> {
    Ok(())
}

struct Unrejected;

impl resilient_runtime::Classify for Unrejected {
    fn kind(&self) -> resilient_runtime::ErrorKind {
        resilient_runtime::ErrorKind::Unknown
    }
}

#[resilient(breaker = "upsert")]
async fn upsert() -> Result<(), Unrejected> {
    Ok(())
}

#[resilient(retry = "auto")]
async fn scroll() -> u32 {
    7
}

#[resilient(retry = "auto", breaker = "search")]
async fn opaque() -> impl std::fmt::Debug {
    Ok::<(), Failure>(())
}

struct Unclonable;

#[resilient(retry = "auto")]
async fn count(_limit: u32, filter: Unclonable) -> Result<(), Failure> {
    drop(filter);
    Ok(())
}

#[resilient(breaker = "list")]
async fn list() -> Option<u32> {
    Some(7)
}

fn main() {}
