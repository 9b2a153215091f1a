//! `GET stream`: the state of the program, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::frame::Frame;
use super::hub::Hub;
use super::slots::Slot;
use super::{origin, sampler};

/// How long a stream lasts. The browser then opens another one and names the last message that it has
/// received, so nothing is sent twice. If streams lasted for as long as the page, the graceful shutdown
/// of a service would wait for the page.
pub(super) const LIFETIME: Duration = Duration::from_secs(10);

/// Tells the browser to open another stream after so many milliseconds.
const RETRY: &str = "retry: 300\n\n";

pub(super) async fn stream(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    // Another site cannot read the stream. It could use up the places.
    if !origin::is_own(&parts, &hub.config().allowed_origins) {
        return (StatusCode::FORBIDDEN, "the request comes from another origin").into_response();
    }
    let is_sampled = hub.ensure_sampled(|| sampler::start(&hub));
    // Longer than the stream, since a reader that reads has ended by then.
    let slot = is_sampled.then(|| hub.slots().take(LIFETIME * 2)).flatten();
    let Some(slot) = slot else {
        let retry_after = [(header::RETRY_AFTER, "5")];
        return (StatusCode::SERVICE_UNAVAILABLE, retry_after, "too many streams are open")
            .into_response();
    };
    let id = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let reader = Reader {
        frames: hub.subscribe(),
        last: id.and_then(|id| hub.frame().number_of(id)),
        ends: Instant::now() + LIFETIME,
        is_new: true,
        _slot: slot,
    };
    hub.wake().ask();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        // nginx would collect the events otherwise.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(stream::unfold(reader, Reader::next))).into_response()
}

/// One stream. It holds no message: it takes the newest one when the connection has room for it.
struct Reader {
    frames: watch::Receiver<Frame>,
    /// The number of the last frame that was sent.
    last: Option<u64>,
    ends: Instant,
    is_new: bool,
    _slot: Slot,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.is_new {
            self.is_new = false;
            return Some((Ok(Bytes::from_static(RETRY.as_bytes())), self));
        }
        timeout_at(self.ends, self.frames.changed()).await.ok()?.ok()?;
        let frame = self.frames.borrow_and_update().clone();
        let messages = frame.since(self.last);
        self.last = Some(frame.number());
        let bytes = match &*messages {
            [message] => message.clone(),
            several => several.concat().into(),
        };
        Some((Ok(bytes), self))
    }
}
