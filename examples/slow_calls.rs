//! A server that answers, but slowly: a breaker that looks at the last calls opens before they pile
//! up, and whoever has time waits until it is ready again.
//!
//! `cargo run --example slow_calls`

use std::error::Error;
use std::time::Duration;

use qdrant_client::qdrant::GetCollectionInfoResponse;
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::COLLECTION;
use resilient_runtime::{BreakerState, CircuitOpenError, resilient};
use resilient_testkit::{Fault, Method};

#[resilient(breaker(
    name = "docs",
    window = 10,              // looks at the last 10 calls
    slow_call_duration = "50ms",       // a service takes more, "2s"
    slow_call_rate = 0.8,     // opens when 8 of the 10 are slow
    open_duration = "500ms",  // a service takes more, "30s"
    open_duration_multiplier = 2,          // stays open for twice as long when its probes fail
    probe_timeout = "1s", // waits no longer for a probe
))]
async fn info(client: &Qdrant) -> Result<GetCollectionInfoResponse, QdrantError> {
    client.collection_info(COLLECTION).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let breaker = resilient_runtime::breaker("docs").expect("`info` names it");

    // The server becomes slow, and still every answer is a success.
    let slowness =
        server.script(Fault::delay(Duration::from_millis(100)).on(Method::GET_COLLECTION));
    for _ in 0..10 {
        info(&client).await?;
    }
    let window = breaker.stats().window.expect("it has a window");
    println!("{} of {} calls were slow: {}", window.slow_calls, window.calls, breaker.state());
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(CircuitOpenError::find(&info(&client).await.unwrap_err()).is_some());

    // A slow probe counts as failed, and the breaker stays open for twice as long.
    breaker.wait_until_ready().await;
    info(&client).await?;
    let stats = breaker.stats();
    let wait = stats.time_until_half_open.expect("it is open again");
    println!("opened {} times in a row, this time for {wait:?}", stats.consecutive_openings);
    assert_eq!(stats.consecutive_openings, 2);

    // The server recovers. A batch job has time: it waits, and does not poll.
    slowness.remove();
    while breaker.state() != BreakerState::Closed {
        breaker.wait_until_ready().await;
        info(&client).await?;
        println!("{} after a probe", breaker.state());
    }
    Ok(())
}
