//! `self` where there is none.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry, breaker = "search")]
async fn search(self) -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "search/{self.collection}")]
async fn upsert(&self) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
