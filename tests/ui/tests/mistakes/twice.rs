//! Two attributes on one function, in every way to write them.
#![allow(unexpected_cfgs)]

use resilient_runtime::resilient;
use resilient_runtime::resilient as again;
use resilient_tests::Failure;

#[resilient(retry = "auto")]
#[resilient(breaker = "search")]
async fn search() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto")]
#[again(breaker = "search")]
async fn by_another_name() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto")]
#[resilient_runtime::resilient(breaker = "search")]
async fn by_a_path() -> Result<(), Failure> {
    Ok(())
}

#[cfg_attr(all(), resilient(retry = "auto"))]
#[cfg_attr(any(), resilient(retry))]
#[resilient(breaker = "search")]
async fn under_a_condition() -> Result<(), Failure> {
    Ok(())
}

struct Store;

#[resilient(retry = "auto")]
impl Store {
    #[again(breaker = "search")]
    async fn by_another_name(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[cfg_attr(all(), again(breaker = "search"))]
    async fn under_a_condition(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// The block merges the keys of this one.
    #[resilient_runtime::resilient(breaker = "search")]
    async fn by_a_path(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// A condition that speaks of the same word.
    #[cfg_attr(not(feature = "resilient"), inline)]
    async fn inlined(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[resilient(retry = "auto")]
#[again(breaker = "search")]
impl Store {
    async fn first(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn second(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// One in the body of another is another function.
#[resilient(retry = "auto")]
async fn outer() -> Result<(), Failure> {
    #[resilient(breaker = "search")]
    async fn outer() -> Result<(), Failure> {
        Ok(())
    }
    outer().await
}

fn main() {}
