//! How long it takes to bring a recorder up to date, and to write what it holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusBuilder;
use resilient_bench::table;
use resilient_runtime::metrics::{collect, label_values, scrape};
use resilient_runtime::{
    BreakerConfig, CircuitBreaker, Classify, ErrorKind, Policy, Rejection, RetryPolicy, breaker_of,
    policies, snapshot,
};

const FUNCTIONS: usize = 500;
/// Each function has a breaker of its own, and these are by a value.
const KEYS: usize = 500;
const TURNS: usize = 21;
const TIMED_CALLS: usize = 1_000_000;

policies! {
    breaker "tenant/{tenant}" { failure_threshold: 5, max_keys: 1000 }
}

#[derive(Debug)]
struct Failure;

impl Classify for Failure {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ServiceUnavailable
    }
}

impl From<Rejection> for Failure {
    fn from(_: Rejection) -> Self {
        Self
    }
}

fn main() {
    let functions: Vec<_> = (0..FUNCTIONS).map(|number| function(number, false)).collect();
    let keys = (0..KEYS).map(|key| breaker_of("tenant/{tenant}", key).expect("it is declared"));
    let keys: Vec<_> = keys.collect();
    label_values("tenant/{tenant}", KEYS);
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        let first = time(collect);
        let later = median(|| time(collect));
        let rendered = median(|| {
            let both = time(|| drop(scrape(|| handle.render())));
            both.saturating_sub(later)
        });
        let text = handle.render();
        let series = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        let snapshot = median(|| time(|| drop(snapshot())));

        let timed = function(FUNCTIONS, true);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it builds");
        runtime.block_on(async {
            for _ in 0..TIMED_CALLS {
                let _ = timed.run(|| std::future::ready(Ok::<_, Failure>(7))).await;
            }
        });
        let durations = time(collect);
        let rows = [
            ["the first collect".to_owned(), format!("{first:.1?}")],
            ["each later one".to_owned(), format!("{later:.1?}")],
            ["the exporter's text".to_owned(), format!("{rendered:.1?}")],
            [format!("one with {TIMED_CALLS} durations"), format!("{durations:.1?}")],
            ["`snapshot()`".to_owned(), format!("{snapshot:.1?}")],
        ];
        let breakers = functions.len() + keys.len();
        let title =
            format!("A scrape of {breakers} breakers and {FUNCTIONS} functions, {series} series");
        table::print(&title, ["", "time"], rows);
    });
}

fn function(number: usize, durations: bool) -> Policy {
    let breaker =
        CircuitBreaker::new(BreakerConfig::DEFAULT).with_name(format!("breaker {number}"));
    Policy::builder(format!("app::storage::function_{number}"))
        .retry(RetryPolicy::DEFAULT)
        .breaker(Arc::new(breaker))
        .durations(durations)
        .build()
        .expect("it is valid")
        .register()
}

fn time(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn median(time: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = std::iter::repeat_with(time).take(TURNS).collect();
    times.sort();
    times[TURNS / 2]
}
