//! What a proxy answers in the server's place.

use resilient_runtime::ErrorKind as Kind;
use resilient_testkit::{Answer, Fault, Method};

use crate::support::{Call, Seen, client_of, seen, server};

const PAGE: &str = "<html><body>it is not possible</body></html>";
const JSON: &str = r#"{"message":"it is not possible"}"#;

/// How often the client sends a call that is answered so. With a body it always takes the answer
/// for an internal error; without one it does not try again where nobody is logged in, something
/// is not allowed or not there.
fn tries(number: u16, body: &str, call: Call) -> u64 {
    match number {
        401 | 403 | 404 if body.is_empty() => 1,
        _ => call.tries(),
    }
}

#[tokio::test]
async fn each_status_has_its_kind_whatever_the_body() {
    for (number, kind, maybe_executed) in [
        (400, Kind::InvalidRequestError, true),
        (401, Kind::AuthenticationError, false),
        (403, Kind::PermissionDenied, false),
        (404, Kind::InvalidRequestError, false),
        (408, Kind::TimeoutError, true),
        (413, Kind::InvalidRequestError, true),
        (429, Kind::RateLimitError, false),
        (500, Kind::InternalError, true),
        (501, Kind::InvalidRequestError, false),
        (502, Kind::ServiceUnavailable, true),
        (503, Kind::ServiceUnavailable, true),
        (504, Kind::TimeoutError, true),
    ] {
        for body in ["", PAGE, JSON] {
            for call in Call::BOTH {
                let requests = tries(number, body, call);
                let expected = if maybe_executed {
                    Seen::executed_perhaps(kind, requests)
                } else {
                    Seen::not_executed(kind, requests)
                };
                let answer = Answer::http(number).body(body);
                let seen = seen(Fault::answer(answer), call).await;
                assert_eq!(seen, expected, "{number} {body} {call:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_rate_limit_keeps_its_hint_whatever_the_body() {
    for (number, kind) in [(429, Kind::RateLimitError), (503, Kind::ServiceUnavailable)] {
        for body in ["", PAGE, JSON] {
            let answer = Answer::http(number).header("retry-after", "7").body(body);
            let seen = seen(Fault::answer(answer), Call::List).await;
            let expected = if kind == Kind::RateLimitError {
                Seen::not_executed(kind, 1).after(7)
            } else {
                Seen::executed_perhaps(kind, 1).after(7)
            };
            assert_eq!(seen, expected, "{number} {body}");
        }
    }
}

#[tokio::test]
async fn a_hint_may_be_a_date() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let answer = Answer::http(429).header("retry-after", date);
    let seen = seen(Fault::answer(answer), Call::List).await;
    assert_eq!(seen, Seen::not_executed(Kind::RateLimitError, 1).after(0));
}

#[tokio::test]
async fn a_body_shorter_than_five_bytes_takes_the_status_with_it() {
    // tonic reads on for the rest of what it takes for a message's head, and forgets the status.
    let seen = seen(Fault::answer(Answer::http(404).body("gone")), Call::List).await;
    assert_eq!(seen, Seen::executed_perhaps(Kind::NetworkError, 1));
}

#[tokio::test]
async fn one_answer_of_a_proxy_is_hidden_by_the_clients_second_try() {
    let server = server().await;
    server.script(Fault::answer(Answer::http(502)).on(Method::UPSERT).times(1));
    Call::Upsert.send(&client_of(&server.url())).await.unwrap();
    assert_eq!(server.requests(Method::UPSERT), 2);
}

#[tokio::test]
async fn a_proxy_that_speaks_grpc_may_have_passed_the_request_on() {
    // Envoy's words for a server that closes the connection under a call.
    let broken = "upstream connect error or disconnect/reset before headers. reset reason: \
                  connection termination";
    for call in Call::BOTH {
        let seen = seen(Fault::status(tonic::Status::unavailable(broken)), call).await;
        assert_eq!(seen, Seen::executed_perhaps(Kind::ServiceUnavailable, call.tries()));
    }
}

#[tokio::test]
async fn a_servers_text_that_quotes_a_proxys_does_not_pass_for_it() {
    let quoted = "peer 7: grpc-status header missing, mapped from HTTP status code 401";
    let seen = seen(Fault::status(tonic::Status::internal(quoted)), Call::List).await;
    assert_eq!(seen, Seen::executed_perhaps(Kind::InternalError, 1));
}
