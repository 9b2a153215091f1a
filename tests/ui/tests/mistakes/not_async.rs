//! Functions that no policy can run.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry = "auto")]
fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto")]
const fn upsert() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto")]
async fn scroll() {}

#[resilient(retry = "auto")]
fn count() -> impl Future<Output = Result<(), Failure>> {
    async { Ok(()) }
}

#[resilient(retry = "auto")]
extern "C" fn delete() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
