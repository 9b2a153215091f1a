//! HTTP by hand, so that a test can send what no client library would.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Service, TOKEN};

const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub headers: String,
    pub body: String,
}

/// A request that acts.
pub struct Act<'a> {
    pub authorization: Option<&'a str>,
    pub headers: &'a str,
    pub content_type: &'a str,
    pub body: String,
}

impl Act<'_> {
    /// What the page sends.
    pub fn on(breaker: &str, action: &str) -> Self {
        let body = serde_json::json!({ "breaker": breaker, "action": action }).to_string();
        Self { authorization: Some(TOKEN), headers: "", content_type: "application/json", body }
    }

    pub async fn send(self, service: &Service) -> Answer {
        let Self { authorization, headers, content_type, body } = self;
        let authorization = authorization
            .map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let length = body.len();
        let request = format!(
            "POST /resilient/act HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{authorization}{headers}\
             Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}",
            service.address
        );
        send(service.address, &request).await
    }
}

/// Sends a `GET` with these headers.
pub async fn get(service: &Service, path: &str, headers: &str) -> Answer {
    let host = service.address;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    send(host, &request).await
}

/// Sends a request, and reads the answer to its end.
pub async fn send(address: SocketAddr, request: &str) -> Answer {
    let mut connection = TcpStream::connect(address).await.unwrap();
    // The service may answer and close before it has read everything.
    let _ = connection.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    timeout(PATIENCE, connection.read_to_end(&mut answer)).await.expect("an answer").unwrap();
    parse(&answer)
}

fn parse(answer: &[u8]) -> Answer {
    let answer = String::from_utf8_lossy(answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, headers: head.to_lowercase(), body: body.to_owned() }
}

/// An open stream.
pub struct Stream {
    connection: BufReader<TcpStream>,
    /// What was read and not returned yet.
    rest: String,
    /// The id of the last message.
    pub id: String,
}

impl Stream {
    pub async fn open(service: &Service) -> Self {
        Self::open_with(service, "").await.expect("a stream")
    }

    /// `Err` with the status if the service refuses.
    pub async fn open_with(service: &Service, headers: &str) -> Result<Self, u16> {
        let mut connection = TcpStream::connect(service.address).await.unwrap();
        // HTTP/1.0 has no chunks.
        let host = service.address;
        let request = format!("GET /resilient/stream HTTP/1.0\r\nHost: {host}\r\n{headers}\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut stream =
            Self { connection: BufReader::new(connection), rest: String::new(), id: String::new() };
        let head = stream.until("\r\n\r\n").await.expect("a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status == 200 { Ok(stream) } else { Err(status) }
    }

    /// Returns the next message. `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let event = self.until("\n\n").await?;
            let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                id.clone_into(&mut self.id);
                return Some(serde_json::from_str(data).expect(data));
            }
        }
    }

    /// Returns the next message that this holds for.
    pub async fn find(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let message = self.next().await.expect("the stream goes on");
                if is_it(&message) {
                    return message;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("the message comes")
    }

    async fn until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.rest.find(end) {
                let found = self.rest[..at].to_owned();
                self.rest.drain(..at + end.len());
                return Some(found);
            }
            let mut bytes = vec![0; 65_536];
            let read = timeout(PATIENCE, self.connection.read(&mut bytes)).await.ok()?.ok()?;
            if read == 0 {
                return None;
            }
            self.rest.push_str(std::str::from_utf8(&bytes[..read]).expect("names are ASCII here"));
        }
    }
}

/// Returns the row of a breaker in a message.
pub fn row<'m>(message: &'m Value, name: &str) -> Option<&'m Value> {
    message["breakers"].as_array()?.iter().find(|row| row["name"] == name)
}
