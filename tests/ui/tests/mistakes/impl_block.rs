//! Mistakes on an `impl` block and in it.

use resilient_runtime::resilient;
use resilient_tests::Failure;

struct Store;

#[resilient(retry = "rate_limit")]
impl Store {
    async fn first(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn second(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[resilient(retry = "rate_limit_error")]
impl Store {
    #[resilient(breaker = "")]
    async fn third(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[resilient(retry = "rate_limit_error")]
impl Store {
    fn fourth(&self) {}
}

#[resilient(retry = "rate_limit_error")]
impl Store {
    #[cfg_attr(test, resilient(skip))]
    async fn sixth(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[resilient(retry)]
    #[resilient(breaker = "search")]
    async fn seventh(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[resilient(skip)]
async fn fifth() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto")]
trait Search {}

struct Third;

#[resilient(retry = "auto", braker = "store")]
impl Third {
    #[resilient(skip)]
    async fn left_out(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[resilient(idempotent = false)]
    async fn needs_the_block(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
