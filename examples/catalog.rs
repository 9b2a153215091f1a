//! What the source of a program says of its policies, before any of it has run: every resilient
//! function with its policy, file and line, every declaration, and what is wrong with them.
//!
//! `cargo run --example catalog`

use std::error::Error;

use comfy_table::Table;
use qdrant_client::qdrant::{
    CountPointsBuilder, CountResponse, PointStruct, QueryPointsBuilder, QueryResponse,
    UpsertPointsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_examples::COLLECTION;
use resilient_runtime::{CircuitBreaker, catalog, policies, resilient};

policies! {
    /// Guards every read of the collection.
    breaker "reads" { failure_threshold: 10, success_threshold: 3, open_duration: "60s" }
    /// One for each tenant, so that one of them cannot shut out the others.
    breaker "tenant/{tenant}" { max_keys: 200 }
    /// The server's limit is low.
    retry "rate_limit_error" { max_attempts: 8 }
    /// There is all night.
    retry "nightly_import" { max_attempts: 20, base_delay: "1s", max_delay: "2m" }
}

#[resilient(retry = "rate_limit_error", breaker = "reads")]
async fn search(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

#[resilient(retry = "nightly_import")]
async fn import(client: &Qdrant, points: Vec<PointStruct>) -> Result<(), QdrantError> {
    client.upsert_points(UpsertPointsBuilder::new(COLLECTION, points).wait(true)).await?;
    Ok(())
}

struct Store {
    client: Qdrant,
}

#[resilient(retry = "auto", breaker(name = "tenant/{tenant}", scope = "attempt"))]
impl Store {
    async fn count(&self, tenant: &str) -> Result<CountResponse, QdrantError> {
        self.client.count(CountPointsBuilder::new(format!("{COLLECTION}{tenant}"))).await
    }
}

/// `reads` was meant.
#[resilient(breaker = "read")]
async fn is_there(client: &Qdrant) -> Result<bool, QdrantError> {
    client.collection_exists(COLLECTION).await
}

fn table(header: [&str; 3]) -> Table {
    let mut table = Table::new();
    table.set_header(header);
    table
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let catalog = catalog();

    let mut functions = table(["function", "policy", "place"]);
    for function in catalog.functions() {
        let retry = function.retry().map(|retry| format!("retry {retry}"));
        let breaker = function.breaker().map(|breaker| format!("breaker \"{breaker}\""));
        let policy: Vec<_> = retry.into_iter().chain(breaker).collect();
        let place = format!("{}:{}", function.file(), function.line());
        functions.add_row([function.name().to_owned(), policy.join("\n"), place]);
    }
    println!("{functions}");

    let mut declarations = table(["declaration", "what for", "place"]);
    for breaker in catalog.breakers() {
        let place = format!("{}:{}", breaker.file(), breaker.line());
        let name = format!("breaker \"{}\"", breaker.name());
        declarations.add_row([name, breaker.documentation().to_owned(), place]);
    }
    for row in catalog.rows() {
        let place = format!("{}:{}", row.file(), row.line());
        let name = format!("retry \"{}\"", row.name());
        declarations.add_row([name, row.documentation().to_owned(), place]);
    }
    println!("{declarations}");

    let problems = catalog.validate().expect_err("one function misspells its breaker");
    println!("{problems}");
    assert_eq!(problems.problems().len(), 1);
    assert_eq!((catalog.functions().len(), catalog.breakers().len()), (4, 2));

    let (_server, client) = resilient_examples::start().await?;
    search(&client, vec![0.1, 0.2, 0.3]).await?;
    import(&client, vec![PointStruct::new(4, vec![0.5, 0.5, 0.5], Payload::new())]).await?;
    assert!(is_there(&client).await?);
    Store { client }.count("").await?;
    let breakers = resilient_runtime::breakers();
    let names: Vec<_> = breakers.iter().map(|breaker| breaker.name().as_str()).collect();
    println!("breakers: {}", names.join(", "));
    assert_eq!(names, ["read", "reads", "tenant/"]);
    let successes = |breaker: &CircuitBreaker| breaker.stats().totals.successes;
    assert!(breakers.iter().all(|breaker| successes(breaker) == 1));
    Ok(())
}
