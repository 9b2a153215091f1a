//! A caller of the service.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::http::TIMEOUT;

pub struct Caller {
    http: reqwest::Client,
    url: String,
}

impl Caller {
    pub fn of(address: std::net::SocketAddr) -> Self {
        Self { http: reqwest::Client::new(), url: format!("http://{address}") }
    }

    pub async fn create(&self, tenant: &str) -> Result<Response, reqwest::Error> {
        self.http.put(format!("{}/tenants/{tenant}?dimensions=2", self.url)).send().await
    }

    pub async fn put(&self, tenant: &str, id: u64) -> Result<Response, reqwest::Error> {
        let article = json!({ "vector": [0.6, 0.8], "author": "Ada" });
        let url = format!("{}/tenants/{tenant}/articles/{id}", self.url);
        self.http.put(url).json(&article).send().await
    }

    pub async fn search(
        &self,
        tenant: &str,
        timeout: Option<Duration>,
    ) -> Result<Response, reqwest::Error> {
        let url = format!("{}/tenants/{tenant}/search", self.url);
        let mut request = self.http.post(url).json(&json!({ "vector": [0.6, 0.8] }));
        if let Some(timeout) = timeout {
            request = request.header(TIMEOUT, timeout.as_millis().to_string());
        }
        request.send().await
    }

    pub async fn health(&self) -> Result<Value, reqwest::Error> {
        self.http.get(format!("{}/health", self.url)).send().await?.json().await
    }
}

/// The seconds of `Retry-After`.
pub fn retry_after(response: &Response) -> Option<u64> {
    response.headers().get("retry-after")?.to_str().ok()?.parse().ok()
}

/// The answer in a few words: `200`, or `503, again in 10 s`.
pub fn told(response: &Response) -> String {
    let status = response.status();
    match retry_after(response) {
        Some(seconds) if status != StatusCode::OK => {
            format!("{}, again in {seconds} s", status.as_u16())
        }
        _ => status.as_u16().to_string(),
    }
}
