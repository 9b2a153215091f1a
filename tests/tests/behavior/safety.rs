//! What must not be sent twice, and what is not sent again because too much has failed.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    BudgetConfig, Classify, ErrorKind, Policy, Rejection, RetryBudget, RetryPolicy, budget,
    policies, resilient,
};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Broken {
    maybe_executed: bool,
}

impl Classify for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NetworkError
    }

    fn maybe_executed(&self) -> bool {
        self.maybe_executed
    }
}

impl From<Rejection> for Broken {
    fn from(rejection: Rejection) -> Self {
        Self { maybe_executed: rejection.maybe_executed() }
    }
}

#[resilient(retry(max_attempts = 5, base_delay = "1ms"), idempotent = false)]
async fn writes_by_filter(calls: &Cell<u32>, maybe_executed: bool) -> Result<(), Broken> {
    calls.set(calls.get() + 1);
    Err(Broken { maybe_executed })
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_executed_is_not_sent_again() {
    let events = Events::catch();
    for (maybe_executed, attempts) in [(true, 1), (false, 5)] {
        let calls = Cell::new(0);
        writes_by_filter(&calls, maybe_executed).await.unwrap_err();
        assert_eq!(calls.get(), attempts);
    }
    let reason = events.named("gave up")[0].field("reason").to_owned();
    assert_eq!(reason, "the request may have been executed, and is not idempotent");
}

#[resilient(
    retry(max_attempts = 5, base_delay = "1ms"),
    idempotent = false,
    attempt_timeout = "1s"
)]
async fn hangs(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_timed_out_may_have_been_executed() {
    let calls = Cell::new(0);
    hangs(&calls).await.unwrap_err();
    assert_eq!(calls.get(), 1);
}

policies! {
    /// Two retries, or one after a timeout.
    budget "small" { capacity: 10, retry_cost: 5, timeout_cost: 10, success_refund: 1 }
}

const SMALL: &str = "small";

#[resilient(retry(max_attempts = 5, base_delay = "1ms"), budget = "small")]
async fn asks(calls: &Cell<u32>, result: Result<(), Failure>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    result
}

#[resilient(retry(max_attempts = 5, base_delay = "1ms"), budget = SMALL)]
async fn asks_too(calls: &Cell<u32>, result: Result<(), Failure>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    result
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_ends_retrying_for_all_who_share_it() {
    let events = Events::catch();
    let calls = Cell::new(0);
    asks(&calls, Err(DOWN)).await.unwrap_err();
    assert_eq!((calls.get(), budget("small").unwrap().available()), (3, 0));
    let gave_up = &events.named("gave up")[0];
    assert_eq!(gave_up.field("reason"), "the retry budget is exhausted");
    asks_too(&calls, Err(DOWN)).await.unwrap_err();
    assert_eq!(calls.get(), 4);

    for _ in 0..20 {
        asks(&calls, Ok(())).await.unwrap();
    }
    assert_eq!(budget("small").unwrap().available(), 10);
    calls.set(0);
    asks(&calls, Err(Failure::of(ErrorKind::TimeoutError))).await.unwrap_err();
    assert_eq!((calls.get(), budget("small").unwrap().available()), (2, 0));
}

policies! {
    budget "importers" { capacity: 10, rate_limit_cost: 0 }
    budget "paying importers" { capacity: 10, retry_cost: 5, rate_limit_cost: 3 }
}

#[resilient(retry(row = "rate_limit_error", max_attempts = 5), budget = "importers")]
async fn imports(failure: Failure) -> Result<(), Failure> {
    Err(failure)
}

#[resilient(retry(row = "rate_limit_error", max_attempts = 3), budget = "paying importers")]
async fn pays(failure: Failure) -> Result<(), Failure> {
    Err(failure)
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_as_the_server_asks_leave_the_budget_to_others() {
    let limited = Failure::after(ErrorKind::RateLimitError, Duration::from_secs(1));
    let left = |name| budget(name).unwrap().available();
    for _ in 0..10 {
        imports(limited.clone()).await.unwrap_err();
    }
    assert_eq!(left("importers"), 10);
    imports(Failure::of(ErrorKind::RateLimitError)).await.unwrap_err();
    assert_eq!(left("importers"), 0, "without a hint it costs what any retry costs");
    imports(limited.clone()).await.unwrap_err();

    pays(limited).await.unwrap_err();
    assert_eq!(left("paying importers"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_the_attribute_shares_a_budget_too() {
    let config = BudgetConfig::builder().capacity(10).build().unwrap();
    let budget = Arc::new(RetryBudget::named("test", config));
    let row = RetryPolicy::builder().base_delay(Duration::from_millis(1)).build().unwrap();
    let policy = Policy::builder("test").retry(row).budget(Arc::clone(&budget)).build().unwrap();
    let calls = Cell::new(0);
    let fails = || async {
        calls.set(calls.get() + 1);
        Err::<(), _>(DOWN)
    };
    policy.run(fails).await.unwrap_err();
    policy.run(fails).await.unwrap_err();
    assert_eq!((calls.get(), budget.available()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_never_made_costs_nothing() {
    let budget = Arc::new(RetryBudget::named("test", BudgetConfig::DEFAULT));
    let policy = Policy::builder("test")
        .retry(RetryPolicy::DEFAULT)
        .budget(Arc::clone(&budget))
        .build()
        .unwrap();
    let waiting = policy.run(|| async { Err::<(), _>(DOWN) });
    tokio::time::timeout(Duration::from_millis(10), waiting).await.unwrap_err();
    assert_eq!(budget.available(), 500);
}
