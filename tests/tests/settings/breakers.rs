//! What a change means in each state of a breaker.

use std::time::Duration;

use resilient_runtime::{BreakerState, CircuitBreaker, Settings, breaker, breakers, budget};
use resilient_tests::events::Events;
use resilient_tests::{DOWN, Failure};
use tokio::time::{advance, sleep};

use super::program::{count, of_a_static, read, slots, windowed};
use super::{Turn, apply, changes};

async fn fail(breaker: &CircuitBreaker, times: u32) {
    for _ in 0..times {
        let _ = breaker.call(|| async { Err::<(), Failure>(DOWN) }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_threshold_below_the_failures_so_far_opens_at_the_next_failure() {
    let _turn = Turn::take();
    let reads = breaker("reads").unwrap();
    reads.reset();
    fail(&reads, 2).await;
    let applied = apply("[breaker.reads]\nfailure_threshold = 1");
    assert_eq!(changes(&applied), ["breaker.reads.failure_threshold: 3 -> 1 (line 2)"]);
    assert_eq!(reads.state(), BreakerState::Closed, "the change alone opens nothing");
    assert_eq!(reads.stats().failure_count, 2);
    read(Err(DOWN)).await.unwrap_err();
    assert_eq!(reads.state(), BreakerState::Open);
    reads.reset();
}

#[tokio::test(start_paused = true)]
async fn a_threshold_above_the_failures_so_far_counts_on() {
    let _turn = Turn::take();
    let reads = breaker("reads").unwrap();
    reads.reset();
    fail(&reads, 2).await;
    apply("[breaker.reads]\nfailure_threshold = 5");
    fail(&reads, 2).await;
    assert_eq!(reads.state(), BreakerState::Closed);
    fail(&reads, 1).await;
    assert_eq!(reads.state(), BreakerState::Open);
    reads.reset();
}

#[tokio::test(start_paused = true)]
async fn an_opening_under_way_ends_when_it_was_going_to() {
    let _turn = Turn::take();
    let opening = breaker("opening").unwrap();
    fail(&opening, 3).await;
    apply("[breaker.opening]\nopen_duration = \"1s\"");
    advance(Duration::from_secs(9)).await;
    assert_eq!(opening.state(), BreakerState::Open, "of the 10 s with which it opened");
    advance(Duration::from_millis(1_001)).await;
    assert_eq!(opening.state(), BreakerState::HalfOpen);
    fail(&opening, 1).await;
    advance(Duration::from_millis(1_001)).await;
    assert_eq!(opening.state(), BreakerState::HalfOpen, "the next opening is a shorter one");
}

#[tokio::test(start_paused = true)]
async fn a_window_of_another_sort_begins_empty_and_the_same_one_goes_on() {
    let _turn = Turn::take();
    let by_calls = breaker("by calls").unwrap();
    by_calls.reset();
    windowed(Err(DOWN)).await.unwrap_err();
    windowed(Ok(())).await.unwrap();
    apply("[breaker.\"by calls\"]\nfailure_rate = 0.6");
    assert_eq!(by_calls.stats().window.unwrap().calls, 2, "the window is the same");
    apply("[breaker.\"by calls\"]\nwindow = \"60s\"\nminimum_calls = 2");
    assert_eq!(by_calls.stats().window.unwrap().calls, 0);
    windowed(Ok(())).await.unwrap();
    windowed(Err(DOWN)).await.unwrap_err();
    assert_eq!(by_calls.state(), BreakerState::Open);
    by_calls.reset();

    let reads = breaker("reads").unwrap();
    reads.reset();
    apply("[breaker.reads]\nwindow = 4\nfailure_rate = 0.9");
    assert_eq!(reads.config().failure_threshold(), Some(3), "of source, and in the window now");
    for result in [Err(DOWN), Ok(())] {
        let _ = read(result).await;
    }
    assert_eq!(reads.stats().window.unwrap().calls, 2);
    apply("");
    assert_eq!(reads.stats().window, None);
    reads.reset();
}

#[tokio::test(start_paused = true)]
async fn more_probes_are_admitted_at_once_and_those_in_flight_go_on() {
    let _turn = Turn::take();
    let breaker = breaker("slots").unwrap();
    breaker.reset();
    slots(Err(DOWN)).await.unwrap_err();
    advance(Duration::from_millis(1_001)).await;
    let first = breaker.acquire().unwrap();
    assert!(breaker.acquire().is_err());
    apply("[breaker.slots]\nhalf_open_max_calls = 2");
    let second = breaker.acquire().unwrap();
    assert!(breaker.acquire().is_err());
    apply("[breaker.slots]\nsuccess_threshold = 2");
    first.success();
    second.success();
    assert_eq!(breaker.state(), BreakerState::Closed, "2 of the 3 that source asks for");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_task_learns_that_more_probes_are_allowed() {
    let _turn = Turn::take();
    let breaker = breaker("waiting").unwrap();
    fail(&breaker, 1).await;
    advance(Duration::from_millis(1_001)).await;
    let _hanging = breaker.acquire().unwrap();
    let waiting = tokio::spawn({
        let breaker = breaker.clone();
        async move { breaker.wait_until_ready().await }
    });
    sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    apply("[breaker.waiting]\nhalf_open_max_calls = 2");
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_began_before_calls_were_timed_is_not_slow() {
    let _turn = Turn::take();
    let reads = breaker("reads").unwrap();
    reads.reset();
    let before = reads.acquire().unwrap();
    apply("[breaker.reads]\nwindow = 10\nslow_call_duration = \"1s\"");
    sleep(Duration::from_secs(5)).await;
    before.success();
    assert_eq!(reads.stats().window.unwrap().slow_calls, 0);
    let after = reads.acquire().unwrap();
    sleep(Duration::from_secs(5)).await;
    after.success();
    assert_eq!(reads.stats().window.unwrap().slow_calls, 1);
    reads.reset();
}

#[tokio::test]
async fn a_static_breaker_has_settings_too() {
    let _turn = Turn::take();
    apply("[breaker.\"of a static\"]\nfailure_threshold = 1");
    of_a_static(Err(DOWN)).await.unwrap_err();
    assert!(of_a_static(Ok(())).await.unwrap_err().is_rejection());
    super::program::STATIC.reset();
}

#[tokio::test]
async fn a_template_has_settings_and_each_of_its_breakers() {
    let _turn = Turn::take();
    count("big", Ok(())).await.unwrap();
    let applied = apply(
        "[breaker.\"count/{collection}\"]
         failure_threshold = 4
         max_keys = 2
         [breaker.\"count/{collection}\".key.big]
         failure_threshold = 50
         [breaker.\"count/a%2Fb\"]
         failure_threshold = 60",
    );
    assert_eq!(
        changes(&applied)[..2],
        [
            "breaker.\"count/{collection}\".failure_threshold: 2 -> 4 (line 2)",
            "breaker.\"count/{collection}\".max_keys: 3 -> 2 (line 3)",
        ]
    );
    count("small", Ok(())).await.unwrap();
    count("a/b", Ok(())).await.unwrap();
    let threshold =
        |name: &str| breaker(name).map(|breaker| breaker.config().failure_threshold().unwrap());
    assert_eq!(threshold("count/a%2Fb"), Some(60), "made after the settings");
    assert_eq!(threshold("count/small"), Some(4));
    assert_eq!(threshold("count/big"), None, "two are allowed now, and it was evicted");
    count("big", Ok(())).await.unwrap();
    assert_eq!(threshold("count/big"), Some(50), "made again");
    apply("");
    assert_eq!(threshold("count/big"), Some(2));
    let listed = breakers().iter().filter(|it| it.name().starts_with("count/")).count();
    assert_eq!(listed, 2);
}

#[tokio::test]
async fn a_budget_keeps_what_is_spent() {
    let _turn = Turn::take();
    let shared = budget("shared").unwrap();
    let applied = apply("[budget.shared]\ncapacity = 1000\nretry_cost = 20");
    assert_eq!(
        changes(&applied),
        [
            "budget.shared.capacity: 100 -> 1000 (line 2)",
            "budget.shared.retry_cost: 5 -> 20 (line 3)",
            "budget.shared.timeout_cost: 10 -> 20",
        ],
        "a retry after a timeout never costs less than another"
    );
    assert_eq!(shared.available(), 1000);
    apply("");
    assert_eq!(shared.available(), 100);
}

#[tokio::test]
async fn each_change_is_an_event() {
    let _turn = Turn::take();
    let events = Events::catch();
    Settings::new().breaker("reads", "open_duration", "20s").apply().unwrap();
    let changed = events.named("setting changed");
    assert_eq!(changed.len(), 1);
    let field = |name| changed[0].field(name).to_owned();
    assert_eq!(field("setting"), "breaker.reads.open_duration");
    assert_eq!((field("from"), field("to")), ("\"10s\"".to_owned(), "\"20s\"".to_owned()));
    assert!(field("origin").contains("breakers.rs:"), "{}", field("origin"));
}
