//! What the breaker does beyond opening by failures in a row: see `behavior/breaker.rs` for that.

mod by_hand;
mod changes;
mod cost;
mod failures_within;
mod hints;
mod kinds;
mod probes;
mod waiting;

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use resilient_runtime::{BreakerConfig, BreakerConfigBuilder, CircuitBreaker};

const SECOND: Duration = Duration::from_secs(1);

/// How long a breaker with the default configuration stays open.
const OPEN: Duration = Duration::from_secs(30);

fn config() -> BreakerConfigBuilder {
    BreakerConfig::builder()
}

fn breaker(config: BreakerConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new(config.build().unwrap())
}

#[test]
fn a_breaker_is_shared_between_threads_and_survives_their_panics() {
    fn is_shared<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}

    is_shared::<CircuitBreaker>();
}

#[test]
fn a_name_made_at_run_time_is_in_rejections() {
    let breaker = breaker(config()).with_name(format!("node {}", 7));
    breaker.force_open();
    let rejection = breaker.acquire().unwrap_err();
    assert_eq!(rejection.breaker, "node 7");
    assert!(rejection.to_string().contains("`node 7`"), "{rejection}");
    assert_eq!(breaker.name(), "node 7");
}

/// A breaker that has just opened, with a failure of this moment.
fn opened(config: BreakerConfigBuilder) -> CircuitBreaker {
    let breaker = breaker(config.failure_threshold(1));
    breaker.acquire().unwrap().failure();
    breaker
}
