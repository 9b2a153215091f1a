//! Numbers and durations that are constants, and breakers in a `LazyLock`.

use std::cell::Cell;
use std::future::pending;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use resilient_runtime::{
    AnnotatedFunction, BreakerConfig, BreakerState, CircuitBreaker, RetryRule, breaker, budget,
    catalog, guard, policies, resilient,
};
use resilient_tests::{DOWN, Failure};
use tokio::time::Instant;

const ATTEMPTS: u32 = 4;
const ONE: u32 = 1;
const DEADLINE: Duration = Duration::from_secs(5);
const NO_JITTER: f64 = 0.0;
const SECOND: Duration = limits::ATTEMPT;

mod limits {
    use std::time::Duration;

    pub(super) const ATTEMPT: Duration = Duration::from_secs(1);

    pub(super) mod windows {
        pub(in super::super) const CALLS: u32 = 10;
        pub(in super::super) const TIME: std::time::Duration = super::ATTEMPT;
    }
}

/// What associated constants are of.
struct Limits;

impl Limits {
    const FAILURES: u32 = 2;
    const BASE_DELAY: Duration = Duration::from_secs(2);
    const MAX_DELAY: Duration = Duration::from_secs(3);
    const RATE: f64 = 0.4;
}

/// The function of this name in this file.
fn function(name: &str) -> AnnotatedFunction {
    let is_it = |function: &&AnnotatedFunction| {
        function.name().starts_with(module_path!()) && function.name().ends_with(name)
    };
    catalog().functions().iter().find(is_it).copied().unwrap()
}

#[resilient(retry(
    max_attempts = ATTEMPTS,
    base_delay = Limits::BASE_DELAY,
    max_delay = Limits::MAX_DELAY,
    jitter = NO_JITTER,
))]
async fn retried(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_row_takes_its_numbers_from_constants() {
    let (calls, start) = (Cell::new(0), Instant::now());
    retried(&calls).await.unwrap_err();
    assert_eq!((calls.get(), start.elapsed()), (4, Duration::from_secs(2 + 3 + 3)));
}

#[resilient(attempt_timeout = limits::ATTEMPT, deadline = DEADLINE)]
async fn limited() -> Result<(), Failure> {
    pending().await
}

#[resilient(deadline = Duration::MAX, retry(max_attempts = u32::MAX))]
async fn limited_by_the_standard_library() -> Result<(), Failure> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn times_are_limited_by_constants() {
    let start = Instant::now();
    assert!(limited().await.unwrap_err().is_rejection());
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(function("::limited").deadline(), Some(DEADLINE));
    limited_by_the_standard_library().await.unwrap();
}

#[resilient(breaker(
    name = "constants: calls",
    failure_threshold = Limits::FAILURES,
    window = limits::windows::CALLS,
    failure_rate = Limits::RATE,
    minimum_calls = ATTEMPTS,
    slow_call_duration = SECOND,
    slow_call_rate = Limits::RATE,
    open_duration = SECOND,
    open_duration_multiplier = f64::MAX,
    max_open_duration = DEADLINE,
    open_jitter = Limits::RATE,
    success_threshold = ONE,
    half_open_max_calls = ATTEMPTS,
    probe_timeout = SECOND,
))]
async fn guarded() -> Result<(), Failure> {
    Err(DOWN)
}

