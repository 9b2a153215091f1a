//! What a call costs once a breaker has been used, in allocations.

use allocation_counter::measure;
use resilient_runtime::BreakerConfigBuilder;

use super::{SECOND, breaker, config};

fn allocations(config: BreakerConfigBuilder) -> u64 {
    let breaker = breaker(config);
    let calls = || {
        for _ in 0..1_000 {
            breaker.acquire().unwrap().success();
            breaker.acquire().unwrap().failure();
            breaker.acquire().unwrap().ignore();
        }
    };
    calls();
    measure(calls).count_total
}

#[test]
fn no_call_allocates_whatever_opens_the_breaker() {
    assert_eq!(allocations(config()), 0);
    let rates = |config: BreakerConfigBuilder| config.failure_rate(1.0).slow_call_duration(SECOND);
    assert_eq!(allocations(rates(config().window_calls(100))), 0);
    assert_eq!(allocations(rates(config().window_time(60 * SECOND))), 0);
}
