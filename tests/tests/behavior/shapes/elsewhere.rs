//! The runtime under another name, as a crate that re-exports it has it.

use super::*;

mod facade {
    pub(super) use resilient_runtime as resilience;
}

#[resilient(
    crate = self::facade::resilience,
    retry(row = "timeout_error", max_attempts = 3),
    breaker(name = "elsewhere", failure_threshold = 2)
)]
async fn by_another_path(service: &Flaky, text: String) -> Result<String, Failure> {
    Ok(format!("{text}{}", service.ask()?))
}

#[tokio::test(start_paused = true)]
async fn a_runtime_under_another_name_serves() {
    assert_eq!(by_another_path(&Flaky::default(), "a".into()).await.unwrap(), "a3");
}
