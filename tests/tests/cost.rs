//! What the attribute costs while all goes well, in counts: allocations, clones, bytes of future.

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use resilient_runtime::{
    BreakerConfig, CircuitBreaker, Policy, RetryPolicy, breaker, resilient, within,
};
use resilient_tests::{DOWN, Failure};

/// A future that is ready at once, without a runtime, which would allocate on its own.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call waits for something"),
    }
}

/// How many allocations `call` makes once everything has been looked up.
fn allocations<F: Future>(call: impl Fn() -> F) -> u64 {
    now(call());
    measure(|| {
        now(call());
    })
    .count_total
}

#[resilient(retry = "auto", breaker = "no allocation")]
async fn annotated(query: &str, limit: u32) -> Result<usize, Failure> {
    Ok(query.len() + limit as usize)
}

#[resilient(retry = "auto", breaker(name = "no allocation either", scope = "attempt"))]
async fn annotated_inside(query: &str, limit: u32) -> Result<usize, Failure> {
    Ok(query.len() + limit as usize)
}

#[test]
fn a_call_that_succeeds_at_once_allocates_nothing() {
    assert_eq!(allocations(|| annotated("query", 10)), 0);
    assert_eq!(allocations(|| annotated_inside("query", 10)), 0);
}

#[resilient(breaker = "no allocation of a breaker")]
async fn annotated_by_breaker(query: &str) -> Result<usize, Failure> {
    Ok(query.len())
}

#[test]
fn outside_of_a_request_its_time_allocates_nothing_and_inside_only_for_a_wait() {
    let breaker = CircuitBreaker::default();
    let call = || breaker.call(|| async { Ok::<_, Failure>(7) });
    assert_eq!(allocations(call), 0);
    assert_eq!(allocations(|| annotated_by_breaker("query")), 0);
    let second = Duration::from_secs(1);
    assert_eq!(allocations(|| within(second, annotated_by_breaker("query"))), 0);
    assert_eq!(allocations(|| within(second, annotated("query", 10))), 0);

    let clock = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = clock.enter();
    let timer = 1;
    assert_eq!(waits(|| waiting("query")), 0);
    assert_eq!(waits(|| within(second, waiting("query"))), timer);
}

#[resilient(breaker = "no allocation of a wait")]
async fn waiting(query: &str) -> Result<usize, Failure> {
    pending::<()>().await;
    Ok(query.len())
}

/// How many allocations the first poll of `call` makes, which has to wait.
fn waits<F: Future>(call: impl Fn() -> F) -> u64 {
    let poll = || pin!(call()).poll(&mut Context::from_waker(Waker::noop())).is_pending();
    assert!(poll());
    measure(|| assert!(poll())).count_total
}

#[resilient(retry = "auto", breaker = "keyed {query}/{limit}")]
async fn annotated_and_keyed(query: &str, limit: u32) -> Result<usize, Failure> {
    Ok(query.len() + limit as usize)
}

#[test]
fn a_breaker_for_a_value_of_the_arguments_is_found_without_an_allocation() {
    assert_eq!(allocations(|| annotated_and_keyed("query", 10)), 0);
}

#[resilient(retry = "auto", breaker = "owned")]
async fn annotated_and_owned(vector: Vec<f32>, limit: usize) -> Result<usize, Failure> {
    Ok(vector.len() + limit)
}

#[test]
fn what_is_taken_by_value_is_cloned_once_and_that_is_all() {
    let allocated_by_the_caller = 1;
    let clone = 1;
    assert_eq!(
        allocations(|| annotated_and_owned(vec![0.5; 64], 10)),
        allocated_by_the_caller + clone
    );
}

#[test]
fn a_policy_that_succeeds_at_once_allocates_nothing() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new(BreakerConfig::DEFAULT);
    let policy =
        Policy::builder("test").retry(RetryPolicy::DEFAULT).breaker(&BREAKER).build().unwrap();
    assert_eq!(allocations(|| policy.run(|| async { Ok::<_, Failure>(7) })), 0);
}

#[resilient(breaker = "open for long")]
async fn rejected() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn a_rejection_by_an_open_breaker_allocates_nothing() {
    breaker("open for long").unwrap().force_open();
    assert!(now(rejected()).unwrap_err().is_rejection());
    assert_eq!(allocations(rejected), 0);
}

/// Notes how often it is cloned, and how often dropped.
struct Counted(Rc<Cell<u32>>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.set(self.0.get() + 1);
        Self(Rc::clone(&self.0))
    }
}

#[resilient(retry(max_attempts = 4, base_delay = "1ms"))]
async fn takes(argument: Counted, calls: &Cell<u32>, succeeds_at: u32) -> Result<u32, Failure> {
    calls.set(calls.get() + 1);
    if calls.get() < succeeds_at { Err(DOWN) } else { Ok(argument.0.get()) }
}

#[resilient(retry(max_attempts = 1), breaker = "one attempt")]
async fn takes_once(argument: Counted) -> Result<u32, Failure> {
    Ok(argument.0.get())
}

