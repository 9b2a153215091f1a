//! Numbers and durations that are constants.

use std::time::Duration;

use resilient_runtime::{guard, policies, resilient};
use resilient_tests::Failure;

// What is no constant.

#[resilient(
    retry(max_attempts = 2 + 1, base_delay = base_delay, jitter = SHARE / 2.0),
    breaker(name = "search", window = limits::window(), failure_threshold = limits::failures),
    attempt_timeout = Duration::from_secs(5),
    deadline = DEADLINE.saturating_mul(2),
)]
async fn expressions() -> Result<(), Failure> {
    Ok(())
}

policies! {
    breaker "expressions" { failure_threshold: limits::FAILURES as u32, open_duration: (OPEN_FOR) }
    budget "expressions" { capacity: { 7 }, retry_cost: retry_cost }
}

async fn guarded_expressions() -> Result<(), Failure> {
    guard!(deadline = Duration::from_secs(5); async { Ok(()) }).await
}

#[resilient(retry(max_attempts = <Limits as Limited>::ATTEMPTS), deadline = ["5s"])]
async fn qualified() -> Result<(), Failure> {
    Ok(())
}

// What a static cannot name.

#[resilient(retry(max_attempts = N, jitter = Of::<T>::SHARE), deadline = T::DEADLINE)]
async fn of_parameters<T: Limited, const N: u32>() -> Result<(), Failure> {
    Ok(())
}

struct Limits;

impl Limits {
    const ATTEMPTS: u32 = 3;

    #[resilient(retry(jitter = Of::<Self>::SHARE))]
    async fn count(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[resilient(retry(max_attempts = Self::ATTEMPTS), breaker(name = "search", window = Self::WINDOW))]
    async fn list(&self) -> Result<(), Failure> {
        Ok(())
    }
}

// What the keys that are given contradict, whatever the constants hold.

#[resilient(
    breaker(name = "search", failure_rate = RATE, max_keys = KEYS),
    idempotent = false,
)]
async fn without_what_they_need() -> Result<(), Failure> {
    Ok(())
}

#[resilient(
    breaker(name = "search", window = limits::WINDOW, slow_call_rate = RATE, slow_call_duration = "5s"),
    attempt_timeout = "4s",
    deadline = DEADLINE,
)]
async fn known_enough() -> Result<(), Failure> {
    Ok(())
}

// Of a wrong type.

#[resilient(retry(max_attempts = TEXT))]
async fn text_for_a_number() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(max_attempts = limits::SIZE))]
async fn size_for_a_number() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(jitter = ATTEMPTS))]
async fn whole_number_for_a_number() -> Result<(), Failure> {
    Ok(())
}

#[resilient(deadline = TEXT)]
async fn text_for_a_duration() -> Result<(), Failure> {
    Ok(())
}

#[resilient(retry(base_delay = ATTEMPTS, max_delay = "5s"))]
async fn number_for_a_duration() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search", window = RATE, failure_rate = RATE))]
async fn number_for_a_window() -> Result<(), Failure> {
    Ok(())
}

#[resilient(breaker(name = "search/{tenant}", max_keys = DEADLINE))]
async fn duration_for_a_number(tenant: &str) -> Result<(), Failure> {
    Ok(drop(tenant.to_owned()))
}

struct Store;

#[resilient(retry(max_attempts = TEXT))]
impl Store {
    async fn list(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn count(&self) -> Result<(), Failure> {
        Ok(())
    }
}

policies! {
    breaker "types" { open_duration: ATTEMPTS }
    retry "types" { max_attempts: DEADLINE }
    budget "types" { capacity: TEXT }
}

async fn guarded_type() -> Result<(), Failure> {
    guard!(attempt_timeout = ATTEMPTS; async { Ok(()) }).await
}

const ATTEMPTS: u32 = 3;
const TEXT: &str = "5s";
const SHARE: f64 = 0.5;
const RATE: f64 = 0.5;
const KEYS: u32 = 50;
const DEADLINE: Duration = Duration::from_secs(2);
const OPEN_FOR: Duration = Duration::from_secs(60);

mod limits {
    pub const SIZE: usize = 3;
    pub const FAILURES: usize = 3;
    pub const WINDOW: u32 = 100;
}

trait Limited {
    const ATTEMPTS: u32;
    const DEADLINE: std::time::Duration;
}

struct Of<T>(T);

impl<T> Of<T> {
    const SHARE: f64 = 0.5;
}

fn main() {}
