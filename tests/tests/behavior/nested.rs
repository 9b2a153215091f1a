//! Calls that are made inside a call through the same breaker.

use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use resilient_runtime::{
    BreakerConfig, BreakerState, BudgetConfig, CircuitBreaker, Policy, RetryBudget, RetryPolicy,
    breaker, resilient,
};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure, WRONG};
use tokio::time::advance;

const OPEN: Duration = Duration::from_secs(1);

/// A service that is down or up, and counts the requests that reach it.
#[derive(Default)]
struct Service {
    is_down: AtomicBool,
    requests: AtomicU32,
}

impl Service {
    fn ask(&self) -> Result<u32, Failure> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_down.load(Ordering::Relaxed) { Err(DOWN) } else { Ok(request) }
    }

    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    fn take_requests(&self) -> u32 {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Store(Service);

#[resilient(breaker(
    name = "nested store",
    failure_threshold = 3,
    success_threshold = 1,
    open_duration = "1s"
))]
impl Store {
    async fn search(&self) -> Result<u32, Failure> {
        self.query().await
    }

    async fn query(&self) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        self.0.ask()
    }
}

#[tokio::test(start_paused = true)]
async fn functions_that_call_each_other_recover_after_an_outage() {
    let store = Store::default();
    store.0.set_down(true);
    for failures in 1..=3 {
        assert_eq!(store.search().await, Err(DOWN));
        let totals = breaker("nested store").unwrap().stats().totals;
        assert_eq!((totals.failures, totals.rejected), (failures, 0), "counted once");
    }
    assert!(store.search().await.unwrap_err().is_rejection());
    store.0.set_down(false);
    advance(OPEN).await;
    for _ in 0..10 {
        store.search().await.unwrap();
    }
    let totals = breaker("nested store").unwrap().stats().totals;
    assert_eq!((totals.successes, totals.failures, totals.rejected), (10, 3, 1));
}

/// Each kind of call that may stand between two calls through one breaker, behind a breaker of its
/// own that has just one probe.
macro_rules! with_one_probe {
    ($name:literal, $($function:tt)*) => {
        #[resilient(breaker(
            name = $name,
            failure_threshold = 1,
            success_threshold = 1,
            open_duration = "1s"
        ))]
        $($function)*
    };
}

with_one_probe! {
    "nested recursion",
    fn recurse<'s>(
        service: &'s Service,
        depth: u32,
    ) -> Pin<Box<dyn Future<Output = Result<u32, Failure>> + Send + 's>> {
        Box::pin(async move {
            if depth == 0 { service.ask() } else { recurse(service, depth - 1).await }
        })
    }
}

with_one_probe! {
    "nested join",
    async fn joined(service: &Service, is_outer: bool) -> Result<u32, Failure> {
        if !is_outer {
            tokio::task::yield_now().await;
            return service.ask();
        }
        let (one, other) =
            tokio::join!(Box::pin(joined(service, false)), Box::pin(joined(service, false)));
        one.and(other)
    }
}

#[async_trait]
trait Search: Sync {
    async fn search(&self, service: &Service) -> Result<u32, Failure>;
}

struct Plain;

struct Wrapping<'i>(&'i dyn Search);

#[async_trait]
impl Search for Plain {
    #[resilient(breaker(
        name = "nested trait",
        failure_threshold = 1,
        success_threshold = 1,
        open_duration = "1s"
    ))]
    async fn search(&self, service: &Service) -> Result<u32, Failure> {
        service.ask()
    }
}

#[async_trait]
impl Search for Wrapping<'_> {
    #[resilient(breaker = "nested trait")]
    async fn search(&self, service: &Service) -> Result<u32, Failure> {
        self.0.search(service).await
    }
}

with_one_probe! {
    "nested key/{key}",
    async fn keyed(service: &Service, key: &str, inner: Option<&str>) -> Result<u32, Failure> {
        match inner {
            Some(inner) => Box::pin(keyed(service, inner, None)).await,
            None => service.ask(),
        }
    }
}

/// Opens the breaker by a failure, repairs the service and lets the open state end; then one call
/// must close the breaker.
async fn recovers<F>(name: &str, call: impl Fn(Arc<Service>) -> F)
where
    F: Future<Output = Result<u32, Failure>>,
{
    let service = Arc::new(Service::default());
    service.set_down(true);
    assert_eq!(call(Arc::clone(&service)).await, Err(DOWN), "{name}");
    let breaker = breaker(name).unwrap();
    assert_eq!((breaker.state(), breaker.stats().totals.failures), (BreakerState::Open, 1));
    service.set_down(false);
    advance(OPEN).await;
    call(service).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(breaker.state(), BreakerState::Closed, "{name}");
    assert_eq!(breaker.stats().totals.successes, 1, "{name}");
}

#[tokio::test(start_paused = true)]
async fn recursion_of_any_depth_is_one_call() {
    recovers("nested recursion", |service| async move { recurse(&service, 100).await }).await;
}

