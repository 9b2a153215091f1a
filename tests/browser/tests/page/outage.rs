//! An outage, from its beginning to its end by hand.

use resilient_browser_tests::{Browser, Down, Service, TOKEN, with_browser};
use resilient_runtime::{BreakerStatus, breaker, resilient};
use serde_json::json;

use crate::{ROW, Server};

static QDRANT: Server = Server::up();

#[resilient(breaker(name = "outage", failure_threshold = 3, open_duration = "60s"))]
async fn search() -> Result<u32, Down> {
    QDRANT.answer()
}

/// A script about the row of the breaker.
fn row(script: &str) -> String {
    format!("{ROW} const it = row('outage'); {script}")
}

async fn act(browser: &Browser, action: &str, token: Option<&str>) {
    browser.run(&row("it.querySelector('.act').focus()")).await;
    browser.press("\u{e007}").await;
    browser.click(&format!("input[value={action}]")).await;
    if let Some(token) = token {
        browser
            .run_with("document.getElementById('token').value = arguments[0]", vec![json!(token)])
            .await;
    }
    browser.click("#confirm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_turns_open_counts_down_and_is_closed_by_a_button_with_the_right_token() {
    let service = Service::start().await;
    with_browser(async move |browser| {
        browser.open(&service.url()).await;
        browser.run("window.isTheSamePage = true").await;
        assert_eq!(browser.run(&row("return it.dataset.status")).await, "closed");
        search().await.unwrap();

        QDRANT.go_down();
        while search().await.is_err() && breaker("outage").unwrap().status() != BreakerStatus::Open {}
        assert!(search().await.is_err());
        browser.until("open", &row("return it.dataset.status === 'open'")).await;
        let is_first = "return it.parentNode.id === 'attention'";
        assert_eq!(browser.run(&row(is_first)).await, true);
        let reason = browser.run(&row("return it.querySelector('.reason').textContent")).await;
        let reason = reason.as_str().unwrap().to_owned();
        let expected = "closed → open: 3 failures, the last with `network_error` in page::outage::search";
        assert!(reason.contains(expected), "{reason}");
        browser.until("counted", &row("return it.querySelectorAll('dd')[2].textContent === '1'")).await;

        let left = row("return Number(/^probe in (\\d+) s$/.exec(it.querySelector('.left').textContent)[1])");
        let first = browser.run(&left).await.as_u64().unwrap();
        assert!((50..=60).contains(&first), "{first}");
        browser
            .until("counting down", &left.replace("return", &format!("return {} > ", first - 1)))
            .await;
        browser.until("listed", "return document.querySelector('[data-kind=transition] .text').textContent.includes('circuit breaker outage: closed -> open')").await;
        browser.until("counted", "return [...document.querySelectorAll('[data-kind=rejected] .text')].some((it) => it.textContent === 'rejected page::outage::search with circuit_open')").await;

        // The dialog says what it will do, and does nothing before.
        browser.run(&row("it.querySelector('.act').click()")).await;
        let effect = browser.run("return document.getElementById('effect').textContent").await;
        assert!(effect.as_str().unwrap().starts_with("outage is closed now"), "{effect}");
        browser.press("\u{e00c}").await;
        assert_eq!(browser.run("return document.getElementById('dialog').open").await, false);

        act(&browser, "reset", Some("a-token-that-is-wrong")).await;
        browser.until("refused", "return document.getElementById('refusal').textContent === 'The token is wrong.'").await;
        assert_eq!(breaker("outage").unwrap().status(), BreakerStatus::Open);
        browser.until("shown", "return document.querySelector('[data-kind=wrong_token]')").await;
        browser.press("\u{e00c}").await;

        QDRANT.come_back();
        act(&browser, "reset", Some(TOKEN)).await;
        browser.until("closed", &row("return it.dataset.status === 'closed'")).await;
        assert_eq!(breaker("outage").unwrap().status(), BreakerStatus::Closed);
        let reason = browser.run(&row("return it.querySelector('.reason').textContent")).await;
        assert!(reason.as_str().unwrap().contains("by hand, by ada"), "{reason}");
        search().await.unwrap();

        // The token is not asked for again, and is nowhere in the page.
        act(&browser, "force_open", None).await;
        browser.until("held open", &row("return it.dataset.status === 'forced_open'")).await;
        let html = browser.run("return document.documentElement.outerHTML + location.href").await;
        assert!(!html.as_str().unwrap().contains(TOKEN));
        act(&browser, "reset", None).await;
        browser.until("closed", &row("return it.dataset.status === 'closed'")).await;
        assert_eq!(browser.run("return window.isTheSamePage").await, true);
        let log = browser.console().await;
        assert!(log.iter().all(|line| line.contains("401")), "{log:?}");
    })
    .await;
}
