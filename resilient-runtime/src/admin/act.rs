//! `POST act`: what an operator does to a breaker.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::hub::Hub;
use super::origin;
use super::token::Token;
use crate::breaker::ManualAction;
use crate::{SharedBreaker, breakers};

/// The most bytes of a body. The name of a breaker is the longest part.
const LONGEST_BODY: usize = 16 * 1024;
/// How long the body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the answer to a wrong token takes.
const GUESS_DELAY: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    action: Action,
    breaker: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    ForceOpen,
    ForceClosed,
    Disable,
    Reset,
}

#[derive(Serialize)]
struct Done<'a> {
    breaker: &'a str,
    from: &'static str,
    to: &'static str,
}

/// Why a request does nothing: a status, and a text for the operator.
type Refusal = (StatusCode, &'static str);

pub(super) async fn act(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    match done(&hub, request).await {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn done(hub: &Hub, request: Request) -> Result<String, Refusal> {
    let (parts, body) = request.into_parts();
    if !origin::is_own(&parts, &hub.config().allowed_origins) {
        return Err((StatusCode::FORBIDDEN, "the request comes from another origin"));
    }
    // Before the body is read: without the token, a request costs next to nothing.
    check_token(hub, &parts).await?;
    let act = read(&parts.headers, body).await?;
    let breaker = only_breaker(&act.breaker)?;
    let from = breaker.status().as_str();
    breaker.act(act.action.into(), Some(&hub.config().identity(&parts)));
    hub.wake().ask();
    let done = Done { breaker: breaker.name(), from, to: breaker.status().as_str() };
    Ok(serde_json::to_string(&done).expect("every key is a string"))
}

/// The right token is never delayed, so guesses cannot lock out the operator. The length of the token
/// keeps it secret. The delay slows down a program that guesses, and the page shows its attempts.
async fn check_token(hub: &Hub, parts: &Parts) -> Result<(), Refusal> {
    let presented = parts.headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    let is_right = |token: &Token| presented.is_some_and(|presented| token.is(presented));
    if hub.config().token.as_ref().is_some_and(is_right) {
        return Ok(());
    }
    let text = "a request to the admin page had a wrong token, or none";
    hub.events().add_frequent("wrong_token", text);
    let Ok(_waiting) = hub.guesses().try_acquire() else {
        return Err((StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens"));
    };
    sleep(GUESS_DELAY).await;
    Err((StatusCode::UNAUTHORIZED, "wrong token"))
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Act, Refusal> {
    let too_long = (StatusCode::PAYLOAD_TOO_LARGE, "the body is too long or broken");
    // A form of another site cannot have this type.
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    if !content_type.trim().eq_ignore_ascii_case("application/json") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json"));
    }
    let reading = body::to_bytes(body, LONGEST_BODY);
    let read: Bytes = timeout(BODY_TIMEOUT, reading)
        .await
        .map_err(|_| (StatusCode::REQUEST_TIMEOUT, "the body does not arrive"))?
        .map_err(|_| too_long)?;
    serde_json::from_slice(&read)
        .map_err(|_| (StatusCode::BAD_REQUEST, "the body needs an `action` and a `breaker`"))
}

fn only_breaker(name: &str) -> Result<SharedBreaker, Refusal> {
    let mut named = breakers().into_iter().filter(|breaker| *breaker.name() == *name);
    let breaker = named.next().ok_or((StatusCode::NOT_FOUND, "there is no such breaker"))?;
    match named.next() {
        None => Ok(breaker),
        Some(_) => Err((StatusCode::CONFLICT, "several breakers have this name")),
    }
}

impl From<Action> for ManualAction {
    fn from(action: Action) -> Self {
        match action {
            Action::ForceOpen => Self::ForceOpen,
            Action::ForceClosed => Self::ForceClosed,
            Action::Disable => Self::Disable,
            Action::Reset => Self::Reset,
        }
    }
}
