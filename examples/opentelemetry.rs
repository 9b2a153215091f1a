//! The library's metrics through OpenTelemetry. The crate `metrics-opentelemetry` is the recorder of the
//! `metrics` facade, and a thread hands the numbers on at an interval.
//!
//! ```sh
//! cargo run --example opentelemetry
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use metrics_opentelemetry::{OpenTelemetryMetrics, OpenTelemetryRecorder};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, GaugeDataPoint, HistogramDataPoint, MetricData, ResourceMetrics,
    ScopeMetrics, SumDataPoint,
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, Instrument, PeriodicReader, SdkMeterProvider, Stream,
};
use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{metrics, resilient};
use resilient_testkit::{Fault, Method};
use tokio::time::sleep;

/// How often the numbers are exported.
const INTERVAL: Duration = Duration::from_millis(200);

/// A program has a series for each function and kind of error. The SDK keeps 2,000 of each metric by
/// default, and gives the others away as one.
const MOST_SERIES: usize = 20_000;

#[resilient(
    retry(row = "service_unavailable", max_attempts = 2, base_delay = "10ms"),
    breaker(name = "search", failure_threshold = 2),
    durations = true
)]
async fn search(client: &Qdrant) -> Result<QueryResponse, QdrantError> {
    let vector = vec![0.1, 0.2, 0.3];
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // A service takes the exporter of `opentelemetry-otlp` instead.
    let exporter = InMemoryMetricExporter::default();
    // The thread below is the only one that exports.
    let reader = PeriodicReader::builder(exporter.clone()).with_interval(Duration::MAX).build();
    let keep_all = |instrument: &Instrument| {
        let is_ours = instrument.name().starts_with("resilient_");
        is_ours
            .then(|| Stream::builder().with_cardinality_limit(MOST_SERIES).build().ok())
            .flatten()
    };
    let provider = SdkMeterProvider::builder().with_reader(reader).with_view(keep_all).build();
    let meter = provider.meter("resilient");
    let recorder = OpenTelemetryRecorder::new(OpenTelemetryMetrics::new(meter));
    ::metrics::set_global_recorder(recorder)?;

    // A thread, since an export waits for the network.
    thread::spawn(move || {
        loop {
            // Nothing changes the numbers while they are exported.
            if let Err(error) = metrics::scrape(|| provider.force_flush()) {
                eprintln!("metrics were not exported: {error}");
            }
            thread::sleep(INTERVAL);
        }
    });

    let (server, client) = resilient_examples::start().await?;
    search(&client).await?;
    // Two calls of two attempts fail.
    server.script(Fault::unavailable().on(Method::QUERY).times(4 * SENT_PER_FAILURE));
    for _ in 0..3 {
        if let Err(error) = search(&client).await {
            println!("search: {error}");
        }
    }

    sleep(2 * INTERVAL).await;
    let all = exporter.get_finished_metrics()?;
    for (name, values, expected) in [
        ("resilient_calls_total", ["opentelemetry::search", "success"], 1.0),
        ("resilient_calls_total", ["opentelemetry::search", "error"], 2.0),
        ("resilient_calls_total", ["opentelemetry::search", "rejected"], 1.0),
        ("resilient_call_duration_seconds", ["opentelemetry::search", "error"], 2.0),
        ("resilient_retries_total", ["opentelemetry::search", "service_unavailable"], 2.0),
        ("resilient_gave_up_total", ["opentelemetry::search", "attempts_exhausted"], 2.0),
        ("resilient_breaker_results_total", ["search", "failure"], 2.0),
        ("resilient_breaker_state", ["search", "open"], 1.0),
        ("resilient_breaker_state", ["search", "closed"], 0.0),
    ] {
        let number = exported(&all, name, values);
        println!("{name} {values:?}: {number:?}");
        assert_eq!(number, Some(expected));
    }
    Ok(())
}

/// Returns the last number of a metric with these values of its labels; of a histogram, the number of
/// calls.
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn exported(all: &[ResourceMetrics], name: &str, values: [&str; 2]) -> Option<f64> {
    let is_named = |label: &KeyValue| values.contains(&&*label.value.as_str());
    let scopes = all.last()?.scope_metrics();
    let metric = scopes.flat_map(ScopeMetrics::metrics).find(|metric| metric.name() == name)?;
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
            .data_points()
            .find(|point| point.attributes().all(is_named))
            .map(|point| SumDataPoint::value(point) as f64),
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => gauge
            .data_points()
            .find(|point| point.attributes().all(is_named))
            .map(GaugeDataPoint::value),
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
            .data_points()
            .find(|point| point.attributes().all(is_named))
            .map(|point| HistogramDataPoint::count(point) as f64),
        _ => None,
    }
}
