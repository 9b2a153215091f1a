//! What an attacker may try.

use std::time::{Duration, Instant};

use resilient_runtime::admin::AdminConfig;
use resilient_runtime::{
    BreakerConfig, BreakerStatus, CircuitBreaker, Policy, RetryPolicy, breaker, policies,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Act, Stream, get, row, send};
use crate::{Service, TOKEN};

policies! {
    breaker "attacked" {}
}

fn status() -> BreakerStatus {
    breaker("attacked").unwrap().status()
}

/// Injection: a name cannot end a message, begin another one, or be anything but text.
#[tokio::test]
async fn a_name_cannot_break_out_of_its_message() {
    let evil =
        "</script><img src=x onerror=alert(1)>\n\ndata: {\"evil\":1}\r\n\r\nevent: x\u{0}\"}]";
    let breaker = CircuitBreaker::new(BreakerConfig::DEFAULT).with_name(evil);
    breaker.force_open();
    let policy = Policy::builder(evil)
        .retry(RetryPolicy::DEFAULT)
        .breaker(std::sync::Arc::new(breaker))
        .build();
    let policy = policy.unwrap().register();
    let service = Service::with_token().await;
    let mut stream = Stream::open(&service).await;
    let message = stream.next().await.unwrap();
    assert_eq!(row(&message, evil).unwrap()["status"], "forced_open");
    // The next message is one of ours.
    assert!(stream.next().await.unwrap()["at"].is_u64());
    // The page itself has no text of the service.
    assert!(!get(&service, "/resilient", "").await.body.contains("onerror"));
    let answer = Act::on(evil, "reset").send(&service).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(policy);
}

/// Cross-site requests: neither a form nor a script of another site acts, even with the token.
#[tokio::test]
async fn another_site_cannot_act() {
    let service = Service::with_token().await;
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: \r\n",
        "Origin: http://127.0.0.1\r\n",
        "Origin: http://127.0.0.1:1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        let act = Act { headers, ..Act::on("attacked", "force_open") };
        assert_eq!(act.send(&service).await.status, 403, "{headers}");
    }
    let same = format!("Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n", service.address);
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let act = Act { headers: &same, content_type, ..Act::on("attacked", "force_open") };
        assert_eq!(act.send(&service).await.status, 415, "{content_type}");
    }
    // A browser asks before it sends a header of another site's script. It gets no permission.
    let preflight = format!(
        "OPTIONS /resilient/act HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: authorization\r\n\r\n",
        service.address
    );
    let answer = send(service.address, &preflight).await;
    assert!(!answer.headers.contains("access-control"), "{answer:?}");
    assert_eq!(
        get(&service, "/resilient/act?action=force_open&breaker=attacked", "").await.status,
        405
    );
    assert_eq!(status(), BreakerStatus::Closed);
    let act = Act { headers: &same, ..Act::on("attacked", "reset") };
    assert_eq!(act.send(&service).await.status, 200);
}

/// Another site can neither read the stream, nor use up its places.
#[tokio::test]
async fn another_site_cannot_open_a_stream() {
    let service = Service::start(AdminConfig::new()).await;
    for headers in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        assert_eq!(Stream::open_with(&service, headers).await.err(), Some(403));
    }
}

/// Behind a proxy that replaces `Host`.
#[tokio::test]
async fn only_an_allowed_origin_acts_where_there_are_some() {
    let config = AdminConfig::new().token(TOKEN).unwrap();
    let service = Service::start(config.allowed_origin("https://ops.example.com").unwrap()).await;
    let own = format!("Origin: http://{}\r\n", service.address);
    for (headers, expected) in [("Origin: https://ops.example.com\r\n", 200), (&*own, 403)] {
        let act = Act { headers, ..Act::on("attacked", "reset") };
        assert_eq!(act.send(&service).await.status, expected, "{headers}");
    }
}

/// Guessing: a wrong token does nothing, and is answered late.
#[tokio::test]
async fn a_wrong_token_does_nothing() {
    let service = Service::with_token().await;
    let began = Instant::now();
    let long = TOKEN.repeat(100);
    for token in [
        None,
        Some(""),
        Some("correct"),
        Some(&TOKEN[..TOKEN.len() - 1]),
        Some("Correct-horse-battery-staple"),
        Some("correct-horse-battery-staplf"),
        Some(&*long),
    ] {
        let act = Act { authorization: token, ..Act::on("attacked", "force_open") };
        let answer = act.send(&service).await;
        assert_eq!(answer.status, 401, "{token:?}");
        assert!(!answer.body.contains(TOKEN));
    }
    assert!(began.elapsed() > Duration::from_secs(7));
    for headers in
        [format!("Authorization: Basic {TOKEN}\r\n"), format!("Cookie: token={TOKEN}\r\n")]
    {
        let act =
            Act { authorization: None, headers: &headers, ..Act::on("attacked", "force_open") };
        assert_eq!(act.send(&service).await.status, 401, "{headers}");
    }
    assert_eq!(status(), BreakerStatus::Closed);
    let message = Stream::open(&service).await.next().await.unwrap();
    let events = message["events"].as_array().unwrap();
    let guesses = events.iter().filter(|it| it["kind"] == "wrong_token");
    assert_eq!(guesses.map(|it| it["count"].as_u64().unwrap()).sum::<u64>(), 9, "operators see it");
}

