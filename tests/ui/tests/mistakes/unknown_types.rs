//! Types that do not exist are reported once each, as for any function.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry, breaker = "search")]
async fn search() -> Resutl<(), Failure> {
    Ok(())
}

#[resilient(retry, breaker = "search")]
async fn upsert() -> Result<(), Failur> {
    Ok(())
}

#[resilient(retry)]
async fn scroll(_text: Strng) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
