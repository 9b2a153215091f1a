//! An attribute that names no policy.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient]
async fn search() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
