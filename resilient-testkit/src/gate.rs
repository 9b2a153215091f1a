//! The entrance for every request: it is counted, the script decides about it, and then it reaches
//! the services or fails.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use http_body::{Body as HttpBody, Frame};
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
// The types that the generated code of tonic services uses.
use tonic::codegen::{BoxFuture, Bytes, Service, StdError, http};

use crate::Method;
use crate::answer::StreamReset;
use crate::fault::{Fault, Outcome, Script, ScriptedFault, Verdict};
use crate::sync::lock;

/// The state that the server shares with the requests in flight.
#[derive(Debug)]
pub(crate) struct Desk {
    script: Arc<Mutex<Script>>,
    counts: Mutex<Counts>,
    in_flight: watch::Sender<usize>,
    /// The number of lives of the server that have begun to end.
    closed: watch::Sender<u64>,
    /// The number of lives of the server that have ended.
    killed: watch::Sender<u64>,
}

/// The time from a start of the server to its stop. Lives are numbered from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life(u64);

#[derive(Debug, Default)]
struct Counts {
    total: u64,
    by_method: BTreeMap<Method, u64>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            script: Arc::default(),
            counts: Mutex::default(),
            in_flight: watch::Sender::new(0),
            closed: watch::Sender::new(0),
            killed: watch::Sender::new(0),
        }
    }

    pub(crate) fn script(&self, fault: Fault) -> ScriptedFault {
        Script::add(&self.script, fault, Instant::now())
    }

    pub(crate) fn requests(&self, method: Method) -> u64 {
        let counts = lock(&self.counts);
        counts.by_method.get(&method).copied().unwrap_or(0)
    }

    pub(crate) fn total_requests(&self) -> u64 {
        lock(&self.counts).total
    }

    pub(crate) fn requests_by_method(&self) -> BTreeMap<Method, u64> {
        lock(&self.counts).by_method.clone()
    }

    pub(crate) fn reset_counts(&self) {
        *lock(&self.counts) = Counts::default();
    }

    /// Returns the life that begins if the server starts now.
    pub(crate) fn next_life(&self) -> Life {
        Life(*self.killed.borrow())
    }

    /// Ends the requests of this life that would otherwise never end.
    pub(crate) fn close(&self, Life(life): Life) {
        self.closed.send_if_modified(|closed| {
            let earlier = *closed <= life;
            *closed = (*closed).max(life + 1);
            earlier
        });
    }

    /// Ends this life and all of its requests.
    pub(crate) fn kill(&self, life: Life) {
        self.close(life);
        self.killed.send_replace(life.0 + 1);
    }

    /// Resolves once [`close`](Self::close) was called for this life.
    pub(crate) async fn closed(&self, Life(life): Life) {
        // This cannot fail: the sender is in `self`.
        let _ = self.closed.subscribe().wait_for(|closed| *closed > life).await;
    }

    async fn killed(&self, Life(life): Life) {
        // See above.
        let _ = self.killed.subscribe().wait_for(|killed| *killed > life).await;
    }

    /// Resolves once no request is being handled.
    pub(crate) async fn idle(&self) {
        // See above.
        let _ = self.in_flight.subscribe().wait_for(|n| *n == 0).await;
    }

    fn count(&self, method: Option<Method>) {
        let mut counts = lock(&self.counts);
        counts.total += 1;
        if let Some(method) = method {
            *counts.by_method.entry(method).or_default() += 1;
        }
    }
}

/// Counts a request as being handled until it is dropped, for example because the caller gives up.
struct InFlight(Arc<Desk>);

impl InFlight {
    fn new(desk: Arc<Desk>) -> Self {
        desk.in_flight.send_modify(|n| *n += 1);
        Self(desk)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|n| *n -= 1);
    }
}

/// The services behind the desk.
#[derive(Clone, Debug)]
pub(crate) struct Gate<S> {
    inner: S,
    desk: Arc<Desk>,
    life: Life,
}

impl<S> Gate<S> {
    pub(crate) fn new(inner: S, desk: Arc<Desk>, life: Life) -> Self {
        Self { inner, desk, life }
    }
}

impl<S> Service<http::Request<Body>> for Gate<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = StdError;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|never| match never {})
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // `poll_ready` has made `self.inner` ready, so this call uses it and leaves a clone.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let desk = Arc::clone(&self.desk);
        let method = Method::from_path(request.uri().path());
        desk.count(method);
        let verdict = lock(&desk.script).decide(method, Instant::now());
        let in_flight = InFlight::new(Arc::clone(&desk));
        let life = self.life;
        Box::pin(async move {
            let _in_flight = in_flight;
            tokio::select! {
                // A killed server must not execute a request that becomes ready at the same time.
                biased;
                () = desk.killed(life) => Err(stopped()),
                response = handle(inner, request, verdict, &desk, life) => response,
            }
        })
    }
}

async fn handle<S>(
    inner: S,
    request: http::Request<Body>,
    verdict: Verdict,
    desk: &Arc<Desk>,
    life: Life,
) -> Result<http::Response<Body>, StdError>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
{
    if !verdict.delay.is_zero() {
        tokio::time::sleep(verdict.delay).await;
    }
    let Some(outcome) = verdict.outcome else {
        return execute(inner, request).await;
    };
    match outcome {
        Outcome::Status(status) => {
            drain(request.into_body()).await;
            Ok(status.into_http())
        }
        Outcome::StatusAfterExecution(status) => {
            drain(execute(inner, request).await?.into_body()).await;
            Ok(status.into_http())
        }
        Outcome::Hang => {
            drain(request.into_body()).await;
            desk.closed(life).await;
            Err(stopped())
        }
        Outcome::StallBody => {
            drain(execute(inner, request).await?.into_body()).await;
            Ok(stalled(Arc::clone(desk), life))
        }
        Outcome::Answer(answer) => {
            drain(request.into_body()).await;
            Ok(answer.into_response())
        }
        Outcome::ResetStream(reason) => {
            drain(request.into_body()).await;
            Err(StreamReset::new(reason).into())
        }
    }
}

fn stopped() -> StdError {
    io::Error::other("the server stops").into()
}

async fn execute<S>(
    mut inner: S,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, StdError>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
{
    inner.call(request).await.map_err(|never| match never {})
}

/// Reads a body to its end. If a response overtakes the request, the client sees a stream error
/// instead of the fault.
async fn drain(body: Body) {
    let mut body = pin!(body);
    while let Some(Ok(_)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {}
}

/// Returns a response whose body never arrives.
fn stalled(desk: Arc<Desk>, life: Life) -> http::Response<Body> {
    let mut response = http::Response::new(Body::new(StalledBody(Box::pin(async move {
        desk.closed(life).await;
    }))));
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/grpc"));
    response
}

struct StalledBody(Pin<Box<dyn Future<Output = ()> + Send>>);

impl HttpBody for StalledBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.as_mut().poll(cx).map(|()| Some(Err(Status::unavailable("the server stops"))))
    }
}