/// Guessing by many at once: most are answered immediately, and the operator is not locked out.
#[tokio::test]
async fn many_who_guess_do_not_lock_out_the_operator() {
    let service = Service::with_token().await;
    let guess = async |guess: u32| {
        let token = format!("guess-number-{guess:05}");
        let act = Act { authorization: Some(&token), ..Act::on("attacked", "force_open") };
        act.send(&service).await.status
    };
    let operator = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let began = Instant::now();
        let status = Act::on("attacked", "reset").send(&service).await.status;
        (status, began.elapsed())
    };
    let guesses = futures_util::future::join_all((0..150).map(guess));
    let (guesses, (operator, waited)) = tokio::join!(guesses, operator);
    let counted = |status| guesses.iter().filter(|it| **it == status).count();
    assert!(counted(429) > 50, "{guesses:?}");
    assert_eq!(counted(401) + counted(429), 150);
    assert_eq!(operator, 200);
    assert!(waited < Duration::from_millis(700), "{waited:?}");
    assert_eq!(status(), BreakerStatus::Closed);
}

/// Without a token, there is no route that acts.
#[tokio::test]
async fn a_page_without_a_token_cannot_act() {
    let service = Service::start(AdminConfig::new()).await;
    for token in [None, Some(""), Some(TOKEN)] {
        let act = Act { authorization: token, ..Act::on("attacked", "force_open") };
        assert_eq!(act.send(&service).await.status, 404);
    }
    let message = Stream::open(&service).await.next().await.unwrap();
    assert_eq!(message["everything"]["can_act"], false);
    assert_eq!(status(), BreakerStatus::Closed);
}

/// Bodies that are too long, endless, slow, deep or wrong.
#[tokio::test]
async fn a_body_is_bounded() {
    let service = Service::with_token().await;
    let with = async |body: String| {
        Act { body, ..Act::on("attacked", "force_open") }.send(&service).await.status
    };
    assert_eq!(with("x".repeat(1_000_000)).await, 413);
    assert_eq!(
        with(format!(r#"{{"action":"reset","breaker":"{}"}}"#, "x".repeat(16_384))).await,
        413
    );
    assert_eq!(with("[".repeat(16_000)).await, 400);
    for body in [
        "",
        "{}",
        "null",
        "[]",
        r#"{"action":"explode","breaker":"attacked"}"#,
        r#"{"action":"force_open","breaker":["attacked"]}"#,
        r#"{"action":"force_open","breaker":"attacked","by":"root"}"#,
        r#"{"action":"force_open","action":"reset","breaker":"attacked"}"#,
    ] {
        assert_eq!(with(body.to_owned()).await, 400, "{body}");
    }
    let head = format!(
        "POST /resilient/act HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n",
        service.address
    );
    // Without an end.
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4_096));
    let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(100));
    assert_eq!(send(service.address, &endless).await.status, 413);
    // One that does not arrive.
    let began = Instant::now();
    assert_eq!(
        send(service.address, &format!("{head}Content-Length: 10\r\n\r\n{{")).await.status,
        408
    );
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(status(), BreakerStatus::Closed);
}

/// A body without the token is not read.
#[tokio::test]
async fn without_the_token_no_body_is_read() {
    let service = Service::with_token().await;
    let mut connection = TcpStream::connect(service.address).await.unwrap();
    let head = format!(
        "POST /resilient/act HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000000000\r\n\r\n",
        service.address
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let read = connection.read_exact(&mut answer);
    timeout(Duration::from_secs(5), read).await.expect("an answer before the body").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
}

/// Frames, sniffed types, caches, scripts of others: each response forbids them.
#[tokio::test]
async fn every_response_has_the_headers_that_protect_it() {
    let service = Service::with_token().await;
    let refused = get(&service, "/resilient/stream", "Origin: https://evil.example\r\n").await;
    let acted = Act::on("attacked", "reset").send(&service).await;
    let page = get(&service, "/resilient", "").await;
    let missing = get(&service, "/resilient/missing", "").await;
    assert_eq!((refused.status, acted.status, page.status, missing.status), (403, 200, 200, 404));
    for answer in [&refused, &acted, &page, &missing] {
        for header in [
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "x-frame-options: deny",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(answer.headers.contains(header), "{header} is missing: {answer:?}");
        }
    }
    for part in [
        "default-src 'none'",
        "script-src 'nonce-",
        "style-src 'nonce-",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(page.headers.contains(part), "{part} is missing: {page:?}");
    }
    assert!(!page.headers.contains("unsafe"));
    // The nonce is another one each time, and that of the page.
    let nonce = |answer: &crate::client::Answer| {
        let rest = answer.headers.split_once("script-src 'nonce-").unwrap().1;
        rest.split_once('\'').unwrap().0.to_owned()
    };
    let again = get(&service, "/resilient", "").await;
    assert_ne!(nonce(&page), nonce(&again));
    assert_eq!(page.body.matches(&format!("nonce=\"{}\"", nonce(&page))).count(), 2);
    assert!(!page.body.contains(TOKEN));
}