#[resilient(breaker(name = "constants: time", window = limits::windows::TIME))]
async fn guarded_by_time() -> Result<(), Failure> {
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_breaker_takes_every_setting_from_a_constant() {
    let settings = BreakerConfig::builder()
        .failure_threshold(2)
        .window_calls(10)
        .failure_rate(0.4)
        .minimum_calls(4)
        .slow_call_duration(SECOND)
        .slow_call_rate(0.4)
        .open_duration(SECOND)
        .open_duration_multiplier(f64::MAX)
        .max_open_duration(DEADLINE)
        .open_jitter(0.4)
        .success_threshold(1)
        .half_open_max_calls(4)
        .probe_timeout(SECOND);
    let guarding = breaker("constants: calls").unwrap();
    assert_eq!(guarding.config(), settings.build().unwrap());
    for state in [BreakerState::Closed, BreakerState::Open] {
        guarded().await.unwrap_err();
        assert_eq!(guarding.state(), state);
    }
    guarded_by_time().await.unwrap_err();
    let by_time = breaker("constants: time").unwrap();
    assert_eq!(
        (by_time.config().window_time(), by_time.config().window_calls()),
        (Some(SECOND), None)
    );
}

#[resilient(breaker(name = "constants/{tenant}", max_keys = ONE))]
async fn keyed(tenant: &str) -> Result<usize, Failure> {
    Ok(tenant.len())
}

#[tokio::test(start_paused = true)]
async fn the_breakers_of_a_template_are_bounded_by_a_constant() {
    for tenant in ["one", "two"] {
        keyed(tenant).await.unwrap();
    }
    assert!(breaker("constants/one").is_none() && breaker("constants/two").is_some());
}

policies! {
    breaker "constants: declared" { window: limits::windows::CALLS, failure_rate: Limits::RATE }
    breaker "constants: of time" { window: SECOND }
    breaker "constants: declared/{key}" { max_keys: ATTEMPTS, open_duration: DEADLINE }
    retry "constants" {
        max_attempts: ATTEMPTS, base_delay: SECOND, max_delay: DEADLINE, jitter: NO_JITTER
    }
    budget "constants" {
        capacity: limits::windows::CALLS,
        retry_cost: ATTEMPTS,
        timeout_cost: ATTEMPTS,
        rate_limit_cost: ONE,
        success_refund: ONE,
    }
}

#[resilient(retry = "constants", budget = "constants")]
async fn by_declarations(calls: &Cell<u32>) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn declarations_take_their_numbers_from_constants() {
    let catalog = catalog();
    let declared =
        |name| catalog.breakers().iter().find(|it| it.name() == name).unwrap().settings();
    let by_calls = BreakerConfig::builder().window_calls(10).failure_rate(0.4).build();
    assert_eq!(Ok(*declared("constants: declared").config()), by_calls);
    assert_eq!(declared("constants: of time").config().window_time(), Some(SECOND));
    assert_eq!(declared("constants: declared/{key}").max_keys(), Some(ATTEMPTS));
    let (calls, start) = (Cell::new(0), Instant::now());
    by_declarations(&calls).await.unwrap_err();
    // The budget has tokens for two retries.
    assert_eq!((calls.get(), start.elapsed()), (3, Duration::from_secs(1 + 2)));
    assert_eq!(budget("constants").unwrap().config().rate_limit_cost(), ONE);
}

#[tokio::test(start_paused = true)]
async fn a_guarded_call_takes_its_numbers_from_constants() {
    const LOCAL: u32 = 2;
    let (calls, start) = (Cell::new(0), Instant::now());
    let result: Result<(), Failure> = guard!(
        retry(max_attempts = LOCAL, base_delay = SECOND, jitter = NO_JITTER),
        breaker(name = "constants: guarded", failure_threshold = Limits::FAILURES),
        attempt_timeout = limits::ATTEMPT,
        deadline = DEADLINE;
        async {
            calls.set(calls.get() + 1);
            if calls.get() == 1 { Err(DOWN) } else { pending().await }
        }
    )
    .await;
    assert!(result.unwrap_err().is_rejection());
    assert_eq!((calls.get(), start.elapsed()), (2, 2 * SECOND));
    assert_eq!(breaker("constants: guarded").unwrap().config().failure_threshold(), Some(2));
}

struct Store<T>(T);

#[resilient(retry(max_attempts = Limits::FAILURES), deadline = DEADLINE)]
impl<T: Copy + Into<u32>> Store<T> {
    const ATTEMPTS: u32 = 3;

    async fn ask<Q: Clone + AsRef<str>>(
        &self,
        question: Q,
        calls: &Cell<u32>,
    ) -> Result<(), Failure> {
        assert!(self.0.into() > 0 && question.as_ref() == "why");
        calls.set(calls.get() + 1);
        Err(DOWN)
    }

    #[resilient(retry(max_attempts = Store::<u8>::ATTEMPTS))]
    async fn ask_more(&self, calls: &Cell<u32>) -> Result<(), Failure> {
        assert!(self.0.into() > 0);
        calls.set(calls.get() + 1);
        Err(DOWN)
    }
}

#[tokio::test(start_paused = true)]
async fn methods_and_generic_functions_take_their_numbers_from_constants() {
    let (store, calls) = (Store(7_u8), Cell::new(0));
    store.ask("why".to_owned(), &calls).await.unwrap_err();
    assert_eq!(calls.replace(0), Limits::FAILURES);
    store.ask_more(&calls).await.unwrap_err();
    assert_eq!(calls.get(), Store::<u8>::ATTEMPTS);
    assert_eq!(function("Store::ask").deadline(), Some(DEADLINE));
}

macro_rules! with_attempts {
    ($name:ident, $attempts:expr, $deadline:path) => {
        #[resilient(retry(max_attempts = $attempts), deadline = $deadline)]
        async fn $name() -> Result<(), Failure> {
            Ok(())
        }
    };
}

with_attempts!(of_a_macro, ATTEMPTS, limits::ATTEMPT);

#[tokio::test]
async fn a_macro_passes_a_constant() {
    of_a_macro().await.unwrap();
    let function = function("::of_a_macro");
    let Some(RetryRule::Row { policy, .. }) = function.retry() else { panic!("{function}") };
    assert_eq!((policy.max_attempts(), function.deadline()), (ATTEMPTS, Some(SECOND)));
}

/// Counts how often it is cloned.
struct Counted<'c>(&'c Cell<u32>);

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        self.0.set(self.0.get() + 1);
        Self(self.0)
    }
}

