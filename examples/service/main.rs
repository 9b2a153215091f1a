//! A service over HTTP with many tenants: tenants have breakers of their own, writes share one, a
//! request has a deadline, errors become statuses, and every number can be changed in a file while
//! the service runs.
//!
//! `cargo run --example service` starts it on an embedded Qdrant, drives it for some seconds through
//! an outage and a change of settings, and ends. With `-- --serve`, it keeps running. `QDRANT_URL`
//! (and `QDRANT_API_KEY`) name another server for that, `ADDRESS` where to listen, and `SETTINGS` the
//! file. The page for operators is at `/resilient`, and Prometheus
//! scrapes `/metrics`. With `RESILIENT_ADMIN_TOKEN`, they can act there.

mod app;
mod client;
mod http;
mod store;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use app::App;
use client::{Caller, told};
use resilient_runtime::{Settings, telemetry};
use resilient_testkit::EmbeddedQdrant;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    if env::args().any(|argument| argument == "--serve") { serve().await } else { drive().await }
}

async fn serve() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (embedded, url) = if let Ok(url) = env::var("QDRANT_URL") {
        (None, url)
    } else {
        let server = EmbeddedQdrant::start().await?;
        let url = server.url();
        (Some(server), url)
    };
    let settings = env::var_os("SETTINGS").map_or_else(|| "resilient.toml".into(), PathBuf::from);
    if !settings.exists() {
        fs::write(&settings, Settings::effective())?;
    }
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let app = App::start(&address, &url, resilient_examples::api_key()?, &settings).await?;
    println!("serving on http://{}", app.address()?);
    println!("health:   http://{}/health", app.address()?);
    println!("admin:    http://{}/resilient", app.address()?);
    println!("metrics:  http://{}/metrics", app.address()?);
    println!("settings: {}, read again whenever it changes", settings.display());
    app.serve(async {
        // If there is no such signal, the service runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
    .await?;
    drop(embedded);
    Ok(())
}

async fn drive() -> Result<(), Box<dyn Error + Send + Sync>> {
    let qdrant = EmbeddedQdrant::start().await?;
    let folder = env::temp_dir().join(format!("resilient-service-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let settings = folder.join("resilient.toml");
    fs::write(&settings, "")?;
    let app = App::start("127.0.0.1:0", &qdrant.url(), None, &settings).await?;
    let caller = Caller::of(app.address()?);
    let (end, ended) = oneshot::channel();
    let serving = tokio::spawn(app.serve(async {
        // Either way, it is time to end.
        let _ = ended.await;
    }));
    let driven = through_an_outage(&qdrant, &caller, &settings).await;
    // The receiver is gone only if the service has ended by itself, and then `serving` says why.
    let _ = end.send(());
    serving.await??;
    fs::remove_dir_all(&folder)?;
    driven
}

async fn through_an_outage(
    qdrant: &EmbeddedQdrant,
    caller: &Caller,
    settings: &Path,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    for tenant in ["acme", "globex"] {
        let created = caller.create(tenant).await?;
        let stored = caller.put(tenant, 1).await?;
        println!("{tenant}: created {}, stored {}", told(&created), told(&stored));
    }
    println!("acme searches: {}", told(&caller.search("acme", None).await?));

    println!("\nQdrant goes down");
    qdrant.kill();
    let half_a_second = Some(Duration::from_millis(500));
    for _ in 0..7 {
        let began = Instant::now();
        let answer = caller.search("acme", half_a_second).await?;
        println!("acme searches: {} after {:?}", told(&answer), rounded(began.elapsed()));
    }
    println!("breakers: {}", breakers(&caller.health().await?));

    println!("\nThe operator lets breakers probe sooner, without a build");
    fs::write(settings, "[breaker.\"tenant/{tenant}\"]\nopen_duration = \"1s\"\n")?;
    let changed = || {
        let acme = resilient_runtime::breaker("tenant/acme");
        acme.is_some_and(|acme| acme.config().open_duration() == Duration::from_secs(1))
    };
    while !changed() {
        sleep(Duration::from_millis(50)).await;
    }
    println!("{}", fs::read_to_string(settings)?.trim_end());
    // The new duration applies to the next opening. A reset ends the current one.
    for breaker in resilient_runtime::breakers() {
        breaker.reset();
    }

    println!("\nStill down, with the new number");
    for _ in 0..6 {
        let answer = caller.search("acme", half_a_second).await?;
        println!("acme searches: {}", told(&answer));
    }

    println!("\nQdrant comes back");
    qdrant.start_again()?;
    let began = Instant::now();
    while !caller.search("acme", None).await?.status().is_success() {
        sleep(Duration::from_millis(100)).await;
    }
    println!("acme searches: 200 after {:?}", rounded(began.elapsed()));
    caller.search("acme", None).await?;
    println!("breakers: {}", breakers(&caller.health().await?));
    println!("\n{}", telemetry::table());
    Ok(())
}

fn rounded(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// The states in the health report.
fn breakers(health: &serde_json::Value) -> String {
    let breakers = health["breakers"].as_array().into_iter().flatten();
    let told = breakers.map(|breaker| format!("{} {}", breaker["name"], breaker["state"]));
    told.collect::<Vec<_>>().join(", ").replace('"', "")
}
