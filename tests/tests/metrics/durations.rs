//! How long calls take.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use resilient_runtime::{Policy, resilient};
use resilient_tests::Failure;
use tokio::time::sleep;

use super::Metrics;

const COUNT: &str = "resilient_call_duration_seconds_count";
const SUM: &str = "resilient_call_duration_seconds_sum";

#[resilient(breaker = "timed", durations = true)]
async fn never_called_and_timed() -> Result<u32, Failure> {
    Ok(7)
}

#[tokio::test]
async fn a_function_that_is_timed_has_its_series_before_its_first_call() {
    let metrics = Metrics::serve().await;
    let scrape = metrics.scrape().await;
    let success =
        [("function", "metrics::durations::never_called_and_timed"), ("outcome", "success")];
    assert_eq!(scrape.value(COUNT, &success), 0.0);
    assert_eq!(scrape.value(SUM, &success), 0.0);
    let other = [("function", "metrics::never_called"), ("outcome", "success")];
    assert_eq!(scrape.find(COUNT, &other), None, "not asked for");
    drop(never_called_and_timed());
}

#[tokio::test]
async fn with_buckets_the_durations_are_a_histogram() {
    let bounds = [0.01, 0.05, 10.0];
    let name = Matcher::Full("resilient_call_duration_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(name, &bounds).unwrap();
    let metrics = Metrics::serve_by(builder).await;
    let policy = Policy::builder("buckets").durations(true).build().unwrap().register();
    let asked = Duration::from_millis(60);
    for wait in [Duration::ZERO, Duration::ZERO, asked] {
        let slept = policy.run(|| async move {
            sleep(wait).await;
            Ok::<_, Failure>(7)
        });
        assert_eq!(slept.await, Ok(7));
    }
    let scrape = metrics.scrape().await;
    let of = |label: &[(&'static str, &'static str)]| {
        let mut labels = vec![("function", "buckets"), ("outcome", "success")];
        labels.extend(label);
        labels
    };
    assert_eq!(scrape.value(COUNT, &of(&[])), 3.0);
    let bucket = "resilient_call_duration_seconds_bucket";
    assert_eq!(scrape.value(bucket, &of(&[("le", "0.05")])), 2.0);
    assert_eq!(scrape.value(bucket, &of(&[("le", "10")])), 3.0);
    assert_eq!(scrape.value(bucket, &of(&[("le", "+Inf")])), 3.0);
    let sum = scrape.value(SUM, &of(&[]));
    assert!(sum >= asked.as_secs_f64() && sum < 10.0, "{sum} in seconds");
    assert_eq!(scrape.types["resilient_call_duration_seconds"], "histogram");
}
