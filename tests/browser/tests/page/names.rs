//! No text of the service is HTML.

use std::sync::Arc;

use resilient_browser_tests::{Service, with_browser};
use resilient_runtime::{BreakerConfig, CircuitBreaker, Policy, RetryPolicy};
use serde_json::json;

use crate::ROW;

const EVIL: &str = "<img src=x onerror=\"window.isHacked = true\"><script>window.isHacked = true</script>\
    </script></template>\u{202e}&amp;{{nonce}}";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_looks_like_html_is_text() {
    let evil = CircuitBreaker::new(BreakerConfig::DEFAULT).with_name(EVIL);
    let policy = Policy::builder(EVIL).retry(RetryPolicy::DEFAULT).breaker(Arc::new(evil)).build();
    let policy = policy.unwrap().register();
    let service = Service::start().await;
    with_browser(async move |browser| {
        browser.open(&service.url()).await;
        resilient_runtime::breaker(EVIL).unwrap().force_open();
        let script = format!("{ROW} return row(arguments[0])?.dataset.status ?? 'none'");
        while browser.run_with(&script, vec![json!(EVIL)]).await != "forced_open" {}
        let script = format!("{ROW} row(arguments[0]).querySelector('.act').click()");
        browser.run_with(&script, vec![json!(EVIL)]).await;
        let title = browser.run("return document.getElementById('dialog-title').textContent").await;
        assert_eq!(title, EVIL);
        let events = "return [...document.querySelectorAll('.event .text')].map((it) => it.textContent).join()";
        let events = browser.run(events).await;
        assert!(events.as_str().unwrap().contains(EVIL), "{events}");
        let functions = "return [...document.querySelectorAll('.function .name')].map((it) => it.textContent)";
        let functions = browser.run(functions).await;
        assert!(functions.as_array().unwrap().contains(&json!(EVIL)), "{functions}");
        browser.run_with("search(arguments[0])", vec![json!(EVIL)]).await;
        assert_eq!(browser.run("return document.querySelectorAll('img, main script').length").await, 0);
        assert_eq!(browser.run("return window.isHacked ?? false").await, false);
        // Even a script of the page could not turn text into HTML.
        let tries = "try { document.body.innerHTML = '<b>'; return 'written' } catch (error) { return error.name }";
        assert_eq!(browser.run(tries).await, "TypeError");
        drop(policy);
    })
    .await;
}
