//! Settings that change a hundred times a second while calls go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use resilient_runtime::{Policy, RetryPolicy, Settings, breaker, resilient};
use resilient_tests::{DOWN, Failure};

use super::Turn;
use super::program::{count, windowed};

#[resilient(
    retry(row = "patient", max_attempts = 3, base_delay = "0s"),
    breaker(name = "reloaded", failure_threshold = 60000)
)]
async fn reloaded(attempts: &AtomicU32) -> Result<(), Failure> {
    attempts.fetch_add(1, Ordering::Relaxed);
    Err(DOWN)
}

/// Each call makes as many attempts as some settings have allowed: none is lost, and none is made
/// of two settings.
#[test]
fn calls_go_on_under_a_hundred_reloads_a_second() {
    let _turn = Turn::take();
    let is_over = AtomicBool::new(false);
    let calls = AtomicU32::new(0);
    let policy = Policy::builder("reloaded policy")
        .retry(RetryPolicy::builder().max_attempts(3).base_delay(Duration::ZERO).build().unwrap())
        .build()
        .unwrap()
        .register();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.unwrap().block_on(async {
                    while !is_over.load(Ordering::Relaxed) {
                        let attempts = AtomicU32::new(0);
                        reloaded(&attempts).await.unwrap_err();
                        assert!(matches!(attempts.into_inner(), 1..=5));
                        let attempts = Arc::new(AtomicU32::new(0));
                        let attempt = || async {
                            attempts.fetch_add(1, Ordering::Relaxed);
                            Err::<(), Failure>(DOWN)
                        };
                        policy.run(attempt).await.unwrap_err();
                        assert!(matches!(attempts.load(Ordering::Relaxed), 2..=4));
                        let _ = windowed(Ok(())).await;
                        let _ = count("big", Ok(())).await;
                        breaker("reloaded").unwrap().reset();
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
        let mut reload = 0_u32;
        while reload < 200 || calls.load(Ordering::Relaxed) < 100 {
            let attempts = reload % 5 + 1;
            let window = if reload.is_multiple_of(2) {
                "\"1s\"".to_owned()
            } else {
                (10 + reload % 7).to_string()
            };
            let settings = format!(
                "[function.\"settings::reloads::reloaded\"]\nmax_attempts = {attempts}
                 [function.\"reloaded policy\"]\nmax_attempts = {}
                 [breaker.\"by calls\"]\nwindow = {window}\nminimum_calls = 4
                 [breaker.\"count/{{collection}}\"]\nmax_keys = {attempts}\nopen_jitter = 0.{attempts}",
                2 + reload % 3,
            );
            Settings::from_toml_str(&settings).unwrap().apply().unwrap();
            reload += 1;
            // A hundred reloads a second, or as many as the machine has time for.
            thread::sleep(Duration::from_millis(10));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(calls.into_inner() >= 100);
}
