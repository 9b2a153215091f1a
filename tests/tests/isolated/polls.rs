//! When the thread is inside: while the future is polled or dropped, and only then.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use resilient_runtime::BreakerState;
use resilient_runtime::test::isolated;
use resilient_tests::DOWN;
use tokio::task::yield_now;

use super::{breaker, open_search, search, state, totals};

#[tokio::test]
async fn two_tests_in_one_task_do_not_mix() {
    let opens = isolated(async {
        for failures in 1..=3 {
            assert_eq!(search(Err(DOWN)).await, Err(DOWN));
            yield_now().await;
            assert_eq!(totals("search"), (0, failures, 0));
        }
        assert_eq!(state("search"), BreakerState::Open);
    });
    let succeeds = isolated(async {
        for successes in 1..=10 {
            assert_eq!(search(Ok(7)).await, Ok(7));
            yield_now().await;
            assert_eq!(totals("search"), (successes, 0, 0));
        }
    });
    tokio::join!(opens, succeeds);
    assert_eq!(state("search"), BreakerState::Closed);
}

#[tokio::test]
async fn the_innermost_holds() {
    isolated(async {
        assert_eq!(open_search().await, 3);
        isolated(async {
            assert_eq!((state("search"), totals("search")), (BreakerState::Closed, (0, 0, 0)));
            assert_eq!(search(Ok(7)).await, Ok(7));
            breaker("upsert").unwrap().force_open();
        })
        .await;
        assert_eq!((state("search"), totals("search")), (BreakerState::Open, (0, 3, 1)));
        assert_eq!(state("upsert"), BreakerState::Closed);
    })
    .await;
}

#[tokio::test]
async fn a_panic_leaves() {
    isolated(async {
        breaker("search").unwrap().force_open();
        let mut panics = pin!(isolated(async {
            assert_eq!(search(Ok(7)).await, Ok(7));
            panic!("in a test");
        }));
        let poll = poll_fn(|context| {
            let poll = catch_unwind(AssertUnwindSafe(|| panics.as_mut().poll(context)));
            match poll {
                Ok(Poll::Pending) => Poll::Pending,
                ended => Poll::Ready(ended.is_err()),
            }
        });
        assert!(poll.await);
        assert_eq!(state("search"), BreakerState::Open, "that of the outer test");
    })
    .await;
    assert_eq!(state("search"), BreakerState::Closed);
}

/// Notes what it sees when it is dropped.
struct AtEnd(Arc<AtomicBool>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.store(state("search") == BreakerState::Open, Ordering::Relaxed);
    }
}

#[test]
fn a_future_that_is_dropped_is_dropped_inside() {
    let saw_its_own = Arc::new(AtomicBool::new(false));
    let at_end = AtEnd(Arc::clone(&saw_its_own));
    let mut cancelled = Box::pin(isolated(async move {
        let _at_end = at_end;
        breaker("search").unwrap().force_open();
        pending::<()>().await;
    }));
    assert!(cancelled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(state("search"), BreakerState::Closed);
    drop(cancelled);
    assert!(saw_its_own.load(Ordering::Relaxed));
    assert_eq!(state("search"), BreakerState::Closed);
}

#[test]
fn it_is_send_if_the_future_is() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    drop(send(isolated(async { search(Ok(7)).await })));
}
