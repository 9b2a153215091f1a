//! For tests that run side by side. Feature `test-util`.
//!
//! A name belongs to the whole process: a test that opens the breaker `search` makes the calls of all
//! other tests fail. Inside [`isolated`], a test has a breaker, a budget and a set of keyed breakers
//! of its own for each name.
//!
//! ```standalone_crate
//! use resilient_runtime::test::isolated;
//! use resilient_runtime::{BreakerState, breaker, resilient};
//! # use resilient_runtime::{Classify, ErrorKind, Rejection};
//! # #[derive(Debug)] struct SearchError;
//! # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
//! # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
//!
//! #[resilient(breaker(name = "search", failure_threshold = 1))]
//! async fn search(is_down: bool) -> Result<u32, SearchError> {
//!     if is_down { Err(SearchError) } else { Ok(7) }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // Each of these can be the body of a test.
//! let down = isolated(async {
//!     assert!(search(true).await.is_err());
//!     assert_eq!(breaker("search").unwrap().state(), BreakerState::Open);
//! });
//! let up = isolated(async {
//!     assert_eq!(search(false).await.unwrap(), 7);
//! });
//! tokio::join!(down, up);
//! assert_eq!(breaker("search").unwrap().state(), BreakerState::Closed);
//! # }
//! ```
//!
//! # What is isolated
//!
//! In functions with [`#[resilient]`](crate::resilient), in calls with [`guard!`](crate::guard), in
//! [`breaker`](crate::breaker()), [`breaker_of`](crate::breaker_of), [`breakers`](crate::breakers()) and
//! [`budget`](crate::budget()):
//! every breaker and budget that source names, a template's too, and the count of
//! [unknown errors](crate::AnnotatedFunction::unknown_errors). Each begins closed and full, with the
//! numbers that the program's own has when it is first used. That is with the settings that were
//! applied before.
//!
//! # What is not
//!
//! - **A `static CircuitBreaker`, used by itself.** A function with `breaker = SEARCH` has a breaker of
//!   its own, like any other. But `SEARCH.call(…)` and `SEARCH.state()` mean the static, which all
//!   tests share. `breaker("search")`, by the name of the static, returns the test's own.
//! - **A [`Policy`](crate::Policy)** and [`KeyedBreakers`](crate::KeyedBreakers): they are objects.
//!   Build them in the test. If several tests [register](crate::Policy::register) a policy with a
//!   breaker of one name, `breaker` finds that of the test which asks.
//! - **Settings.** They are the whole program's. What is applied inside [`isolated`] changes the
//!   numbers of the program, and of what a test uses for the first time after it.
//! - **Other tasks and threads.** Only code that the future itself polls, and what [`spawn`] spawns,
//!   is inside. A task from `tokio::spawn`, a closure of `spawn_blocking` and a thread are outside,
//!   even if the future starts them.
//!
//! # Memory
//!
//! Breakers and budgets are freed with the future, unless something else still holds them. A
//! function's policy, with its breaker and its budget, is not: each function that is called inside an
//! [`isolated`] keeps a kilobyte until the process ends, and four if several threads use its breaker.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::task::JoinHandle;

use crate::catalog::Isolation;

/// Runs `future` with breakers and budgets of its own, which nothing outside can see: see
/// [the module](self).
///
/// They last from this call until the future is dropped. Each poll enters them and leaves them again,
/// so two of these futures can run in one task or on one thread. The future is left too if it panics,
/// and entered again to drop it. It is `Send` if `future` is.
///
/// Inside another one, this starts anew: the innermost holds.
///
/// ```standalone_crate
/// use resilient_runtime::test::isolated;
/// use resilient_runtime::{BreakerState, breaker, policies};
///
/// policies! {
///     breaker "search" {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let state = || breaker("search").unwrap().state();
/// isolated(async {
///     breaker("search").unwrap().force_open();
///     let inner = isolated(async { state() }).await;
///     assert_eq!((state(), inner), (BreakerState::Open, BreakerState::Closed));
/// })
/// .await;
/// assert_eq!(state(), BreakerState::Closed);
/// # }
/// ```
pub fn isolated<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Isolated { future: Some(future), isolation: Arc::default() }
}

/// Spawns a task inside the [`isolated`] around the caller, the innermost one. Outside of all of them,
/// this is [`tokio::spawn`].
///
/// The task may outlive the future of [`isolated`], and keeps what it has isolated.
///
/// # Panics
///
/// As `tokio::spawn`: outside of a runtime of tokio.
///
/// ```standalone_crate
/// use resilient_runtime::test::{isolated, spawn};
/// use resilient_runtime::{BreakerState, breaker, policies};
///
/// policies! {
///     breaker "search" {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// isolated(async {
///     breaker("search").unwrap().force_open();
///     let state = || async { breaker("search").unwrap().state() };
///     assert_eq!(spawn(state()).await.unwrap(), BreakerState::Open);
///     assert_eq!(tokio::spawn(state()).await.unwrap(), BreakerState::Closed);
/// })
/// .await;
/// # }
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    match Isolation::current() {
        Some(isolation) => tokio::spawn(Isolated { future: Some(future), isolation }),
        None => tokio::spawn(future),
    }
}

pin_project! {
    /// See [`isolated`].
    struct Isolated<F> {
        // `None` once it is over.
        #[pin]
        future: Option<F>,
        isolation: Arc<Isolation>,
    }

    impl<F> PinnedDrop for Isolated<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.isolation.enter();
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for Isolated<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = this.isolation.enter();
        let future = this.future.as_mut().as_pin_mut();
        let poll = future.expect("a future that is over is not polled").poll(context);
        if poll.is_ready() {
            this.future.set(None);
        }
        poll
    }
}
