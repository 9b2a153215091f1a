//! The example `service`, over real HTTP: an operator changes any of its numbers without a build.

#[path = "../service/app.rs"]
mod app;
#[path = "../service/client.rs"]
mod client;
#[path = "../service/http.rs"]
mod http;
#[path = "../service/store.rs"]
mod store;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use app::App;
use client::{Caller, retry_after, told};
use reqwest::Response;
use resilient_runtime::{AnnotatedFunction, Settings, breakers, catalog};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};
use tokio::time::{Instant, sleep};

/// A running service, its Qdrant and its file of settings.
struct Service {
    qdrant: EmbeddedQdrant,
    caller: Caller,
    settings: PathBuf,
}

impl Service {
    async fn start() -> Self {
        let qdrant = EmbeddedQdrant::start().await.unwrap();
        let folder = std::env::temp_dir().join(format!("resilient-test-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let settings = folder.join("resilient.toml");
        fs::write(&settings, "").unwrap();
        let app = App::start("127.0.0.1:0", &qdrant.url(), None, &settings).await.unwrap();
        let caller = Caller::of(app.address().unwrap());
        tokio::spawn(app.serve(std::future::pending()));
        Self { qdrant, caller, settings }
    }

    /// Writes the file, and waits until this number is in effect. Nothing before must have set it.
    async fn set(&self, text: &str, in_effect: &str) {
        fs::write(&self.settings, text).unwrap();
        let began = Instant::now();
        while !Settings::effective().contains(in_effect) {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", Settings::effective());
            sleep(Duration::from_millis(20)).await;
        }
        for breaker in breakers() {
            breaker.reset();
        }
    }

    async fn search(&self) -> Response {
        self.caller.search("acme", None).await.unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.settings.parent().unwrap());
    }
}

/// Another value that is valid too.
fn another(value: &str) -> String {
    if let Some(text) = value.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return match text {
            "exponential" => "\"linear\"".to_owned(),
            "linear" => "\"exponential\"".to_owned(),
            time => match time.strip_suffix("ms").and_then(|time| time.parse::<u32>().ok()) {
                Some(millis) => format!("\"{}ms\"", millis + 1),
                None => format!("\"{time}1ms\""),
            },
        };
    }
    match value.parse::<u32>() {
        Ok(number) => (number + 1).to_string(),
        Err(_) => format!("{:?}", value.parse::<f64>().unwrap() + 0.25),
    }
}

/// Every number of the program in lines of TOML, defaults included, each changed by `change`.
fn every_number(change: impl Fn(&str) -> String) -> String {
    let effective = Settings::effective();
    let lines = effective.lines().map(|line| {
        let Some((key, value)) = line.trim_start_matches("# ").split_once(" = ") else {
            return line.to_owned();
        };
        let value = value.split("  #").next().unwrap();
        format!("{key} = {}", change(value))
    });
    lines.collect::<Vec<_>>().join("\n")
}

// One test: settings and breakers are those of the process.
#[tokio::test]
async fn an_operator_changes_any_number_without_a_build() {
    assert_eq!(catalog().functions().len(), 15);
    let service = Service::start().await;
    assert_eq!(told(&service.caller.create("acme").await.unwrap()), "201");
    assert_eq!(told(&service.caller.put("acme", 1).await.unwrap()), "204");
    assert_eq!(told(&service.search().await), "200");

    every_number_at_once(&service).await;
    a_threshold(&service).await;
    the_attempts_of_a_kind(&service).await;
    the_limits_of_a_function(&service).await;
    the_deadline_of_a_request(&service).await;
    let health = service.caller.health().await.unwrap();
    assert_eq!(health["breakers"][0]["name"], "tenant/acme");
}

async fn every_number_at_once(service: &Service) {
    let before = every_number(str::to_owned);
    let changed = every_number(another);
    let numbers = |text: &str| text.lines().filter(|line| line.contains(" = ")).count();
    assert!(numbers(&before) > 15 * 2 + 50, "{before}");
    service.set(&changed, "capacity = 501").await;
    let after = every_number(str::to_owned);
    for ((was, is), expected) in before.lines().zip(after.lines()).zip(changed.lines()) {
        assert_eq!(is, expected, "it was {was}");
        assert!(was != is || !was.contains(" = "), "{was} has not changed");
    }
    assert_eq!(told(&service.search().await), "200");
}

async fn a_threshold(service: &Service) {
    let text = "[breaker.\"tenant/{tenant}\"]\nfailure_threshold = 2\nopen_duration = \"77s\"\n\
                open_jitter = 0.0\n[retry.default]\nmax_attempts = 1\n";
    service.set(text, "open_duration = \"1m17s\"").await;
    let fault = service.qdrant.script(Fault::search_timeout().on(Method::QUERY));
    let mut told_of = Vec::new();
    for _ in 0..3 {
        told_of.push(told(&service.search().await));
    }
    assert_eq!(told_of, ["504", "504", "503, again in 77 s"]);
    fault.remove();
}

async fn the_attempts_of_a_kind(service: &Service) {
    let text = "[retry.service_unavailable]\nmax_attempts = 2\nbase_delay = \"1ms\"\n";
    service.set(text, "base_delay = \"1ms\"").await;
    let fault = service.qdrant.script(Fault::unavailable().on(Method::QUERY));
    service.qdrant.reset_counts();
    assert_eq!(told(&service.search().await), "503");
    // The client sends each attempt twice.
    assert_eq!(service.qdrant.requests(Method::QUERY), 2 * 2);
    fault.remove();
}

async fn the_limits_of_a_function(service: &Service) {
    let path = catalog()
        .functions()
        .iter()
        .map(AnnotatedFunction::name)
        .find(|it| it.ends_with("nearest"));
    let path = path.unwrap();
    let text = format!("[function.\"{path}\"]\nattempt_timeout = \"150ms\"\ndeadline = \"200ms\"");
    service.set(&text, "attempt_timeout = \"150ms\"").await;
    let fault = service.qdrant.script(Fault::hang().on(Method::QUERY));
    service.qdrant.reset_counts();
    assert_eq!(told(&service.search().await), "504");
    assert_eq!(service.qdrant.requests(Method::QUERY), 1, "no time is left for a retry");
    fault.remove();
}

async fn the_deadline_of_a_request(service: &Service) {
    service.set("[budget.qdrant]\ncapacity = 777", "capacity = 777").await;
    let fault = service.qdrant.script(Fault::hang().on(Method::QUERY));
    service.qdrant.reset_counts();
    assert_eq!(told(&service.search().await), "504");
    // The client sends each attempt twice.
    assert_eq!(service.qdrant.requests(Method::QUERY), 2 * 2, "there is time for a retry");
    service.qdrant.reset_counts();
    let answer = service.caller.search("acme", Some(Duration::from_millis(100))).await.unwrap();
    assert_eq!((told(&answer).as_str(), retry_after(&answer)), ("504", None));
    assert_eq!(service.qdrant.requests(Method::QUERY), 1, "none is left");
    fault.remove();
}
