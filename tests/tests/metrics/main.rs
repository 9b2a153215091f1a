//! Metrics, as Prometheus reads them over HTTP.

#![expect(clippy::float_cmp, reason = "whole numbers are exact")]

mod churn;
mod durations;
mod operating;
mod outage;
mod prometheus;
mod qdrant;
mod registered;
mod scraped;
mod templates;
mod text;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;
use resilient_runtime::metrics::scrape;
use resilient_runtime::{policies, resilient};
use resilient_tests::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, MutexGuard};

use self::text::Scrape;

policies! {
    breaker "search" { failure_threshold: 3, success_threshold: 2, open_duration: "100ms" }
    breaker "held" { failure_threshold: 3 }
    breaker "two of a name" { failure_threshold: 3 }
    breaker "observed slowly" { failure_threshold: 3 }
    breaker "never called" { failure_threshold: 3 }
    breaker "tenant/{tenant}" { failure_threshold: 1, max_keys: 2 }
    breaker "collection/{collection}" { failure_threshold: 1, max_keys: 2 }
    budget "outage" { capacity: 500 }
    budget "operated" { capacity: 100 }
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

#[resilient(breaker = "collection/{collection}")]
async fn of_collection(collection: &str, answer: Result<u32, Failure>) -> Result<u32, Failure> {
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
        let router = Router::new().route("/metrics", routing::get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { _turn: turn, address }
    }

    /// Scrapes over HTTP.
    async fn scrape(&self) -> Scrape {
        Scrape::parse(&get(self.address, "/metrics").await.unwrap())
    }
}

/// Returns the body of an answer.
async fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.0 "), "{head}");
    Ok(body.to_owned())
}

fn render(recorder: &PrometheusRecorder, handle: &PrometheusHandle) -> String {
    metrics::with_local_recorder(recorder, || scrape(|| handle.render()))
}
