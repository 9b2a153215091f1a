//! The numbers of the library as OpenTelemetry metrics: observable instruments that read
//! `snapshot()` whenever the SDK collects.
//!
//! The bridges from the `metrics` facade to OpenTelemetry follow its releases late, and an instrument
//! that is observed needs no bridge.
//!
//! ```sh
//! cargo run --example opentelemetry
//! ```

use std::error::Error;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, GaugeDataPoint, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use qdrant_client::qdrant::{QueryPointsBuilder, QueryResponse};
use qdrant_client::{Qdrant, QdrantError};
use resilient_examples::{COLLECTION, SENT_PER_FAILURE};
use resilient_runtime::{BreakerStatus, CallOutcome, resilient, snapshot};
use resilient_testkit::{Fault, Method};

#[resilient(breaker(name = "search", failure_threshold = 2))]
async fn search(client: &Qdrant) -> Result<QueryResponse, QdrantError> {
    let vector = vec![0.1, 0.2, 0.3];
    client.query(QueryPointsBuilder::new(COLLECTION).query(vector).limit(10)).await
}

/// Registers the instruments. The callbacks live as long as the provider of the meter.
fn observe(meter: &Meter) {
    meter
        .u64_observable_counter("resilient_calls_total")
        .with_description("Calls that have ended, by how they ended")
        .with_callback(|observer| {
            for function in snapshot().functions() {
                for outcome in CallOutcome::ALL {
                    let labels = [
                        KeyValue::new("function", function.name.clone()),
                        KeyValue::new("outcome", outcome.as_str()),
                    ];
                    observer.observe(function.counts.calls(*outcome), &labels);
                }
            }
        })
        .build();
    meter
        .u64_observable_gauge("resilient_breaker_state")
        .with_description("1 for the state that the circuit breaker is in, otherwise 0")
        .with_callback(|observer| {
            for breaker in snapshot().breakers() {
                for status in BreakerStatus::ALL {
                    let labels = [
                        KeyValue::new("breaker", breaker.name.clone()),
                        KeyValue::new("state", status.as_str()),
                    ];
                    observer.observe(u64::from(breaker.status == *status), &labels);
                }
            }
        })
        .build();
}

/// Returns the number of a metric with these values of its labels.
fn exported(all: &[ResourceMetrics], name: &str, values: [&str; 2]) -> Option<u64> {
    let is_named = |label: &KeyValue| values.contains(&&*label.value.as_str());
    let scopes = all.last()?.scope_metrics();
    let metric = scopes.flat_map(ScopeMetrics::metrics).find(|metric| metric.name() == name)?;
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
            .data_points()
            .find(|point| point.attributes().all(is_named))
            .map(SumDataPoint::value),
        AggregatedMetrics::U64(MetricData::Gauge(gauge)) => gauge
            .data_points()
            .find(|point| point.attributes().all(is_named))
            .map(GaugeDataPoint::value),
        _ => None,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // A service takes the exporter of `opentelemetry-otlp` instead.
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    observe(&provider.meter("resilient"));

    let (server, client) = resilient_examples::start().await?;
    search(&client).await?;
    server.script(Fault::unavailable().on(Method::QUERY).times(2 * SENT_PER_FAILURE));
    for _ in 0..3 {
        if let Err(error) = search(&client).await {
            println!("search: {error}");
        }
    }

    provider.force_flush()?;
    let all = exporter.get_finished_metrics()?;
    for (name, values, expected) in [
        ("resilient_calls_total", ["opentelemetry::search", "success"], 1),
        ("resilient_calls_total", ["opentelemetry::search", "error"], 2),
        ("resilient_calls_total", ["opentelemetry::search", "rejected"], 1),
        ("resilient_breaker_state", ["search", "open"], 1),
        ("resilient_breaker_state", ["search", "closed"], 0),
    ] {
        let number = exported(&all, name, values);
        println!("{name} {values:?}: {number:?}");
        assert_eq!(number, Some(expected));
    }
    provider.shutdown()?;
    Ok(())
}
