//! What an operator finds out with the page alone.

use resilient_browser_tests::{Down, Service, TOKEN, with_browser};
use resilient_runtime::{BreakerState, breaker, resilient};

use crate::Server;

static QDRANT: Server = Server::up();

#[resilient(breaker(name = "operator-reads", failure_threshold = 2, open_duration = "90s"))]
async fn count() -> Result<u32, Down> {
    QDRANT.answer()
}

#[resilient(breaker = "operator-reads", retry = "auto", deadline = "3s")]
async fn scroll() -> Result<u32, Down> {
    Ok(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_finds_which_function_opened_a_breaker_and_why_and_closes_it() {
    QDRANT.go_down();
    while breaker("operator-reads").unwrap().state() == BreakerState::Closed {
        let _ = count().await;
    }
    assert!(scroll().await.is_err());
    QDRANT.come_back();
    let service = Service::start().await;
    // From here on, only what the page shows.
    with_browser(async move |browser| {
        browser.open(&service.url()).await;
        let title = browser.run("return document.title").await;
        assert!(title.as_str().unwrap().starts_with('▲'), "{title}");
        let item = "[...document.querySelectorAll('#attention .breaker')].find((it) => it.textContent.includes('operator-reads'))";
        let text = browser.run(&format!("return {item}.textContent")).await;
        let text = text.as_str().unwrap();
        for expected in [
            "open", "probe in", "2 failures, the last with `network_error` in page::operator::count",
            "used by page::operator::count, page::operator::scroll",
        ] {
            assert!(text.contains(expected), "{expected} is missing: {text}");
        }
        // A click on the function shows where it is.
        browser.run(&format!("[...{item}.querySelectorAll('.link')].find((it) => it.textContent.endsWith('count')).click()")).await;
        let shown = "return [...document.querySelectorAll('.function:not([hidden])')].map((it) => it.textContent).join()";
        let shown = browser.run(shown).await;
        let shown = shown.as_str().unwrap();
        assert!(shown.contains("page::operator::count") && shown.contains("operator.rs:11"), "{shown}");
        assert!(!shown.contains("scroll"), "{shown}");
        browser.run("search('')").await;
        browser.run(&format!("{item}.querySelector('.act').click()")).await;
        browser.press("\u{e004}").await;
        browser.press(TOKEN).await;
        browser.press("\u{e007}").await;
        browser.until("closed", "return !document.querySelector('#attention')?.textContent.includes('operator-reads')").await;
        assert!(count().await.is_ok());
    })
    .await;
}