#[resilient(retry(max_attempts = ONE), breaker = "constants: one attempt", attempt = ctx)]
async fn attempted_once(value: Counted<'_>, calls: &Cell<u32>) -> Result<(), Failure> {
    assert!(ctx.is_last());
    calls.set(calls.get() + 1);
    assert_eq!(value.0.get(), 0);
    Err(DOWN)
}

#[tokio::test(start_paused = true)]
async fn a_constant_may_allow_a_single_attempt() {
    let (clones, calls, start) = (Cell::new(0), Cell::new(0), Instant::now());
    assert_eq!(attempted_once(Counted(&clones), &calls).await, Err(DOWN));
    assert_eq!((calls.get(), clones.get(), start.elapsed()), (1, 0, Duration::ZERO));
    assert_eq!(breaker("constants: one attempt").unwrap().stats().totals.failures, 1);
}

struct Pages;

/// The methods of a block without retries may inherit its other keys, as with a literal.
#[resilient(retry(max_attempts = ATTEMPTS), budget = "constants", idempotent = false)]
impl Pages {
    #[resilient(retry(max_attempts = ONE))]
    async fn first(&self, calls: &Cell<u32>) -> Result<(), Failure> {
        calls.set(calls.get() + 1);
        Err(DOWN)
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_overrides_the_attempts_of_its_block_by_a_constant_of_one() {
    let calls = Cell::new(0);
    Pages.first(&calls).await.unwrap_err();
    assert_eq!(calls.get(), 1);
}

static MADE: AtomicU32 = AtomicU32::new(0);

static WRITES: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let config = BreakerConfig::builder().failure_threshold(2).build().unwrap();
    CircuitBreaker::new(config).with_name(format!("constants: writes {number}"))
});

#[resilient(breaker = WRITES)]
async fn write() -> Result<(), Failure> {
    Err(DOWN)
}

async fn write_guarded() -> Result<(), Failure> {
    guard!(breaker = WRITES; async { Err(DOWN) }).await
}

#[tokio::test(start_paused = true)]
async fn functions_share_a_breaker_that_is_made_at_its_first_use() {
    write().await.unwrap_err();
    assert_eq!(WRITES.state(), BreakerState::Closed);
    write_guarded().await.unwrap_err();
    assert_eq!(WRITES.state(), BreakerState::Open);
    assert!(write().await.unwrap_err().is_rejection());
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
    assert!(std::ptr::eq(&raw const *breaker("constants: writes 0").unwrap(), &raw const *WRITES));
    assert_eq!(function("::write").breaker(), Some("constants: writes 0"));
    assert_eq!(function("::write_guarded").breaker(), Some("constants: writes 0"));
}
