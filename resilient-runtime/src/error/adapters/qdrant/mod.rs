//! What a failed call of `qdrant-client` says.
//!
//! A code alone does not tell: the client's own timeout arrives as `Cancelled`, a search timeout
//! and a refused connection both as `Internal`. So it is asked in this order: the variant of the
//! error, then the source of its status (where there is one, the transport made the status up, and
//! its code means nothing), then what the client says before any answer, then what a proxy
//! answered in the server's place, and only then the server's own code and words. Those are read
//! from the beginning of the message: a text of a user can stand behind them.

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
use crate::error::sources::sources;

/// By what happened, and not by the code alone: a timeout of the client is a `timeout_error` though
/// it arrives as `Cancelled`, and so on. `QdrantError` wraps such a status.
impl Classify for Status {
    fn kind(&self) -> ErrorKind {
        of_status(self).kind
    }

    /// The longer of the answer's `retry-after` and `grpc-retry-pushback-ms`, or the hint of the
    /// [`Rejection`] inside. `retry-after` is a number of seconds, with a fraction or without, or a
    /// date, for which this reads the system's clock: a date in the past is a wait of zero. Any
    /// other value is no hint, and a retry waits for its backoff alone.
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

    /// `false` if the answer's `grpc-retry-pushback-ms` is negative or is no number, by which a
    /// gRPC server asks not to retry.
    fn may_retry(&self) -> bool {
        Pushback::of(self) != Some(Pushback::Never)
    }
}

/// Returns a status whose source is the rejection, of code `Unavailable`, or `DeadlineExceeded` for
/// a timeout. [`CircuitOpenError::find`](crate::CircuitOpenError::find) finds the rejection by a
/// breaker again.
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
/// // For a client that `tonic-build` has generated.
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
        return Classification {
            kind: rejection.kind(),
            maybe_executed: rejection.maybe_executed(),
        };
    }
    if let Some(source) = status.source() {
        return transport::of_source(source);
    }
    transport::of_client_message(status)
        .or_else(|| transport::of_http_status(status))
        .unwrap_or_else(|| server::of_answer(status))
}

fn rejection(status: &Status) -> Option<&Rejection> {
    sources(status.source()?).find_map(|error| error.downcast_ref())
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
