//! What the page is told, and what an operator does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use resilient_runtime::admin::{self, AdminConfig};
use resilient_runtime::{
    BreakerConfig, BreakerStatus, CircuitBreaker, Policy, breaker, policies, resilient,
};
use resilient_tests::{DOWN, Failure};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::client::{Act, Stream, get, row};
use crate::{Service, TOKEN};

policies! {
    breaker "held" {}
    breaker "quiet" {}
}

#[resilient(breaker(name = "live", failure_threshold = 2, open_duration = "30s"))]
async fn search(result: Result<u32, Failure>) -> Result<u32, Failure> {
    result
}

#[tokio::test]
async fn the_page_is_told_of_an_outage_while_it_happens() {
    let service = Service::with_token().await;
    let mut stream = Stream::open(&service).await;
    let first = stream.next().await.unwrap();
    assert_eq!(first["everything"]["can_act"], true);
    assert_eq!(row(&first, "live").unwrap()["status"], "closed");
    let functions = first["functions"].as_array().unwrap();
    let function = functions.iter().find(|it| it["name"] == "admin::live::search").unwrap();
    assert!(function["file"].as_str().unwrap().ends_with("live.rs"), "{function}");
    assert_eq!((&function["line"], &function["breaker"]), (&25.into(), &"live".into()));
    assert_eq!(function["policy"], "breaker \"live\"");

    search(Ok(7)).await.unwrap();
    for _ in 0..3 {
        search(Err(DOWN)).await.unwrap_err();
    }
    let message = stream.find(|it| row(it, "live").is_some_and(|it| it["status"] == "open")).await;
    assert!(row(&message, "quiet").is_none(), "only what has changed is sent");
    let open = row(&message, "live").unwrap();
    let left = open["left"].as_u64().unwrap();
    assert!((25_000..=30_000).contains(&left), "{left}");
    let cause = "2 failures, the last with `service_unavailable` in admin::live::search";
    assert_eq!(open["change"]["cause"], cause);
    assert_eq!(open["totals"]["rejected"], 1);
    let events = message["events"].as_array().unwrap();
    assert!(events.iter().any(|it| it["kind"] == "transition" && it["breaker"] == "live"));
}

#[tokio::test]
async fn nothing_is_sent_twice_to_a_page_that_comes_back() {
    let service = Service::with_token().await;
    let mut stream = Stream::open(&service).await;
    stream.next().await.unwrap();
    stream.next().await.unwrap();
    let header = format!("Last-Event-ID: {}\r\n", stream.id);
    drop(stream);
    let mut again = Stream::open_with(&service, &header).await.unwrap();
    assert_eq!(again.next().await.unwrap().get("everything"), None);
    // Of another process, or of none.
    for id in ["1234-1", "", "x", "-", "0-99999999999999999999", "ffff"] {
        let header = format!("Last-Event-ID: {id}\r\n");
        let mut other = Stream::open_with(&service, &header).await.unwrap();
        assert!(other.next().await.unwrap().get("everything").is_some(), "{id}");
    }
}

#[tokio::test]
async fn each_action_is_an_event_with_the_name_of_the_operator() {
    let name = format!("ada\r\n{}", "x".repeat(1_000));
    let config = AdminConfig::new().token(TOKEN).unwrap().identify(move |_| Some(name.clone()));
    let service = Service::start(config).await;
    let held = breaker("held").unwrap();
    for (action, status) in [
        ("force_open", BreakerStatus::ForcedOpen),
        ("force_closed", BreakerStatus::ForcedClosed),
        ("disable", BreakerStatus::Disabled),
        ("reset", BreakerStatus::Closed),
        // Also where it changes nothing.
        ("reset", BreakerStatus::Closed),
    ] {
        let answer = Act::on("held", action).send(&service).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.contains(&format!("\"to\":\"{status}\"")), "{answer:?}");
        assert_eq!(held.status(), status);
    }
    let message = Stream::open(&service).await.next().await.unwrap();
    let texts = message["events"].as_array().unwrap().iter().filter_map(|it| it["text"].as_str());
    let texts: Vec<_> = texts.filter(|text| text.contains("circuit breaker held:")).collect();
    assert_eq!(texts.len(), 5, "{texts:?}");
    let by = format!("by hand, by ada{}", "x".repeat(97));
    assert!(texts.iter().all(|text| text.ends_with(&by)), "{texts:?}");
}

#[tokio::test]
async fn an_action_on_a_name_of_none_or_several_breakers_does_nothing() {
    let twin = || CircuitBreaker::new(BreakerConfig::DEFAULT).with_name("twin");
    let register =
        |breaker| Policy::builder("twin").breaker(Arc::new(breaker)).build().unwrap().register();
    let twins = [register(twin()), register(twin())];
    let service = Service::with_token().await;
    assert_eq!(Act::on("twin", "force_open").send(&service).await.status, 409);
    assert_eq!(Act::on("missing", "force_open").send(&service).await.status, 404);
    assert_eq!(breaker("twin").unwrap().status(), BreakerStatus::Closed);
    let message = Stream::open(&service).await.next().await.unwrap();
    let keys = message["breakers"].as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap());
    assert_eq!(keys.filter(|key| key.starts_with("twin")).collect::<Vec<_>>(), ["twin", "twin #2"]);
    drop(twins);
}

#[tokio::test]
async fn the_page_is_found_with_and_without_a_slash_at_the_end() {
    let service = Service::start(AdminConfig::new()).await;
    for path in ["/resilient", "/resilient/", "/resilient?x=1"] {
        let answer = get(&service, path, "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.starts_with("<!doctype html>"));
    }
}

#[tokio::test]
async fn a_graceful_shutdown_does_not_wait_for_the_page() {
    let service = Router::new().merge(admin::router(AdminConfig::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(async { drop(ended.await) });
    let serving = tokio::spawn(async move { serving.await.unwrap() });
    let request = format!("GET /stream HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let reading = tokio::spawn(async move { crate::client::send(address, &request).await });
    sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    end.send(()).unwrap();
    serving.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert!(reading.await.unwrap().body.contains("everything"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_thread_ends_with_the_router() {
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|it| std::fs::read_to_string(it.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim() == "resilient-admin").count()
    };
    // Other tests have such threads too, at most a few.
    let routers: Vec<_> = (0..50).map(|_| admin::router(AdminConfig::new())).collect();
    let until = async |what: fn(usize) -> bool| {
        let began = Instant::now();
        while !what(threads()) {
            assert!(began.elapsed() < Duration::from_secs(10), "{}", threads());
            sleep(Duration::from_millis(20)).await;
        }
    };
    // A thread names itself after it has started.
    until(|threads| threads >= 50).await;
    drop(routers);
    until(|threads| threads < 50).await;
}
