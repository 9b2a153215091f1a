//! A circuit breaker: after five failures in a row it opens, and for 30 seconds every call fails
//! at once with `CircuitOpenError`, without a request to the server that is down.
//!
//! `cargo run --example circuit_breaker`

use std::error::Error;

use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{BreakerState, CircuitBreaker, CircuitOpenError, Classify, resilient};
use resilient_testkit::{Fault, Method};

#[resilient(breaker = "search")]
async fn search(client: &Qdrant, vector: Vec<f32>) -> Result<QueryResponse, QdrantError> {
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

/// The same without the attribute. The breaker outlives the call: every call asks the same one.
async fn search_by_hand(
    breaker: &CircuitBreaker,
    client: &Qdrant,
    vector: Vec<f32>,
) -> Result<QueryResponse, QdrantError> {
    let query = QueryPointsBuilder::new(COLLECTION).query(vector).limit(10);

    breaker.call(|| client.query(query)).await
}

/// Prints what became of a call. Returns whether the breaker rejected it.
fn report(result: Result<QueryResponse, QdrantError>) -> bool {
    match result {
        Ok(response) => println!("{} points", response.result.len()),
        Err(error) => match CircuitOpenError::find(&error) {
            Some(open) => {
                println!("service is unavailable: {open}");
                return true;
            }
            None => println!("operation failed: {}", error.kind()),
        },
    }
    false
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    server.script(Fault::unavailable().on(Method::QUERY));

    println!("#[resilient(breaker = \"search\")]");
    for _ in 0..5 {
        assert!(!report(search(&client, vec![0.1, 0.2, 0.3]).await));
    }
    assert!(report(search(&client, vec![0.1, 0.2, 0.3]).await));
    assert_eq!(server.requests(Method::QUERY), 5 * SENT_PER_FAILURE, "the sixth was not sent");

    println!("CircuitBreaker");
    server.reset_counts();
    let breaker = CircuitBreaker::default();
    for _ in 0..5 {
        assert!(!report(search_by_hand(&breaker, &client, vec![0.1, 0.2, 0.3]).await));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(report(search_by_hand(&breaker, &client, vec![0.1, 0.2, 0.3]).await));
    assert_eq!(server.requests(Method::QUERY), 5 * SENT_PER_FAILURE, "the sixth was not sent");
    Ok(())
}
