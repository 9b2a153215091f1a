//! A server that answers, but slowly: a breaker that looks at the last calls opens before they pile
//! up, and whoever has time waits until it is ready again.
//!
//! `cargo run --example slow_calls`

use std::error::Error;
use std::time::Duration;

use resilient_examples::COLLECTION;
use resilient_runtime::{BreakerConfig, BreakerState, CircuitBreaker, CircuitOpenError};
use resilient_testkit::{Fault, Method};

const SLOW: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (server, client) = resilient_examples::start().await?;
    let config = BreakerConfig::builder()
        .window_calls(10)
        .minimum_calls(10)
        .slow_call(SLOW)
        .slow_call_rate(0.8)
        .open_duration(Duration::from_millis(500))
        .open_growth(2.0)
        .half_open_timeout(Duration::from_secs(1))
        .build()?;
    let breaker = CircuitBreaker::named("docs", config);
    let info = || breaker.call(|| client.collection_info(COLLECTION));

    // The server becomes slow, and still every answer is a success.
    let slowness = server.script(Fault::delay(2 * SLOW).on(Method::GET_COLLECTION));
    for _ in 0..10 {
        info().await?;
    }
    let window = breaker.stats().window.expect("it has a window");
    println!("{} of {} calls were slow: {}", window.slow_calls, window.calls, breaker.state());
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(CircuitOpenError::find(&info().await.unwrap_err()).is_some());

    // A slow probe counts as failed, and the breaker stays open for twice as long.
    breaker.wait_until_ready().await;
    info().await?;
    let stats = breaker.stats();
    let wait = stats.time_until_half_open.expect("it is open again");
    println!("opened {} times in a row, this time for {wait:?}", stats.openings_in_a_row);
    assert_eq!(stats.openings_in_a_row, 2);

    // The server recovers. A batch job has time: it waits, and does not poll.
    slowness.remove();
    while breaker.state() != BreakerState::Closed {
        breaker.wait_until_ready().await;
        info().await?;
        println!("{} after a probe", breaker.state());
    }
    Ok(())
}
