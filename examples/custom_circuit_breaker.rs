//! A circuit breaker with numbers of your own: how many failures open it, for how long, and how
//! many successes close it. Half-open in between, it lets only probes through.
//!
//! `cargo run --example custom_circuit_breaker`

use std::error::Error;
use std::time::Duration;

use qdrant_client::qdrant::GetCollectionInfoResponse;
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::COLLECTION;
use resilient_runtime::{BreakerConfig, BreakerState, CircuitBreaker, CircuitOpenError, resilient};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};

#[resilient(breaker(
    name = "collections",
    failure_threshold = 10,  // opens after 10 failures in a row
    success_threshold = 3,   // closes after 3 successful probes
    open_duration = "1s", // waits before it lets one through; a service takes more, "60s"
))]
async fn info(client: &Qdrant) -> Result<GetCollectionInfoResponse, QdrantError> {
    client.collection_info(COLLECTION).await
}

/// The same without the attribute. The breaker outlives the call: every call asks the same one.
async fn info_by_hand(
    breaker: &CircuitBreaker,
    client: &Qdrant,
) -> Result<GetCollectionInfoResponse, QdrantError> {
    breaker.call(|| client.collection_info(COLLECTION)).await
}

/// Takes the server away and gives it back, and watches what the breaker in front of it does.
async fn break_and_recover(
    server: &EmbeddedQdrant,
    breaker: &CircuitBreaker,
    call: impl AsyncFn() -> Result<GetCollectionInfoResponse, QdrantError>,
) -> Result<(), QdrantError> {
    server.reset_counts();
    let outage = server.script(Fault::unavailable().on(Method::GET_COLLECTION));
    for _ in 0..10 {
        assert_eq!(breaker.state(), BreakerState::Closed);
        call().await.unwrap_err();
    }
    println!("  {} after 10 failures", breaker.state());
    assert_eq!(breaker.state(), BreakerState::Open);

    let rejected = call().await.unwrap_err();
    assert!(CircuitOpenError::find(&rejected).is_some());
    assert_eq!(server.requests(Method::GET_COLLECTION), 10, "the eleventh was not sent");

    outage.remove();
    let wait = breaker.stats().time_until_half_open.expect("it is open");
    tokio::time::sleep(wait).await;
    for probe in 1..=3 {
        call().await?;
        println!("  {} after probe {probe}", breaker.state());
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;

    println!("#[resilient(breaker(…))]");
    let breaker = resilient_runtime::breaker("collections").expect("`info` names it");
    break_and_recover(&server, &breaker, async || info(&client).await).await?;

    println!("CircuitBreaker");
    let config = BreakerConfig::builder()
        .failure_threshold(10)
        .success_threshold(3)
        .open_duration(Duration::from_secs(1))
        .build()?;
    let breaker = CircuitBreaker::named("collections by hand", config);
    break_and_recover(&server, &breaker, async || info_by_hand(&breaker, &client).await).await?;
    Ok(())
}