#[tokio::test(start_paused = true)]
async fn joined_calls_are_part_of_the_one_that_joins_them() {
    recovers("nested join", |service| async move { joined(&service, true).await }).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_through_a_trait_object_is_part_of_the_one_that_makes_it() {
    let wrapped = Wrapping(&Plain);
    let wrapped = &Wrapping(&wrapped);
    recovers("nested trait", |service| async move { wrapped.search(&service).await }).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_by_the_same_key_is_part_of_the_outer_one() {
    recovers("nested key/a", |service| async move { keyed(&service, "a", Some("a")).await }).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_by_another_key_is_a_call_of_its_own() {
    let service = Service::default();
    keyed(&service, "outer", Some("inner")).await.unwrap();
    for name in ["nested key/outer", "nested key/inner"] {
        assert_eq!(breaker(name).unwrap().stats().totals.successes, 1, "{name}");
    }
}

fn one_probe() -> Arc<CircuitBreaker> {
    let config = BreakerConfig::builder().failure_threshold(1).success_threshold(1);
    Arc::new(CircuitBreaker::new(config.open_duration(OPEN).build().unwrap()))
}

#[tokio::test(start_paused = true)]
async fn policies_and_breakers_without_the_attribute_nest_too() {
    let breaker = one_probe();
    let policy = Policy::builder("nested").breaker(Arc::clone(&breaker)).build().unwrap();
    let service = Service::default();
    let ask = || ready(service.ask());
    let nested = async || {
        policy.run(|| policy.run(|| breaker.call(|| breaker.call(|| policy.run(ask))))).await
    };
    service.set_down(true);
    assert_eq!(nested().await, Err(DOWN));
    service.set_down(false);
    advance(OPEN).await;
    nested().await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    let totals = breaker.stats().totals;
    assert_eq!((totals.successes, totals.failures, totals.ignored), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn calls_through_different_breakers_are_independent() {
    let (outer, inner) = (one_probe(), one_probe());
    let service = Service::default();
    let call = || outer.call(|| inner.call(|| outer.call(|| ready(service.ask()))));
    call().await.unwrap();
    assert_eq!((outer.stats().totals.successes, inner.stats().totals.successes), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn calls_beside_each_other_are_independent() {
    let breaker = one_probe();
    let call = || {
        breaker.call(async || {
            tokio::task::yield_now().await;
            Ok::<_, Failure>(())
        })
    };
    let (one, other) = tokio::join!(call(), call());
    one.and(other).unwrap();
    assert_eq!(breaker.stats().totals.successes, 2);
}

#[tokio::test(start_paused = true)]
async fn a_spawned_call_is_a_call_of_its_own() {
    let breaker = one_probe();
    let spawned = Arc::clone(&breaker);
    let call = breaker.call(|| async {
        let inner = async move { spawned.call(|| ready(Ok::<_, Failure>(()))).await };
        tokio::spawn(inner).await.unwrap()
    });
    call.await.unwrap();
    assert_eq!(breaker.stats().totals.successes, 2);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_acquired_inside_a_call_counts_by_itself() {
    let breaker = one_probe();
    let call = breaker.call(|| {
        breaker.acquire().unwrap().failure();
        ready(Ok::<_, Failure>(()))
    });
    call.await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn what_an_outer_call_makes_of_an_inner_failure_is_what_counts() {
    let breaker = one_probe();
    let call = breaker.call(async || {
        let inner: Result<(), Failure> = breaker.call(|| ready(Err(DOWN))).await;
        inner.map_err(|_| WRONG)
    });
    assert_eq!(call.await, Err(WRONG));
    let totals = breaker.stats().totals;
    assert_eq!((totals.failures, totals.ignored), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_an_inner_call_counts_once_and_ends_the_nesting() {
    let breaker = one_probe();
    let panicking = Arc::clone(&breaker);
    let outer = tokio::spawn(async move {
        let inner = || panicking.call(async || -> Result<(), Failure> { panic!("inside") });
        panicking.call(inner).await
    });
    assert!(outer.await.unwrap_err().is_panic());
    assert_eq!(breaker.stats().totals.failures, 1);
    assert!(breaker.call(|| ready(Ok::<_, Failure>(()))).await.unwrap_err().is_rejection());
}

#[derive(Default)]
struct Deep(Service);

#[resilient(retry, breaker = "nested retries")]
impl Deep {
    async fn outer(&self) -> Result<u32, Failure> {
        self.middle().await
    }

    async fn middle(&self) -> Result<u32, Failure> {
        self.inner().await
    }

    async fn inner(&self) -> Result<u32, Failure> {
        self.0.ask()
    }
}

#[tokio::test(start_paused = true)]
async fn retries_of_nested_calls_do_not_multiply() {
    let deep = Deep::default();
    deep.0.set_down(true);
    let events = Events::catch();
    for call in 1..=2 {
        assert_eq!(deep.outer().await, Err(DOWN));
        assert_eq!(deep.0.take_requests(), 3);
        assert_eq!(events.named("gave up").len(), call, "told by the outer call alone");
    }
    assert_eq!(breaker("nested retries").unwrap().stats().failure_count, 2);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_that_is_left_to_the_outer_call_is_told() {
    let breaker = one_probe();
    let policy = |name: &'static str| {
        Policy::builder(name).breaker(Arc::clone(&breaker)).retry(RetryPolicy::DEFAULT)
    };
    let inner = policy("inner").attempt_timeout(OPEN).build().unwrap();
    let events = Events::catch();
    let recovers = async || inner.run(pending::<Result<(), Failure>>).await.or(Ok(()));
    let outcome: Result<(), Failure> = policy("outer").build().unwrap().run(recovers).await;
    outcome.unwrap();
    let told = events.named("timed out");
    assert_eq!((told.len(), told[0].field("function")), (1, "inner"));
}

#[tokio::test(start_paused = true)]
async fn an_inner_call_retries_what_the_outer_one_does_not() {
    let breaker = one_probe();
    let builder = |name: &'static str| Policy::builder(name).breaker(Arc::clone(&breaker));
    let retrying = builder("inner").retry(RetryPolicy::DEFAULT).build().unwrap();
    let service = Service::default();
    service.set_down(true);
    let inner = async || retrying.run(|| ready(service.ask())).await;

    assert_eq!(builder("outer").build().unwrap().run(&inner).await, Err(DOWN));
    assert_eq!(service.take_requests(), 3, "an outer call without retries");

    breaker.reset();
    assert_eq!(breaker.call(&inner).await, Err(DOWN));
    assert_eq!(service.take_requests(), 3, "an outer call of the breaker alone");

    breaker.reset();
    // `DOWN` may have been executed, so this one does not retry it.
    let once = builder("outer").retry(RetryPolicy::DEFAULT).idempotent(false).build().unwrap();
    assert_eq!(once.run(&inner).await, Err(DOWN));
    assert_eq!(service.take_requests(), 3, "an outer call that is not idempotent");
}

#[derive(Default)]
struct Hanging;

#[resilient(breaker(name = "nested deadline", failure_threshold = 1), deadline = "2s")]
impl Hanging {
    async fn search(&self) -> Result<(), Failure> {
        self.query().await
    }

    async fn query(&self) -> Result<(), Failure> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_server_opens_the_breaker_whichever_deadline_ends_the_call() {
    Hanging.search().await.unwrap_err();
    let breaker = breaker("nested deadline").unwrap();
    assert_eq!((breaker.state(), breaker.stats().totals.failures), (BreakerState::Open, 1));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_part_counts_for_the_outer_call() {
    let breaker = one_probe();
    let policy = |name: &'static str| Policy::builder(name).breaker(Arc::clone(&breaker));
    let untimed = policy("untimed").deadline(OPEN).build().unwrap();
    let timed = policy("timed").retry(RetryPolicy::DEFAULT).attempt_timeout(OPEN * 2 / 3);
    let timed = timed.deadline(OPEN).build().unwrap();
    let plain = policy("plain").build().unwrap();
    let hangs = || pending::<Result<(), Failure>>();

    // Also if other calls are in between, through this breaker and through another one.
    let other = one_probe();
    let nested = plain.run(|| plain.run(|| other.call(|| plain.run(|| untimed.run(hangs)))));
    nested.await.unwrap_err();
    assert_eq!((breaker.state(), breaker.stats().totals.failures), (BreakerState::Open, 1));
    let totals = other.stats().totals;
    assert_eq!((totals.failures, totals.ignored), (0, 1), "it says nothing to the other breaker");

    breaker.reset();
    plain.run(|| timed.run(hangs)).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Closed, "beside an attempt timeout, it is neutral");

    let recovers = async || {
        untimed.run(hangs).await.unwrap_err();
        Ok::<_, Failure>(())
    };
    plain.run(recovers).await.unwrap();
    assert_eq!(breaker.stats().totals.successes, 1, "what the outer call returns is what counts");
    let later = plain.run(|| ready(Err::<(), _>(WRONG))).await;
    assert_eq!((later, breaker.state()), (Err(WRONG), BreakerState::Closed), "it is forgotten");
}

#[tokio::test(start_paused = true)]
async fn nested_calls_that_succeed_refund_the_budget_once() {
    let breaker = one_probe();
    let config = BudgetConfig::builder().capacity(10).retry_cost(5).success_refund(1);
    let budget = Arc::new(RetryBudget::named("nested", config.build().unwrap()));
    let row = RetryPolicy::builder().base_delay(Duration::ZERO).build().unwrap();
    let policy = Policy::builder("nested").breaker(Arc::clone(&breaker)).retry(row);
    let policy = policy.budget(Arc::clone(&budget)).build().unwrap();

    let is_first = AtomicBool::new(true);
    let fails_once = || {
        let is_first = is_first.swap(false, Ordering::Relaxed);
        ready(if is_first { Err(DOWN) } else { Ok(()) })
    };
    policy.run(|| policy.run(|| policy.run(fails_once))).await.unwrap();
    assert_eq!(budget.available(), 10 - 5 + 1);
}
