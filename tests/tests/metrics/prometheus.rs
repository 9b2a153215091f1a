//! What Prometheus itself makes of a scrape, of the dashboard and of the alerts.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, process};

use resilient_tests::DOWN;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::operating::{dashboard, in_prometheus, operated};
use super::{Metrics, get};

const ALERTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/operating/alerts.yml");

/// A Prometheus that scrapes one address four times a second. It ends with this value.
struct Prometheus {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Prometheus {
    async fn scraping(address: SocketAddr) -> Self {
        let folder = format!("prometheus-{}", process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 250ms, evaluation_interval: 250ms }}\n\
             rule_files: [{ALERTS:?}]\n\
             scrape_configs:\n\
             - job_name: app\n  static_configs: [{{ targets: ['{address}'] }}]\n"
        );
        fs::write(&config, text).unwrap();
        let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stderr(Stdio::null())
            .spawn()
            .expect("Prometheus is installed");
        let started = Self { process, address: free, folder };
        let is_ready = async {
            while !started.get("/-/ready").await.is_some_and(|answer| answer.contains("Ready")) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(30), is_ready).await.expect("it starts");
        started
    }

    async fn get(&self, path: &str) -> Option<String> {
        get(self.address, path).await.ok()
    }

    async fn api(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{path}")).await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// Returns the series of an expression.
    async fn query(&self, expression: &str) -> Vec<Value> {
        let encoded = expression.bytes().map(|byte| format!("%{byte:02x}"));
        let path = format!("query?query={}", encoded.collect::<String>());
        self.api(&path).await["result"].as_array().unwrap().clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
#[ignore = "needs Prometheus: `apt-get install prometheus`"]
async fn prometheus_reads_each_scrape_and_knows_what_every_panel_and_alert_ask_for() {
    let metrics = Metrics::serve().await;
    let prometheus = Prometheus::scraping(metrics.address).await;
    let is_scraped = async {
        while prometheus.query("resilient_calls_total").await.is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(30), is_scraped).await.expect("it scrapes");
    // An outage, until the breaker is open and rejects.
    for round in 0..40 {
        let _ = operated(if round < 20 { Ok(7) } else { Err(DOWN) }).await;
        sleep(Duration::from_millis(150)).await;
    }

    let target = &prometheus.api("targets").await["activeTargets"][0];
    assert_eq!(target["health"], "up", "{target}");
    assert_eq!(target["lastError"], "", "{target}");
    for panel in dashboard()["panels"].as_array().unwrap() {
        let mut series = Vec::new();
        for target in panel["targets"].as_array().unwrap() {
            let expression = in_prometheus(target["expr"].as_str().unwrap(), "5s");
            series.extend(prometheus.query(&expression).await);
        }
        assert!(!series.is_empty(), "nothing in {}", panel["title"]);
    }
    let state = "max by (breaker) (2 * resilient_breaker_state{breaker='operated',state='open'})";
    assert_eq!(prometheus.query(state).await[0]["value"][1], "2");
    let states = "sum by (breaker) (resilient_breaker_state{breaker='operated'})";
    for extreme in ["min", "max"] {
        let always = prometheus.query(&format!("{extreme}_over_time(({states})[5s:250ms])")).await;
        assert_eq!(always[0]["value"][1], "1", "one state in every scrape");
    }

    let groups = prometheus.api("rules").await;
    let rules = groups["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["health"] == "ok"), "{rules:#?}");
    // Each of these has to last before it fires.
    for alert in ["CircuitBreakerOpen", "CallsGiveUp", "CallsRejected"] {
        let rule = rules.iter().find(|rule| rule["name"] == alert).unwrap();
        assert_eq!(rule["state"], "pending", "{rule:#}");
    }
    resilient_runtime::breaker("operated").unwrap().reset();
}
