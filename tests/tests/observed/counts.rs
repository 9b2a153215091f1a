//! What a function counts of its calls.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use resilient_runtime::test::isolated;
use resilient_runtime::{
    CallCounts, CallOutcome, ErrorKind, GiveUpReason, Policy, RetryPolicy, breaker, catalog, guard,
    resilient, snapshot, within,
};
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

static REQUESTS: AtomicU64 = AtomicU64::new(0);

#[resilient(
    retry(row = "service_unavailable", max_attempts = 3, base_delay = "100ms"),
    breaker = "search",
    attempt_timeout = "1s",
    deadline = "1m"
)]
async fn served(answer: Option<Result<u32, Failure>>) -> Result<u32, Failure> {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
    match answer {
        Some(answer) => answer,
        None => pending().await,
    }
}

#[resilient(retry = "auto")]
async fn panics() -> Result<u32, Failure> {
    panic!("in the function")
}

async fn guarded(answer: Result<u32, Failure>) -> Result<u32, Failure> {
    let first = guard!(retry = "auto"; async { answer.clone() }).await;
    guard!(retry = "auto"; async { first.clone() }).await
}

fn counts(function: &str) -> CallCounts {
    let snapshot = snapshot();
    let name = format!("observed::counts::{function}");
    let function = snapshot.functions().iter().find(|known| known.name == name);
    function.unwrap_or_else(|| panic!("{name} is not known")).counts.clone()
}

fn by_outcome(counts: &CallCounts) -> Vec<u64> {
    CallOutcome::ALL.iter().map(|outcome| counts.calls(*outcome)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_call_counts_once_by_how_it_ends_and_each_attempt_is_a_request() {
    isolated(async {
        assert_eq!(counts("served"), counts("panics"), "nothing has been called");
        let search = breaker("search").unwrap();
        // success
        assert_eq!(served(Some(Ok(7))).await, Ok(7));
        // error, at once and after two retries
        assert_eq!(served(Some(Err(WRONG))).await, Err(WRONG));
        assert_eq!(served(Some(Err(DOWN))).await, Err(DOWN));
        // timeout: each attempt, and what is left of a request
        assert!(served(None).await.unwrap_err().is_rejection());
        search.reset();
        assert!(within(SECOND / 2, served(None)).await.unwrap_err().is_rejection());
        // cancelled, in an attempt and in a delay
        assert!(timeout(SECOND / 2, served(None)).await.is_err());
        assert!(timeout(SECOND / 20, served(Some(Err(DOWN)))).await.is_err());
        // rejected, by the breaker and for want of time
        search.force_open();
        assert!(served(Some(Ok(7))).await.unwrap_err().is_rejection());
        search.reset();
        assert!(within(Duration::ZERO, served(None)).await.unwrap_err().is_rejection());

        let counts = counts("served");
        assert_eq!(by_outcome(&counts), [1, 2, 2, 2, 2], "of {:?}", CallOutcome::ALL);
        assert_eq!(counts.total_calls(), 9);
        assert_eq!(counts.attempts(), REQUESTS.load(Ordering::Relaxed));
        assert_eq!(counts.retries(ErrorKind::ServiceUnavailable), 2);
        assert_eq!(counts.retries(ErrorKind::TimeoutError), 2);
        assert_eq!(counts.total_retries(), 4);
        assert_eq!(counts.gave_up(GiveUpReason::AttemptsExhausted), 2);
        assert_eq!(counts.gave_up(GiveUpReason::DeadlineExceeded), 1);
        let catalog = catalog();
        let function = catalog.functions().iter().find(|it| it.name().ends_with("served"));
        assert_eq!(function.unwrap().counts(), counts);
    })
    .await;
}

#[tokio::test]
async fn a_panic_is_an_error() {
    isolated(async {
        assert!(resilient_runtime::test::spawn(panics()).await.is_err());
        assert_eq!(by_outcome(&counts("panics")), [0, 1, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn the_guarded_calls_of_a_function_count_together() {
    isolated(async {
        assert_eq!(guarded(Ok(7)).await, Ok(7));
        assert_eq!(guarded(Err(WRONG)).await, Err(WRONG));
        assert_eq!(by_outcome(&counts("guarded")), [2, 2, 0, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_counts_its_own_calls_and_those_of_its_clones() {
    let policy = Policy::builder("outbox").retry(RetryPolicy::DEFAULT).build().unwrap();
    let clone = policy.clone();
    for result in [Ok(7), Err(WRONG)] {
        assert_eq!(clone.run(|| async { result.clone() }).await, result);
    }
    assert_eq!(by_outcome(&policy.counts()), [1, 1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_of_many_threads_are_all_counted() {
    let calls = (0..8).map(|_| {
        tokio::spawn(async {
            for _ in 0..1_000 {
                assert_eq!(guarded(Ok(7)).await, Ok(7));
            }
        })
    });
    for task in calls.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(counts("guarded").calls(CallOutcome::Success), 16_000);
}

#[resilient(durations = true, breaker = "search")]
async fn measured(answer: Result<u32, Failure>) -> Result<u32, Failure> {
    tokio::time::sleep(SECOND / 4).await;
    answer
}

#[tokio::test(start_paused = true)]
async fn durations_are_measured_where_source_or_settings_ask_for_them() {
    isolated(async {
        for _ in 0..9 {
            assert_eq!(measured(Ok(7)).await, Ok(7));
        }
        assert_eq!(measured(Err(DOWN)).await, Err(DOWN));
        assert!(timeout(SECOND / 8, measured(Ok(7))).await.is_err());
        let snapshot = snapshot();
        let function = snapshot.functions().iter().find(|it| it.name.ends_with("measured"));
        let durations = &function.unwrap().durations;
        let told: Vec<_> = durations.iter().map(|it| (it.outcome, it.count)).collect();
        assert_eq!(
            told,
            [(CallOutcome::Success, 9), (CallOutcome::Error, 1), (CallOutcome::Cancelled, 1)]
        );
        let [success, _, cancelled] = durations.as_slice() else { panic!("three outcomes") };
        for (duration, exact) in [(success.p50, SECOND / 4), (cancelled.max, SECOND / 8)] {
            assert!((exact..exact * 102 / 100).contains(&duration), "{duration:?}");
        }
    })
    .await;
}
