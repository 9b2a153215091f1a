//! Responses that a Qdrant server does not give: a proxy's, or broken ones.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use h2::Reason;
use http_body::{Body as HttpBody, Frame};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tonic::codegen::http::{Response, StatusCode};

/// The delay between the body and the reset. A reset may overtake frames that are still queued. If
/// that happens in spite of the delay, on a very busy machine, the client still sees a reset.
const BEFORE_A_RESET: Duration = Duration::from_millis(20);

/// A response as it goes over the wire: that of a proxy, or a broken one of a server.
///
/// [`Fault::answer`](crate::Fault::answer) sends it instead of the server's response.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use resilient_testkit::{Answer, EmbeddedQdrant, Fault, Method};
///
/// let server = EmbeddedQdrant::start().await?;
/// let proxy = Answer::http(429).header("retry-after", "3").body("<h1>Slow down</h1>");
/// server.script(Fault::answer(proxy).on(Method::LIST_COLLECTIONS));
///
/// let error = server.client().list_collections().await.unwrap_err();
/// assert!(error.to_string().contains("429"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an answer does nothing until a fault sends it"]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    end: End,
}

/// What comes after the body.
#[derive(Clone, Debug)]
enum End {
    /// Nothing: the stream ends with the body.
    Body,
    /// The trailers of a successful call.
    Trailers,
    Reset(Reason),
}

impl Answer {
    /// Creates the response of a peer that does not speak gRPC, such as a proxy, with this HTTP
    /// status and without headers and body.
    ///
    /// # Panics
    ///
    /// If the number is not from 100 to 999.
    pub fn http(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status is from 100 to 999");
        Self { status, headers: HeaderMap::new(), body: Vec::new(), end: End::Body }
    }

    /// Creates the response of a gRPC server to a successful call, without a message.
    pub fn grpc() -> Self {
        let mut this = Self { end: End::Trailers, ..Self::http(200) };
        this.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        this
    }

    /// Sets a header. An earlier value of this header is replaced.
    ///
    /// # Panics
    ///
    /// If HTTP does not allow the name or the value.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header's name");
        let value = HeaderValue::try_from(value).expect("a header's value");
        self.headers.insert(name, value);
        self
    }

    /// Appends these bytes to the body, unchanged.
    pub fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body.extend_from_slice(bytes.as_ref());
        self
    }

    /// Appends a message to the body, with gRPC's prefix of five bytes. An empty message is valid
    /// for every type.
    ///
    /// # Panics
    ///
    /// If the message is longer than 4 GiB.
    pub fn message(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let length = u32::try_from(bytes.len()).expect("a message is at most 4 GiB");
        self.body([0]).body(length.to_be_bytes()).body(bytes)
    }

    /// Ends the stream after the body, as if the trailers of a gRPC response had been lost.
    pub fn without_trailers(mut self) -> Self {
        self.end = End::Body;
        self
    }

    /// Resets the stream after the body instead of ending it.
    pub fn then_reset(mut self, reason: Reason) -> Self {
        self.end = End::Reset(reason);
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::new(AnswerBody::new(self.body, self.end)));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// An error that makes the server's HTTP/2 layer send `RST_STREAM`. The layer looks for the reason in
/// the sources of the error.
#[derive(Debug)]
pub(crate) struct StreamReset(h2::Error);

impl StreamReset {
    pub(crate) fn new(reason: Reason) -> Self {
        Self(reason.into())
    }
}

impl std::fmt::Display for StreamReset {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the stream is reset")
    }
}

impl std::error::Error for StreamReset {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

struct AnswerBody {
    data: Option<Bytes>,
    end: Option<End>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl AnswerBody {
    fn new(data: Vec<u8>, end: End) -> Self {
        let data = (!data.is_empty()).then(|| Bytes::from(data));
        Self { data, end: Some(end), pause: None }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = StreamReset;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(End::Reset(_)) = self.end {
            let pause =
                self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(BEFORE_A_RESET)));
            ready!(pause.as_mut().poll(cx));
        }
        Poll::Ready(match self.end.take() {
            None | Some(End::Body) => None,
            Some(End::Trailers) => {
                let ok = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
                Some(Ok(Frame::trailers(HeaderMap::from_iter([ok]))))
            }
            Some(End::Reset(reason)) => Some(Err(StreamReset::new(reason))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && matches!(self.end, None | Some(End::Body))
    }
}
