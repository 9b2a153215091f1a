//! `Classify` for the statuses of tonic and the errors of `qdrant-client`.
//!
//! The code of a status is not enough: the client's own timeout arrives as `Cancelled`, a search
//! timeout and a refused connection both as `Internal`. The first of these that says something
//! decides:
//!
//! 1. The variant of a `QdrantError`.
//! 2. The source of the status. If there is one, the transport made the status, and its code means
//!    nothing.
//! 3. The client's message about a connection that it could not make.
//! 4. The HTTP status of a proxy that answered instead of the server.
//! 5. The server's code and message. The message is read from its beginning, since a text of a user
//!    can follow.

#[cfg(feature = "qdrant")]
mod client;
mod messages;
mod peer;
mod pushback;
mod server;
mod transport;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tonic::{Code, Status};

use self::pushback::Pushback;
use crate::ErrorKind;
use crate::error::classification::Classification;
use crate::error::classify::Classify;
use crate::error::hint;
use crate::error::rejection::Rejection;
use crate::error::sources::{is_or_holds, sources};

/// By the cause of the failure, not only by the code. A timeout of the client, for example, is a
/// `timeout_error`, although it arrives as `Cancelled`.
impl Classify for Status {
    fn kind(&self) -> ErrorKind {
        of_status(self).kind
    }

    /// Returns the longer of `retry-after` and `grpc-retry-pushback-ms`, or the hint of the
    /// [`Rejection`] inside.
    ///
    /// `retry-after` is a number of seconds, with or without a fraction, or a date. For a date,
    /// this reads the system's clock. A date in the past is a wait of zero. Any other value is
    /// ignored.
    fn retry_after(&self) -> Option<Duration> {
        if let Some(rejection) = rejection(self) {
            return rejection.retry_after();
        }
        let hint = self.metadata().get("retry-after").and_then(|value| value.to_str().ok());
        let hint = hint.and_then(hint::retry_after);
        match Pushback::of(self) {
            Some(Pushback::After(wait)) => hint.max(Some(wait)),
            Some(Pushback::Never) | None => hint,
        }
    }

    fn maybe_executed(&self) -> bool {
        of_status(self).maybe_executed
    }

    /// Returns `false` if `grpc-retry-pushback-ms` is negative or not a number: with such a value,
    /// a gRPC server asks not to retry.
    fn may_retry(&self) -> bool {
        Pushback::of(self) != Some(Pushback::Never)
    }
}

/// Returns a status of code `Unavailable`, or `DeadlineExceeded` for a timeout, with the rejection
/// as its source. [`CircuitOpenError::find`](crate::CircuitOpenError::find) finds a rejection by a
/// breaker there.
///
/// ```
/// use resilient_runtime::resilient;
/// use tonic::{Request, Response, Status};
///
/// # struct EmbedClient;
/// # impl EmbedClient {
/// #     async fn embed(&mut self, _: Request<String>) -> Result<Response<Vec<f32>>, Status> {
/// #         Ok(Response::new(vec![0.6, 0.8]))
/// #     }
/// # }
/// // A client that `tonic-build` has generated.
/// #[resilient(retry = "auto", breaker = "embed")]
/// async fn embed(client: &mut EmbedClient, text: &str) -> Result<Vec<f32>, Status> {
///     Ok(client.embed(Request::new(text.to_owned())).await?.into_inner())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(embed(&mut EmbedClient, "hello").await?, [0.6, 0.8]);
/// # Ok::<(), Status>(()) }).unwrap();
/// ```
impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let (code, message) = match &rejection {
            Rejection::CircuitOpen(open) => (Code::Unavailable, open.to_string()),
            timeout => (Code::DeadlineExceeded, timeout.to_string()),
        };
        let mut status = Self::new(code, message);
        status.set_source(Arc::new(rejection));
        status
    }
}

fn of_status(status: &Status) -> Classification {
    if let Some(rejection) = rejection(status) {
        return Classification::new(rejection.kind())
            .with_maybe_executed(rejection.maybe_executed());
    }
    if let Some(source) = status.source() {
        return transport::of_source(source);
    }
    transport::of_client_message(status)
        .or_else(|| transport::of_http_status(status))
        .unwrap_or_else(|| server::of_answer(status))
}

fn rejection(status: &Status) -> Option<&Rejection> {
    sources(status.source()?).find_map(is_or_holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BreakerConfig, CircuitBreaker, CircuitOpenError};

    fn rejection() -> Rejection {
        let breaker = CircuitBreaker::named("search", BreakerConfig::DEFAULT);
        breaker.force_open();
        breaker.acquire().unwrap_err().into()
    }

    #[test]
    fn a_rejection_survives_inside_a_status() {
        let status = Status::from(rejection());
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.kind(), ErrorKind::CircuitOpen);
        assert!(!status.maybe_executed());
        assert_eq!(CircuitOpenError::find(&status).unwrap().breaker, "search");
    }

    #[test]
    fn a_boxed_status_is_classified_like_the_status_itself() {
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Status::from(rejection()));
        assert_eq!(boxed.kind(), ErrorKind::CircuitOpen);
    }
}
