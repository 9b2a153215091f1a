//! Breakers by a value of the arguments.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(breaker = "search/{colection}")]
async fn search(collection: &str) -> Result<(), Failure> {
    Ok(drop(collection.to_owned()))
}

#[resilient(breaker = "upsert/{first}")]
async fn upsert((first, _second): (u32, u32)) -> Result<(), Failure> {
    Ok(drop(first.to_string()))
}

#[resilient(breaker(name = "scroll/{self.collection}", failure_threshold = 0))]
async fn scroll(limit: u32) -> Result<(), Failure> {
    Ok(drop(limit.to_string()))
}

#[resilient(breaker = "count/{collection")]
async fn count(collection: &str) -> Result<(), Failure> {
    Ok(drop(collection.to_owned()))
}

#[resilient(retry = "auto", breaker = "delete/{}")]
async fn delete(collection: &str) -> Result<(), Failure> {
    Ok(drop(collection.to_owned()))
}

#[resilient(breaker(name = "list", max_keys = 10))]
async fn list() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker = "recommend/{vector}")]
async fn recommend(vector: Vec<f32>) -> Result<(), Failure> {
    Ok(drop(vector))
}

#[resilient(retry = "auto", breaker = "info/{name}")]
async fn info(ref name: String) -> Result<(), Failure> {
    Ok(drop(name.to_owned()))
}

#[resilient(breaker = "facet/{name.crate}")]
async fn facet(name: &str) -> Result<(), Failure> {
    Ok(drop(name.to_owned()))
}

struct Store {
    collection: String,
}

impl Store {
    #[resilient(breaker = "scroll/{self.colection}")]
    async fn misspelt(&self) -> Result<(), Failure> {
        Ok(drop(self.collection.clone()))
    }

    #[resilient(breaker = "scroll/{collection}")]
    async fn a_field(&self, limit: u32) -> Result<u32, Failure> {
        Ok(limit)
    }
}

fn main() {}
