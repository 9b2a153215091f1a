//! Lints say of an annotated function what they say of any other, and at its place.
#![deny(dead_code, missing_docs, unfulfilled_lint_expectations)]

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry = "auto")]
async fn never_called() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "search")]
async fn never_called_and_guarded() -> Result<(), Failure> {
    Ok(())
}

#[expect(dead_code)]
#[resilient(retry = "auto", breaker = "search")]
async fn expected_to_be_never_called() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry = "auto")]
async fn documented_and_expected() -> Result<(), Failure> {
    //! Documented in its body.
    #![expect(dead_code)]
    Ok(())
}

#[resilient(retry = "auto")]
pub async fn undocumented() -> Result<(), Failure> {
    Ok(())
}

/// A store.
pub struct Store;

#[resilient(retry = "auto")]
impl Store {
    pub async fn undocumented(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn never_called(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// A trait.
#[allow(async_fn_in_trait)]
pub trait Search {
    #[resilient(retry = "auto")]
    async fn undocumented(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
