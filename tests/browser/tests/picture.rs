//! Writes the pictures of the page into the folder that `RESILIENT_SCREENSHOTS` names, after two minutes
//! of traffic through an outage. Without the variable, it does nothing.

mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use resilient_browser_tests::{Browser, Look, Service, with_browser};
use resilient_runtime::breaker;
use serde_json::json;
use tokio::time::sleep;

use store::Health;

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_drawn() {
    let Some(folder) = std::env::var_os("RESILIENT_SCREENSHOTS").map(PathBuf::from) else {
        println!("skipped: RESILIENT_SCREENSHOTS names no folder");
        return;
    };
    let service = Service::start().await;
    let health = Arc::new(Health::default());
    let traffic = tokio::spawn(store::traffic(Arc::clone(&health)));
    scenario(&health).await;
    with_browser(async move |browser| {
        draw_for_guide(&browser, &service, &folder).await;
        for (name, width, height, is_dark) in
            [("light", 1120, 1000, false), ("dark", 1120, 1000, true), ("phone", 390, 844, true)]
        {
            browser.look(Look { width, height, is_dark }).await;
            browser.open(&service.url()).await;
            // The sparklines are drawn when their rows are seen.
            sleep(Duration::from_millis(700)).await;
            std::fs::write(folder.join(format!("admin-{name}.png")), browser.screenshot().await)
                .unwrap();
        }
        browser.look(Look { width: 1120, height: 700, is_dark: false }).await;
        browser.run("document.querySelector('#attention .act').click()").await;
        sleep(Duration::from_millis(300)).await;
        std::fs::write(folder.join("admin-dialog.png"), browser.screenshot().await).unwrap();
        browser.press("\u{e00c}").await;
        browser.run("search('count'); document.getElementById('events').scrollIntoView()").await;
        sleep(Duration::from_millis(300)).await;
        std::fs::write(folder.join("admin-search.png"), browser.screenshot().await).unwrap();
    })
    .await;
    traffic.abort();
}

/// The picture in the guide, also as a link that has the picture in it.
async fn draw_for_guide(browser: &Browser, service: &Service, folder: &Path) {
    browser.look(Look { width: 1000, height: 620, is_dark: false }).await;
    browser.open(&service.url()).await;
    sleep(Duration::from_millis(700)).await;
    let picture = browser.command("Page.captureScreenshot", json!({ "format": "png" })).await;
    let picture = picture["data"].as_str().unwrap();
    std::fs::write(folder.join("admin.uri"), format!("data:image/png;base64,{picture}")).unwrap();
    std::fs::write(folder.join("admin.png"), browser.screenshot().await).unwrap();
}

/// Healthy, then slow to answer one collection, then down for searches, then back except for them.
async fn scenario(health: &Health) {
    let began = Instant::now();
    let until = |seconds| sleep(Duration::from_secs(seconds).saturating_sub(began.elapsed()));
    until(60).await;
    health.collection.store(true, Ordering::Relaxed);
    until(80).await;
    health.writes.store(true, Ordering::Relaxed);
    until(83).await;
    health.writes.store(false, Ordering::Relaxed);
    until(95).await;
    health.search.store(true, Ordering::Relaxed);
    breaker("payloads").unwrap().disable();
    until(115).await;
}
