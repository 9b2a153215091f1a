//! The page without buttons, by keyboard, on a phone, and for a screen reader.

use resilient_browser_tests::{Browser, Look, Service, with_browser};
use resilient_runtime::{breaker, policies};

policies! {
    breaker "readers-one" {}
    breaker "readers-other-with-a-very-long-name-that-does-not-fit-on-the-screen-of-a-phone/and-goes-on" {}
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_there_are_no_buttons() {
    let service = Service::read_only().await;
    with_browser(async move |browser| {
        browser.open(&service.url()).await;
        let seen = "return [...document.querySelectorAll('.act')].filter((it) => it.checkVisibility()).length";
        assert_eq!(browser.run(seen).await, 0);
        assert_ne!(browser.run("return document.querySelectorAll('.breaker').length").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_done_by_keyboard() {
    let service = Service::start().await;
    with_browser(async move |browser| {
        browser.open(&service.url()).await;
        browser.press("/").await;
        let active = "return document.activeElement.id || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent";
        assert_eq!(browser.run(active).await, "search");
        browser.press("readers-one").await;
        // Tab goes to the four sections, the main part has only what matches.
        for _ in 0..5 {
            browser.press("\u{e004}").await;
        }
        assert_eq!(browser.run(active).await, "Act on readers-one");
        browser.press("\u{e007}").await;
        // The choice has the focus: down chooses the next, and Tab goes on to the token.
        assert_eq!(browser.run("return document.activeElement.value").await, "force_open");
        browser.press("\u{e015}").await;
        assert_eq!(browser.run("return document.getElementById('confirm').textContent").await, "Hold it closed");
        browser.press("\u{e004}").await;
        assert_eq!(browser.run(active).await, "token");
        browser.press(resilient_browser_tests::TOKEN).await;
        browser.press("\u{e007}").await;
        browser.until("held", "return document.querySelector('[data-status=forced_closed] .name')?.textContent === 'readers-one'").await;
        // The focus is where it was, in the row that has moved.
        browser.until("back", "return document.activeElement.getAttribute('aria-label') === 'Act on readers-one'").await;
        breaker("readers-one").unwrap().reset();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fits_on_a_phone_and_everything_has_a_name() {
    let service = Service::start().await;
    with_browser(async move |browser| {
        for (width, is_dark) in [(360, true), (600, false), (1200, true)] {
            browser.look(Look { width, height: 760, is_dark }).await;
            browser.open(&service.url()).await;
            let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.run(overflow).await, 0, "{width}");
            contrast(&browser).await;
        }
        names(&browser).await;
    })
    .await;
}

/// As the browser computes names for screen readers.
async fn names(browser: &Browser) {
    breaker("readers-one").unwrap().force_open();
    browser.until("open", "return document.querySelector('#attention .breaker')").await;
    browser.until("announced", "return document.getElementById('announcement').textContent.includes('readers-one is held open: by hand')").await;
    let tree = browser.command("Accessibility.getFullAXTree", serde_json::json!({})).await;
    let nodes = tree["nodes"].as_array().unwrap();
    let mut checked = 0;
    for node in nodes.iter().filter(|node| node["ignored"] != true) {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        if ["button", "link", "searchbox", "textbox", "meter", "image", "img", "heading", "radio"]
            .contains(&role)
        {
            let name = node["name"]["value"].as_str().unwrap_or_default();
            assert!(!name.trim().is_empty(), "{node}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
    breaker("readers-one").unwrap().reset();
}

/// The contrast of all texts on the page, by the formula of WCAG 2: at least 4.5.
async fn contrast(browser: &Browser) {
    let script = "
        const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((it) => it / 255)
            .map((it) => (it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4))
            .reduce((sum, it, index) => sum + it * [0.2126, 0.7152, 0.0722][index], 0);
        const behind = (node) => {
            for (; node; node = node.parentElement) {
                const color = rgb(getComputedStyle(node).backgroundColor);
                if (color.length === 3 || color[3] > 0) return color;
            }
            return [255, 255, 255];
        };
        const low = [];
        for (const node of document.querySelectorAll('body *')) {
            const hasText = [...node.childNodes].some((it) => it.nodeType === 3 && it.data.trim());
            if (!hasText || !node.checkVisibility()) continue;
            const [one, other] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
            const ratio = (one + 0.05) / (other + 0.05);
            if (ratio < 4.5) low.push(`${node.className || node.tagName} ${ratio.toFixed(2)} ${node.textContent.slice(0, 40)}`);
        }
        return low.join('; ');";
    assert_eq!(browser.run(script).await, "");
}
