//! The time of a request, which all calls share that are made for it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::enclosing;

/// Sets how much time all calls inside `future` have together.
///
/// A service sets it once for each request. Each call that has a policy then has at most the time
/// that is left, in whatever function it is made: by the attribute, [`guard!`](crate::guard),
/// [`Policy`](crate::Policy), [`CircuitBreaker::call`](crate::CircuitBreaker::call) or
/// [`RetryExecutor`](crate::RetryExecutor).
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Classify, ErrorKind, resilient, within};
/// # use resilient_runtime::Rejection;
/// # use tokio::time::{Instant, sleep};
/// # #[derive(Debug)] struct StoreError(ErrorKind);
/// # impl Classify for StoreError { fn kind(&self) -> ErrorKind { self.0 } }
/// # impl From<Rejection> for StoreError { fn from(it: Rejection) -> Self { Self(it.kind()) } }
///
/// #[resilient(breaker = "embedder")]
/// async fn embed(text: &str) -> Result<Vec<f32>, StoreError> {
///     # sleep(Duration::from_millis(300)).await;
///     // Takes 300 ms.
///     Ok(vec![text.len() as f32])
/// }
///
/// #[resilient(retry = "auto", breaker = "documents")]
/// async fn search(vector: &[f32]) -> Result<String, StoreError> {
///     # let _ = vector;
///     // Hangs.
///     std::future::pending().await
/// }
///
/// # let mut paused = tokio::runtime::Builder::new_current_thread();
/// # paused.enable_time().start_paused(true).build().unwrap().block_on(async {
/// # let start = Instant::now();
/// let answer = within(Duration::from_secs(2), async {
///     let vector = embed("a question").await?;
///     search(&vector).await
/// });
/// // `search` has the 1.7 seconds that `embed` has left.
/// assert_eq!(answer.await.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
/// # assert_eq!(start.elapsed(), Duration::from_secs(2));
/// # });
/// ```
///
/// The time begins with this call, not with the first poll. For a call inside:
///
/// - If no time is left when it begins, it is rejected with
///   [`Rejection::DeadlineExceeded`](crate::Rejection::DeadlineExceeded). Nothing is sent, and its
///   breaker does not count it.
/// - A retry whose delay would end too late is not made. The call ends at once with the error of its
///   last attempt.
/// - An attempt under way is ended when the time is over, with the same rejection. For the breaker,
///   it counts as the policy's own deadline does: as a failure only if the function has no
///   `attempt_timeout`. In a service that gives its requests little time, set one.
/// - [`Attempt::time_left`](crate::Attempt::time_left) says how much it is.
/// - Its own `attempt_timeout` and `deadline` hold too. The earliest moment decides.
///
/// Some calls have an error that cannot carry a rejection: those of a function with `retry` alone,
/// and of a `RetryExecutor`. They are not retried beyond the time, but the first attempt is always
/// made, and no attempt is ended.
///
/// If one `within` is inside another, the earlier of the two moments holds. `None` sets no time.
/// Calls outside of every `within` pay nothing for it. A call inside sets a timer.
///
/// # Spawned tasks
///
/// A task that is spawned inside is not inside: it may outlive the request. Pass on the
/// [`time_left`], if its calls are to end with the request:
///
/// ```
/// # use std::time::Duration;
/// use resilient_runtime::{time_left, within};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// within(Duration::from_secs(2), async {
///     assert!(time_left().is_some());
///     tokio::spawn(async { assert!(time_left().is_none()) }).await.unwrap();
///     let inside = within(time_left(), async { assert!(time_left().is_some()) });
///     tokio::spawn(inside).await.unwrap();
/// })
/// .await;
/// # });
/// ```
///
/// # Cancellation
///
/// `within` never cancels `future`, and returns its output whenever it comes. Code between two calls
/// goes on when the time is over; the next call is rejected. Dropping the future drops what is
/// inside.
///
/// # Panics
///
/// Panics only if `future` does. Calls inside set timers: outside of a tokio runtime with its timer
/// enabled, they panic. A time that the clock cannot express is no limit.
pub fn within<F: IntoFuture>(
    time: impl Into<Option<Duration>>,
    future: F,
) -> Within<F::IntoFuture> {
    let deadline = time.into().and_then(|time| Instant::now().checked_add(time));
    Within { deadline, future: future.into_future() }
}

/// Returns how much is left of the time that [`within`] gives the calls that are made here: zero if
/// it is over, and `None` if there is no limit.
///
/// It does not know the time limits of the function around it:
/// [`Attempt::time_left`](crate::Attempt::time_left) does.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{time_left, within};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(time_left(), None);
/// let left = within(Duration::from_secs(2), async { time_left() }).await;
/// assert!(left <= Some(Duration::from_secs(2)));
/// # });
/// ```
#[must_use]
pub fn time_left() -> Option<Duration> {
    enclosing::request_deadline().map(|until| until.saturating_duration_since(Instant::now()))
}

pin_project! {
    /// The future of [`within`].
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Within<F> {
        deadline: Option<Instant>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        enclosing::enter_request(*this.deadline, || this.future.poll(context))
    }
}