#[tokio::test(start_paused = true)]
async fn n_attempts_make_one_clone_less_and_one_move() {
    for (succeeds_at, clones) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 3)] {
        let count = Rc::default();
        let _ = takes(Counted(Rc::clone(&count)), &Cell::new(0), succeeds_at).await;
        assert_eq!(count.get(), clones, "first success at attempt {succeeds_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_attempt_makes_no_clone() {
    assert_eq!(takes_once(Counted(Rc::default())).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_the_last_attempt_and_makes_no_clone() {
    let breaker = breaker("probe").unwrap();
    (0..5).for_each(|_| breaker.acquire().unwrap().failure());
    tokio::time::advance(breaker.config().open_duration()).await;
    assert_eq!(probes(Counted(Rc::default())).await, Ok(0));
}

#[resilient(retry, breaker = "probe")]
async fn probes(argument: Counted) -> Result<u32, Failure> {
    Ok(argument.0.get())
}

/// More than this is not to be added to a future, beside one copy of the by-value arguments.
const ADDED: usize = 144;

/// The sizes of a function's future: plain, with `retry`, with `breaker`, and with both.
type Sizes = [usize; 4];

/// The same function plain and with each kind of policy; how large its future is.
macro_rules! sizes_of {
    (($($arg:ident: $type:ty = $value:expr),*) $body:block) => {{
        async fn plain($($arg: $type),*) -> Result<usize, Failure> $body

        #[resilient(retry = "auto")]
        async fn retried($($arg: $type),*) -> Result<usize, Failure> $body

        #[resilient(breaker = "size")]
        async fn broken($($arg: $type),*) -> Result<usize, Failure> $body

        #[resilient(retry = "auto", breaker = "size")]
        async fn both($($arg: $type),*) -> Result<usize, Failure> $body

        [
            size_of_val(&plain($($value),*)),
            size_of_val(&retried($($value),*)),
            size_of_val(&broken($($value),*)),
            size_of_val(&both($($value),*)),
        ]
    }};
}

fn borrowing() -> Sizes {
    sizes_of!((query: &str = "query", limit: u32 = 10) {
        tokio::task::yield_now().await;
        Ok(query.len() + limit as usize)
    })
}

fn owning() -> Sizes {
    sizes_of!((vector: [f32; 32] = [0.0; 32], name: String = String::new()) {
        tokio::task::yield_now().await;
        Ok(vector.len() + name.len())
    })
}

fn holding() -> Sizes {
    sizes_of!((query: &str = "query") {
        let buffer = [0_u8; 4096];
        tokio::task::yield_now().await;
        Ok(query.len() + buffer.len())
    })
}

#[derive(Clone)]
struct Owner([f32; 32]);

impl Owner {
    async fn plain(self) -> Result<usize, Failure> {
        tokio::task::yield_now().await;
        Ok(self.0.len())
    }

    #[resilient(retry = "auto")]
    async fn retried(self) -> Result<usize, Failure> {
        tokio::task::yield_now().await;
        Ok(self.0.len())
    }

    #[resilient(breaker = "size")]
    async fn broken(self) -> Result<usize, Failure> {
        tokio::task::yield_now().await;
        Ok(self.0.len())
    }

    #[resilient(retry = "auto", breaker = "size")]
    async fn both(self) -> Result<usize, Failure> {
        tokio::task::yield_now().await;
        Ok(self.0.len())
    }

    fn sizes() -> Sizes {
        let owner = Self([0.0; 32]);
        [
            size_of_val(&owner.clone().plain()),
            size_of_val(&owner.clone().retried()),
            size_of_val(&owner.clone().broken()),
            size_of_val(&owner.both()),
        ]
    }
}

#[test]
fn the_future_grows_by_little() {
    let by_value = [size_of::<(&str, u32)>(), size_of::<([f32; 32], String)>(), 0, 128];
    let sizes = [borrowing(), owning(), holding(), Owner::sizes()];
    println!("plain, retry, breaker, both: {sizes:?}");
    for ([plain, annotated @ ..], by_value) in sizes.into_iter().zip(by_value) {
        for annotated in annotated {
            let added = annotated - plain;
            assert!(added <= ADDED + by_value, "{added} bytes, {by_value} of them arguments");
        }
    }
}

/// On the machines and by the compiler that the table names.
#[cfg(target_pointer_width = "64")]
#[test]
fn the_table_of_sizes_in_the_documentation_is_true() {
    let rows = [
        ("takes `&str` and `u32`", borrowing()),
        ("takes `[f32; 32]` and `String`", owning()),
        ("takes `self` of 128 bytes", Owner::sizes()),
        ("takes `&str`, and holds `[u8; 4096]`", holding()),
    ];
    let table: String = rows
        .map(|(function, [plain, retried, broken, both])| {
            format!("/// | {function} | {plain} | {retried} | {broken} | {both} |\n")
        })
        .concat();
    let documentation = include_str!("../../resilient-macros/src/lib.rs");
    assert!(
        documentation.contains(&table),
        "the table in the documentation of `#[resilient]` should say:\n{table}"
    );
}
