//! Metrics, as Prometheus reads them over HTTP.

#![expect(clippy::float_cmp, reason = "whole numbers are exact")]

mod operating;
mod outage;
mod scraped;
mod templates;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;
use resilient_runtime::metrics::scrape;
use resilient_runtime::{policies, resilient};
use resilient_tests::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, MutexGuard};

policies! {
    breaker "search" { failure_threshold: 3, success_threshold: 2, open_duration: "100ms" }
    breaker "held" { failure_threshold: 3 }
    breaker "never called" { failure_threshold: 3 }
    breaker "tenant/{tenant}" { failure_threshold: 1, max_keys: 2 }
    budget "qdrant" { capacity: 100, retry_cost: 10, success_refund: 1 }
}

#[resilient(
    retry(row = "service_unavailable", max_attempts = 2, base_delay = "1ms", jitter = 0.0),
    breaker = "search",
    budget = "qdrant",
    durations = true
)]
async fn search(answer: Result<u32, Failure>) -> Result<u32, Failure> {
    answer
}

#[resilient(retry = "auto", breaker = "never called")]
async fn never_called() -> Result<u32, Failure> {
    Ok(7)
}

#[resilient(breaker = "tenant/{tenant}")]
async fn of_tenant(tenant: &str, answer: Result<u32, Failure>) -> Result<u32, Failure> {
    answer
}

/// A recorder of one test, and the address at which Prometheus scrapes it.
struct Metrics {
    /// The library remembers what it has told a recorder, and a program has one.
    _turn: MutexGuard<'static, ()>,
    address: SocketAddr,
}

impl Metrics {
    async fn serve() -> Self {
        Self::serve_by(PrometheusBuilder::new()).await
    }

    /// Removes what was not updated for so long.
    async fn serve_forgetting_after(idle: Duration) -> Self {
        Self::serve_by(PrometheusBuilder::new().idle_timeout(MetricKindMask::ALL, Some(idle))).await
    }

    async fn serve_by(builder: PrometheusBuilder) -> Self {
        static TURN: Mutex<()> = Mutex::const_new(());
        let turn = TURN.lock().await;
        let recorder = Arc::new(builder.build_recorder());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let handle = recorder.handle();
        let answer = move || std::future::ready(render(&recorder, &handle));
        let router = Router::new().route("/metrics", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { _turn: turn, address }
    }

    /// Scrapes over HTTP.
    async fn scrape(&self) -> Scrape {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.0 200"), "{head}");
        Scrape::parse(text)
    }
}

fn render(recorder: &PrometheusRecorder, handle: &PrometheusHandle) -> String {
    metrics::with_local_recorder(recorder, || scrape(|| handle.render()))
}

/// The labels of a series, by name.
type Labels = BTreeMap<String, String>;

/// What Prometheus has read.
#[derive(Debug)]
struct Scrape {
    series: BTreeMap<(String, Labels), f64>,
    /// The type of each metric, by its name.
    types: BTreeMap<String, String>,
    described: Vec<String>,
}

impl Scrape {
    /// Reads the text format, strictly.
    fn parse(text: &str) -> Self {
        let mut scrape =
            Self { series: BTreeMap::new(), types: BTreeMap::new(), described: Vec::new() };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(typed) = line.strip_prefix("# TYPE ") {
                let (name, kind) = typed.split_once(' ').unwrap();
                let before = scrape.types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} has two types");
            } else if let Some(described) = line.strip_prefix("# HELP ") {
                scrape.described.push(described.split_once(' ').unwrap().0.to_owned());
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
                let labels = labels.strip_suffix('}').unwrap();
                let before = scrape
                    .series
                    .insert((name.to_owned(), parse_labels(labels)), value.parse().unwrap());
                assert_eq!(before, None, "{series} is there twice");
            }
        }
        scrape
    }

    /// Returns the value of one series.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name} {labels:?} in {self:#?}"))
    }

    fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.series.get(&(name.to_owned(), labels.collect())).copied()
    }

    /// Returns the states of a breaker that are not 0, with their values.
    fn states(&self, breaker: &str) -> Vec<(String, f64)> {
        let all = self.series.iter().filter(|((name, labels), _)| {
            name == "resilient_breaker_state" && labels["breaker"] == breaker
        });
        let all: Vec<_> =
            all.map(|((_, labels), value)| (labels["state"].clone(), *value)).collect();
        assert!(all.is_empty() || all.len() == 6, "{breaker} has {all:?}");
        all.into_iter().filter(|(_, value)| *value != 0.0).collect()
    }
}

/// `name="value",name="value"`, without escapes.
fn parse_labels(text: &str) -> Labels {
    let labels = text.split(',').filter(|label| !label.is_empty()).map(|label| {
        let (name, value) = label.split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('"').to_owned())
    });
    labels.collect()
}
