//! What observers receive, and what functions count. Each test is isolated, and so hears of itself
//! alone.

mod causes;
mod counts;
mod each_event;
mod observers;

use std::sync::{Arc, Mutex};

use resilient_runtime::{Event, EventSet, Observation, observe, only, policies, resilient};
use resilient_tests::Failure;

policies! {
    breaker "search" {
        failure_threshold: 3,
        success_threshold: 2,
        open_duration: "10s",
    }
    breaker "rates" {
        window: 4,
        failure_rate: 0.5,
        minimum_calls: 4,
    }
    breaker "slow" {
        window: 4,
        slow_call_duration: "1s",
        slow_call_rate: 0.5,
        minimum_calls: 2,
    }
    breaker "tenant/{tenant}" {
        failure_threshold: 1,
        max_keys: 1,
    }
    budget "qdrant" {
        capacity: 10,
        retry_cost: 5,
        success_refund: 5,
    }
}

#[resilient(breaker = "search")]
async fn search(result: Result<u32, Failure>) -> Result<u32, Failure> {
    result
}

#[resilient(breaker = "tenant/{tenant}")]
async fn of_tenant(tenant: &str, result: Result<u32, Failure>) -> Result<u32, Failure> {
    result
}

/// What an observer has received, as text.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// Hears these events from now on, as long as the second value lives.
    fn of(events: impl Into<EventSet>) -> (Self, Observation) {
        let heard = Self::default();
        let hearing = heard.clone();
        let observation = observe(only(events, move |event: &Event<'_>| hearing.push(event)));
        (heard, observation)
    }

    fn push(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(event.to_string());
    }

    /// Takes what was heard since the last time.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
