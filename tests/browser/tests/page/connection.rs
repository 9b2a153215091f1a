//! A lost connection.

use resilient_browser_tests::{Service, with_browser};
use resilient_runtime::{breaker, policies};

use crate::ROW;

policies! {
    breaker "connection" {}
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_a_lost_connection_and_resumes() {
    let service = Service::start().await;
    with_browser(async move |browser| {
        browser.open(&service.url()).await;
        browser.run("window.isTheSamePage = true; search('connection')").await;
        let address = service.stop();
        browser.until("lost", "return document.body.classList.contains('lost') && /^connection lost \\d+ s ago/.test(document.getElementById('connection').textContent)").await;
        breaker("connection").unwrap().force_open();
        let service = Service::start_again(address).await;
        browser.until("live", "return document.getElementById('connection').textContent === 'live'").await;
        browser.until("open", &format!("{ROW} return row('connection').dataset.status === 'forced_open'")).await;
        assert_eq!(browser.run("return window.isTheSamePage && document.getElementById('search').value").await, "connection");
        drop(service);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_stays_live_when_its_stream_is_opened_again() {
    let service = Service::start().await;
    with_browser(async move |browser| {
        let count = "window.opened = 0; window.wasLost = false; window.full = 0;
            const Source = EventSource;
            window.EventSource = class extends Source {
                constructor(url) {
                    super(url);
                    this.addEventListener('open', () => window.opened++);
                    this.addEventListener('message', (it) => { window.full += it.data.includes('\"everything\"'); });
                }
            };
            setInterval(() => { window.wasLost ||= document.body?.classList.contains('lost') ?? false; }, 100);";
        browser.before_each_page(count).await;
        browser.open(&service.url()).await;
        browser.until("opened again", "return window.opened >= 2").await;
        browser.until("still live", "return document.getElementById('connection').textContent === 'live'").await;
        assert_eq!(browser.run("return window.wasLost").await, false);
        // Nothing is sent twice.
        assert_eq!(browser.run("return window.full").await, 1);
    })
    .await;
}
