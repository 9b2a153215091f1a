//! Many tests on the same names at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use resilient_runtime::test::isolated;
use resilient_runtime::{BreakerState, breaker, breaker_of, breakers, budget};
use resilient_tests::DOWN;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{count, guarded, open_search, search, state, totals, upsert, write};

const TESTS: usize = 20;

/// Runs this many tests in tasks of their own, each isolated. All of them pass the barrier together.
async fn in_parallel<F: Future<Output = ()> + Send + 'static>(
    test: impl Fn(usize, Arc<Barrier>) -> F,
) {
    let together = Arc::new(Barrier::new(TESTS));
    let mut tests = JoinSet::new();
    for number in 0..TESTS {
        tests.spawn(isolated(test(number, Arc::clone(&together))));
    }
    while let Some(ended) = tests.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_test_sees_the_breaker_that_another_opens() {
    in_parallel(|number, together| async move {
        assert_eq!(state("search"), BreakerState::Closed);
        assert_eq!(search(Ok(7)).await, Ok(7));
        together.wait().await;
        // Every other test opens it.
        if number % 2 == 0 {
            assert_eq!(open_search().await, 3);
            assert!(guarded(Ok(7)).await.unwrap_err().is_rejection());
            together.wait().await;
            assert_eq!((state("search"), totals("search")), (BreakerState::Open, (1, 3, 2)));
        } else {
            assert_eq!(guarded(Ok(7)).await, Ok(7));
            together.wait().await;
            assert_eq!((state("search"), totals("search")), (BreakerState::Closed, (2, 0, 0)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_test_takes_the_tokens_of_another() {
    in_parallel(|_, together| async move {
        let (asked, budget) = (AtomicU32::new(0), budget("qdrant").unwrap());
        assert_eq!(budget.available(), 20);
        together.wait().await;
        // One retry each, as long as there are tokens.
        for left in [15, 10, 5, 0] {
            assert_eq!(upsert(&asked).await, Err(DOWN));
            assert_eq!(budget.available(), left);
        }
        assert_eq!(asked.swap(0, Ordering::Relaxed), 8);
        assert_eq!(upsert(&asked).await, Err(DOWN));
        assert_eq!(asked.into_inner(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_test_sees_the_breakers_that_a_template_makes_for_another() {
    in_parallel(|number, together| async move {
        let own = format!("own {number}");
        assert!(breaker("count/docs").is_none());
        for _ in 0..2 {
            assert_eq!(count("docs", Err(DOWN)).await, Err(DOWN));
        }
        assert_eq!(count(&own, Ok(7)).await, Ok(7));
        together.wait().await;
        assert!(count("docs", Ok(7)).await.unwrap_err().is_rejection());
        assert_eq!(totals("count/docs"), (0, 2, 1));
        let docs = breaker_of("count/{collection}", "docs").unwrap();
        assert_eq!(docs.state(), BreakerState::Open);
        let names: Vec<_> = breakers().iter().map(|it| it.name().to_string()).collect();
        let made: Vec<_> = names.iter().filter(|name| name.starts_with("count/")).collect();
        assert_eq!(made, ["count/docs", &format!("count/{own}")]);
    })
    .await;
}

/// A breaker that one of them has looked up stays what it is, whatever the others do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_test_has_looked_up_stays_its_own() {
    static FIRST: OnceLock<resilient_runtime::SharedBreaker> = OnceLock::new();
    in_parallel(|_, together| async move {
        let own = breaker("writes").unwrap();
        let is_first = FIRST.set(own.clone()).is_ok();
        together.wait().await;
        if is_first {
            own.force_open();
        }
        together.wait().await;
        assert_eq!(write(Ok(7)).await.is_err(), is_first);
        assert_eq!(own.stats().is_forced, is_first);
    })
    .await;
    assert!(FIRST.get().unwrap().stats().is_forced, "as long as it is held");
}
