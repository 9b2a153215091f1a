//! Chromium, driven by `ChromeDriver`.

use std::future::Future;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use url::{ParseError, Url};

const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(20);

/// One window.
#[derive(Clone)]
pub struct Browser(Client);

/// How the page is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Whether the system prefers dark colors.
    pub is_dark: bool,
}

/// Runs a test in a window of its own, and ends the browser, also if the test panics.
///
/// # Panics
///
/// If the test does, and if there is no Chromium.
pub async fn with_browser<F>(test: impl FnOnce(Browser) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    for program in [CHROMIUM, CHROMEDRIVER] {
        let hint = "`apt-get install chromium chromium-driver` installs it";
        assert!(Path::new(program).exists(), "{program} is missing: {hint}");
    }
    let (mut driver, port) = start_driver().await;
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
        "--enable-precise-memory-info",
        "--js-flags=--expose-gc",
    ];
    let options = json!({ "binary": CHROMIUM, "args": arguments });
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .expect("ChromeDriver starts a session");
    let result = tokio::spawn(test(Browser(client.clone()))).await;
    let _ = timeout(Duration::from_secs(10), client.close()).await;
    let _ = driver.kill().await;
    if let Err(error) = result {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Starts `ChromeDriver` at a free port, which it chooses and prints.
async fn start_driver() -> (Child, u16) {
    let mut driver = Command::new(CHROMEDRIVER)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("ChromeDriver starts");
    let output = driver.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(output).lines();
    let port = async {
        while let Some(line) = lines.next_line().await.expect("it is text") {
            let port = line
                .rsplit_once("successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.'));
            if let Some(port) = port {
                return port.parse().expect("a port is a number");
            }
        }
        panic!("ChromeDriver has ended");
    };
    let port = timeout(PATIENCE, port).await.expect("ChromeDriver prints its port");
    // It is read on, so that ChromeDriver can write.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (driver, port)
}

impl Browser {
    /// Loads the page.
    pub async fn open(&self, url: &str) {
        self.0.goto(url).await.expect("the page loads");
        self.until("live", "return document.getElementById('connection').textContent === 'live'")
            .await;
    }

    /// Runs the body of a function in the page, and returns its value.
    pub async fn run(&self, script: &str) -> Value {
        self.0.execute(script, Vec::new()).await.expect(script)
    }

    /// Runs the body of a function with arguments.
    pub async fn run_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.0.execute(script, arguments).await.expect(script)
    }

    /// Waits until the body of a function returns something other than `false`, `null` or nothing.
    pub async fn until(&self, what: &str, script: &str) -> Value {
        let began = Instant::now();
        loop {
            let value = self.run(script).await;
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            if began.elapsed() > PATIENCE {
                let text = self.run("return document.body.innerText").await;
                panic!(
                    "not {what} in time. The page:\n{}\n{:?}",
                    text.as_str().unwrap_or_default(),
                    self.console().await
                );
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let active = self.0.active_element().await.expect("something has the focus");
        active.send_keys(keys).await.expect("it takes keys");
    }

    /// Clicks on what a selector finds first.
    pub async fn click(&self, selector: &str) {
        let found = self.0.find(fantoccini::Locator::Css(selector)).await.expect(selector);
        found.click().await.expect(selector);
    }

    /// Sets the size of the window and its colors.
    pub async fn look(&self, look: Look) {
        let scheme = if look.is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let metrics = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1,
            "mobile": look.width < 600,
        });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Returns a picture of the window, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.0.screenshot().await.expect("there is a window")
    }

    /// Runs a script before those of every page that is loaded from now on.
    pub async fn before_each_page(&self, script: &str) {
        let source = json!({ "source": script });
        self.command("Page.addScriptToEvaluateOnNewDocument", source).await;
    }

    /// Returns what the browser has written to its console, such as violations of the policy.
    pub async fn console(&self) -> Vec<String> {
        let log = self.0.issue_cmd(Log).await.expect("ChromeDriver keeps a log");
        let entries = log.as_array().into_iter().flatten();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Sends a command of the `DevTools` protocol.
    pub async fn command(&self, name: &str, parameters: Value) -> Value {
        let command = DevTools(json!({ "cmd": name, "params": parameters }));
        self.0.issue_cmd(command).await.expect(name)
    }
}

#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
