//! State over a restart: snapshots, and what is restored from them. A snapshot is of the whole program,
//! so the tests take turns and begin with everything closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use resilient_runtime::test::isolated;
use resilient_runtime::{
    BreakerState, BreakerStatus, CircuitBreaker, ErrorKind, NotRestored, Policy, Restored,
    RetryBudget, RetryPolicy, SharedBreaker, Snapshot, breaker, breakers, budget, policies,
    resilient, restore, snapshot,
};
use resilient_tests::Failure;
use resilient_tests::events::Events;
use serde_json::{Value, json};
use tracing::Level;

const SECOND: Duration = Duration::from_secs(1);
const HOUR_IN_MILLIS: u64 = 3_600_000;

policies! {
    breaker "grows" {
        failure_threshold: 1,
        open_duration: "10s",
        open_duration_multiplier: 2.0,
        max_open_duration: "60s",
    }
    breaker "steady" { failure_threshold: 3, open_duration: "30s" }
    breaker "windowed" { window: 10, failure_rate: 0.5, minimum_calls: 2 }
    breaker "shard/{number}" { failure_threshold: 1, max_keys: 3 }
    budget "retries" { capacity: 100, retry_cost: 10, timeout_cost: 10 }
}

#[resilient(breaker = "grows")]
async fn grows(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker = "steady")]
async fn steady(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker = "windowed")]
async fn windowed(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(breaker = "shard/{number}")]
async fn shard(number: u32, result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

#[resilient(retry(max_attempts = 3, base_delay = "1ms"), budget = "retries")]
async fn retried(result: Result<(), Failure>) -> Result<(), Failure> {
    result
}

fn failed() -> Result<(), Failure> {
    Err(Failure::of(ErrorKind::ServiceUnavailable))
}

/// The turn of a test.
struct Turn(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

impl Turn {
    fn take() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = Self(TURN.lock().unwrap_or_else(PoisonError::into_inner));
        restart();
        turn
    }
}

/// Closes every breaker, as a restart does.
fn restart() {
    for breaker in breakers() {
        breaker.reset();
    }
}

fn get(name: &str) -> SharedBreaker {
    breaker(name).unwrap()
}

fn now_in_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// The snapshot as another process reads it, with changes to its text.
fn reread(snapshot: &Snapshot, change: impl FnOnce(&mut Value)) -> Snapshot {
    let mut text = serde_json::to_value(snapshot).unwrap();
    change(&mut text);
    serde_json::from_str(&text.to_string()).unwrap()
}

/// The snapshot as if the wall clock had stood still since, or gone backward.
fn without_passing_time(snapshot: &Snapshot) -> Snapshot {
    reread(snapshot, |text| text["taken_at_millis"] = json!(now_in_millis() + HOUR_IN_MILLIS))
}

/// A snapshot of these breakers, taken now.
fn of_breakers(breakers: &Value) -> Snapshot {
    let snapshot = json!({
        "version": Snapshot::VERSION,
        "taken_at_millis": now_in_millis() + HOUR_IN_MILLIS,
        "breakers": breakers,
    });
    serde_json::from_value(snapshot).unwrap()
}

/// Asserts how long a breaker stays open. The breakers of all tests count whole milliseconds from one
/// moment, and each test has a clock of its own, so a few milliseconds are lost.
#[track_caller]
fn assert_left(name: &str, expected: Duration) {
    let left = get(name).stats().time_until_half_open.unwrap();
    let lost = expected.checked_sub(left).unwrap_or_else(|| panic!("{left:?} is too long"));
    assert!(lost < Duration::from_millis(5), "{left:?} is too short");
}

fn names(restored: &Restored) -> Vec<&str> {
    restored.breakers().iter().map(|breaker| &*breaker.name).collect()
}

fn reasons(restored: &Restored) -> Vec<String> {
    restored.not_restored().iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_has_every_breaker_that_exists_and_every_budget() {
    let _turn = Turn::take();
    let own = Arc::new(CircuitBreaker::default().with_name("registered"));
    let own_budget = Arc::new(RetryBudget::named("own", resilient_runtime::BudgetConfig::DEFAULT));
    let policy = Policy::builder("outbox")
        .retry(RetryPolicy::DEFAULT)
        .breaker(own)
        .budget(own_budget)
        .build()
        .unwrap()
        .register();
    shard(7, Ok(())).await.unwrap();
    grows(failed()).await.unwrap_err();
    windowed(Ok(())).await.unwrap();
    grows(Ok(())).await.unwrap_err();
    let unknown = Err(Failure::of(ErrorKind::Unknown));
    steady(unknown).await.unwrap_err();
    get("steady").disable();

    let snapshot = snapshot();
    let listed: Vec<_> = snapshot.breakers().iter().map(|breaker| &*breaker.name).collect();
    let existing: Vec<_> = breakers().iter().map(|breaker| breaker.name().to_string()).collect();
    assert_eq!(listed, existing);
    assert!(["grows", "registered", "shard/7"].iter().all(|name| listed.contains(name)));

    let grows = snapshot.breaker("grows").unwrap();
    assert_eq!(grows.status, BreakerStatus::Open);
    let left = grows.time_until_half_open.unwrap();
    assert_left("grows", 10 * SECOND);
    assert_eq!((grows.consecutive_openings, grows.failure_count), (1, 1));
    assert!(grows.totals.rejected >= 1 && grows.window.is_none());
    assert_eq!(grows.to_string(), format!("open for {left:?}"));
    assert_eq!(snapshot.breaker("windowed").unwrap().window.unwrap().calls, 1);
    let steady = snapshot.breaker("steady").unwrap();
    assert_eq!(steady.status, BreakerStatus::Disabled);

    let budgets: Vec<_> = snapshot.budgets().iter().map(|budget| &*budget.name).collect();
    assert_eq!(budgets, ["own", "retries"]);
    assert_eq!((snapshot.budgets()[0].capacity, snapshot.budgets()[0].available), (500, 500));
    let functions = snapshot.functions().iter();
    let errors: Vec<_> = functions.filter(|it| it.unknown_errors > 0).collect();
    assert_eq!(errors.len(), 1);
    assert_eq!((&*errors[0].name, errors[0].unknown_errors), ("snapshot::steady", 1));
    drop(policy);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_survives_json() {
    let _turn = Turn::take();
    grows(failed()).await.unwrap_err();
    windowed(Ok(())).await.unwrap();
    get("steady").force_open();
    // The time left is in whole milliseconds in both.
    tokio::time::advance(Duration::from_micros(1_234_567)).await;
    let snapshot = snapshot();
    assert_eq!(reread(&snapshot, |_| {}), snapshot);
    let passed = now_in_millis() - snapshot.taken_at_millis();
    assert!(passed < 60_000, "taken {passed} ms ago");
}

#[tokio::test(start_paused = true)]
async fn what_was_open_stays_open_for_the_time_that_was_left() {
    let _turn = Turn::take();
    grows(failed()).await.unwrap_err();
    tokio::time::advance(4 * SECOND).await;
    let taken = without_passing_time(&snapshot());
    restart();

    let events = Events::catch();
    let restored = restore(&taken);
    assert_eq!(names(&restored), ["grows"]);
    assert_eq!(restored.not_restored(), []);
    assert_left("grows", 6 * SECOND);
    let left = restored.breakers()[0].time_until_half_open.unwrap();
    assert_eq!(
        restored.to_string(),
        format!("restored 1 breaker and 0 budgets\n- breaker \"grows\": open for {left:?}")
    );
    let changed = events.named("circuit breaker changed state");
    assert_eq!((changed.len(), changed[0].level), (1, Level::WARN));
    assert_eq!([changed[0].field("from"), changed[0].field("to")], ["closed", "open"]);
    let told = events.named("restored the state of a circuit breaker");
    assert_eq!((told.len(), told[0].level), (1, Level::INFO));
    let fields = ["breaker", "state", "time_left"].map(|field| told[0].field(field));
    assert_eq!(fields, ["grows", "open", &*format!("{left:?}")]);

    let rejected = grows(Ok(())).await.unwrap_err();
    assert!(rejected.is_rejection());
    tokio::time::advance(6 * SECOND).await;
    assert_eq!(get("grows").state(), BreakerState::HalfOpen);
    grows(Ok(())).await.unwrap();
    grows(Ok(())).await.unwrap();
    assert_eq!(get("grows").state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_shortens_what_was_left() {
    let _turn = Turn::take();
    for _ in 0..3 {
        steady(failed()).await.unwrap_err();
    }
    let taken = snapshot();
    restart();
    let earlier = reread(&taken, |text| text["taken_at_millis"] = json!(now_in_millis() - 10_000));
    let restored = restore(&earlier);
    let left = restored.breakers()[0].time_until_half_open.unwrap();
    assert!(left <= 20 * SECOND && left > 10 * SECOND, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_half_open_or_whose_time_is_over_is_half_open_at_once() {
    let _turn = Turn::take();
    for state in [
        json!({"state": "half_open", "time_until_half_open_millis": null}),
        json!({"state": "half_open", "time_until_half_open_millis": 5_000}),
        json!({"state": "open", "time_until_half_open_millis": 0}),
        json!({"state": "open"}),
    ] {
        let mut entry = state.clone();
        entry["name"] = json!("steady");
        assert_eq!(names(&restore(&of_breakers(&json!([entry])))), ["steady"], "{state}");
        assert_eq!(get("steady").state(), BreakerState::HalfOpen, "{state}");
        let events = Events::catch();
        steady(Ok(())).await.unwrap();
        assert_eq!(events.named("circuit breaker changed state")[0].field("to"), "half_open");
        steady(failed()).await.unwrap_err();
        assert_left("steady", 30 * SECOND);
        restart();
    }
}

#[tokio::test(start_paused = true)]
async fn openings_in_a_row_grow_on_after_a_restart() {
    let _turn = Turn::take();
    grows(failed()).await.unwrap_err();
    tokio::time::advance(10 * SECOND).await;
    grows(failed()).await.unwrap_err();
    assert_left("grows", 20 * SECOND);
    let taken = without_passing_time(&snapshot());
    restart();

    let _ = restore(&taken);
    assert_eq!(get("grows").stats().consecutive_openings, 2);
    tokio::time::advance(20 * SECOND).await;
    grows(failed()).await.unwrap_err();
    assert_eq!(get("grows").stats().consecutive_openings, 3);
    assert_left("grows", 40 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_was_held_by_hand_is_held_again() {
    let _turn = Turn::take();
    get("grows").force_open();
    get("steady").force_closed();
    get("windowed").disable();
    let taken = reread(&snapshot(), |text| text["taken_at_millis"] = json!(0));
    restart();

    let events = Events::catch();
    let restored = restore(&taken);
    assert_eq!(names(&restored), ["grows", "steady", "windowed"]);
    let held = restored.breakers().iter().map(|breaker| breaker.status);
    assert_eq!(
        held.collect::<Vec<_>>(),
        [BreakerStatus::ForcedOpen, BreakerStatus::ForcedClosed, BreakerStatus::Disabled]
    );
    let told = events.named("restored the state of a circuit breaker");
    let states: Vec<_> = told.iter().map(|event| event.field("state")).collect();
    assert_eq!(states, ["forced_open", "forced_closed", "disabled"]);
    assert!(grows(Ok(())).await.unwrap_err().is_rejection());
    for _ in 0..5 {
        assert!(!steady(failed()).await.unwrap_err().is_rejection());
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_breaker_stays_as_it_is() {
    let _turn = Turn::take();
    let taken = snapshot();
    steady(failed()).await.unwrap_err();
    let before = get("steady").stats();
    let restored = restore(&taken);
    assert_eq!(restored, Restored::default());
    assert_eq!(get("steady").stats(), before);
    assert_eq!(restored.to_string(), "restored 0 breakers and 0 budgets");
}

#[tokio::test(start_paused = true)]
async fn what_has_opened_in_this_process_keeps_its_own_state() {
    let _turn = Turn::take();
    get("steady").force_open();
    get("grows").force_open();
    let taken = snapshot();
    restart();

    grows(failed()).await.unwrap_err();
    get("steady").force_closed();
    let before = get("grows").stats();
    let state = snapshot().breaker("grows").unwrap().to_string();
    assert!(state.starts_with("open for "), "{state}");
    let restored = restore(&taken);
    assert_eq!(get("grows").stats(), before);
    assert_eq!(restored.breakers(), []);
    assert!(matches!(
        &restored.not_restored()[0],
        NotRestored::NotClosed { breaker, .. } if breaker.name == "grows"
    ));
    assert_eq!(
        reasons(&restored),
        [
            format!("breaker \"grows\": it is already {state} and keeps that state"),
            "breaker \"steady\": it is already forced_closed and keeps that state".to_owned(),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_breaker_of_a_template_is_made_if_there_is_room() {
    let _turn = Turn::take();
    // Others that the tests have made take up room, but closed ones are evicted by calls.
    let room = 3 - breakers().iter().filter(|it| it.name().starts_with("shard/")).count();
    let open = |number: usize| json!({"name": format!("shard/new{number}"), "state": "open"});
    let entries = (0..5).map(open).chain([json!({"name": "shard/a/b", "state": "open"})]);
    let restored = restore(&of_breakers(&json!(entries.collect::<Vec<_>>())));

    let made: Vec<_> = (0..room).map(|number| format!("shard/new{number}")).collect();
    assert_eq!(names(&restored), made);
    assert_eq!(breakers().iter().filter(|it| it.name().starts_with("shard/")).count(), 3);
    let (without_room, unknown) = restored.not_restored().split_at(5 - room);
    assert!(without_room.iter().all(|it| matches!(it, NotRestored::NoRoom { .. })));
    assert!(matches!(
        unknown,
        [NotRestored::UnknownBreaker { name, .. }] if name == "shard/a/b"
    ));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_several_breakers_have_is_not_guessed() {
    let _turn = Turn::take();
    let register = |name: &'static str| {
        let breaker = Arc::new(CircuitBreaker::default().with_name("twice"));
        Policy::builder(name).breaker(breaker).build().unwrap().register()
    };
    let one = register("one");
    let entry = json!([{"name": "twice", "state": "open", "held": "forced_open"}]);
    assert_eq!(names(&restore(&of_breakers(&entry))), ["twice"]);
    get("twice").reset();
    let other = register("other");
    let restored = restore(&of_breakers(&entry));
    assert_eq!(reasons(&restored), ["breaker \"twice\": several breakers have this name"]);
    drop((one, other));
}

#[tokio::test(start_paused = true)]
async fn a_budget_has_as_many_tokens_spent_as_it_had() {
    let _turn = Turn::take();
    let entry = |name: &str, capacity: u64, available: u64| json!({"name": name, "capacity": capacity, "available": available});
    let of_budgets = |budgets: Value| -> Snapshot {
        serde_json::from_value(json!({"version": 1, "budgets": budgets})).unwrap()
    };
    // Full, or more than full, is nothing to restore.
    let full = of_budgets(json!([entry("retries", 80, 80), entry("retries", 80, u64::MAX)]));
    assert_eq!(restore(&full), Restored::default());
    assert_eq!(budget("retries").unwrap().available(), 100);

    // Another capacity than today's.
    let spent = of_budgets(json!([entry("retries", 80, 50), entry("gone", 80, 50)]));
    let restored = restore(&spent);
    assert_eq!(budget("retries").unwrap().available(), 70);
    assert_eq!(
        restored.to_string(),
        "restored 0 breakers and 1 budget, did not restore 1\n\
         - budget \"retries\": 70 of 100 tokens\n\
         - not budget \"gone\": the program has no budget of this name"
    );
    let _ = restore(&spent);
    assert_eq!(budget("retries").unwrap().available(), 70, "not twice");

    retried(failed()).await.unwrap_err();
    assert_eq!(budget("retries").unwrap().available(), 50);
    let taken = snapshot();
    assert_eq!(taken.budgets()[0].available, 50);

    let _ = restore(&of_budgets(json!([entry("retries", u64::MAX, 0)])));
    assert_eq!(budget("retries").unwrap().available(), 0);
    for _ in 0..100 {
        retried(Ok(())).await.unwrap();
    }
    assert_eq!(budget("retries").unwrap().available(), 100);
}

#[tokio::test(start_paused = true)]
async fn another_version_of_the_format_restores_nothing() {
    let _turn = Turn::take();
    get("grows").force_open();
    let taken = snapshot();
    restart();
    for version in [json!(0), json!(2), json!(u64::MAX), json!(-1), json!(null)] {
        let restored = restore(&reread(&taken, |text| text["version"] = version));
        assert!(matches!(restored.not_restored(), [NotRestored::OtherVersion { .. }]));
        assert_eq!(restored.breakers(), []);
    }
    let newer = restore(&reread(&taken, |text| text["version"] = json!(2)));
    assert_eq!(
        newer.to_string(),
        "restored 0 breakers and 0 budgets, did not restore 1\n\
         - not the snapshot: it has version 2 of the format, and this program reads version 1"
    );
    assert_eq!(get("grows").state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn absurd_numbers_keep_no_breaker_open_for_longer_than_it_may() {
    let _turn = Turn::take();
    let absurd = [
        json!(u64::MAX),
        json!(i64::MIN),
        json!(-1),
        json!(1e300),
        json!(-1e300),
        json!(0.5),
        json!(null),
    ];
    for number in &absurd {
        for taken_at in &absurd {
            let text = json!({
                "version": 1,
                "taken_at_millis": taken_at,
                "breakers": [{
                    "name": "grows",
                    "state": "open",
                    "time_until_half_open_millis": number,
                    "consecutive_openings": number,
                    "failure_count": number,
                    "success_count": number,
                    "window": {"calls": number},
                    "totals": {"successes": number, "something_new": [1, {"a": null}]},
                    "something_new": {"b": []},
                }],
                "budgets": [{"name": "gone", "capacity": number, "available": number}],
                "functions": [{"name": "gone", "unknown_errors": number}],
                "something_new": null,
            });
            let snapshot: Snapshot = serde_json::from_str(&text.to_string()).unwrap();
            let restored = restore(&snapshot);
            assert_eq!(names(&restored), ["grows"], "{number} {taken_at}");
            let grows_now = get("grows");
            let left = grows_now.stats().time_until_half_open.unwrap();
            assert!(left <= 60 * SECOND, "{number} {taken_at}: {left:?}");
            tokio::time::advance(60 * SECOND).await;
            assert_eq!(grows_now.state(), BreakerState::HalfOpen);
            // What it does by itself after that is bounded too.
            grows(failed()).await.unwrap_err();
            assert!(grows_now.stats().time_until_half_open.unwrap() <= 60 * SECOND);
            tokio::time::advance(60 * SECOND).await;
            grows(Ok(())).await.unwrap();
            grows(Ok(())).await.unwrap();
            assert_eq!(grows_now.state(), BreakerState::Closed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_of_unknown_names_hide_none_that_is_known() {
    let _turn = Turn::take();
    let mut entries: Vec<_> =
        (0..5_000).map(|number| json!({"name": format!("no/{number}"), "state": "open"})).collect();
    entries.insert(2_500, json!({"name": "steady", "state": "open", "held": "disabled"}));
    entries.push(json!({"name": "grows", "state": "ajar"}));
    entries.push(json!({"state": "open"}));
    let events = Events::catch();
    let restored = restore(&of_breakers(&json!(entries)));
    assert_eq!(names(&restored), ["steady"]);
    assert_eq!(restored.not_restored().len(), 5_002);
    assert!(reasons(&restored).contains(&"breaker \"grows\": its state cannot be read".to_owned()));
    assert!(restored.to_string().lines().count() < 30);
    assert_eq!(events.all().len(), 1, "unknown names emit nothing");
}

#[tokio::test(start_paused = true)]
async fn restoring_twice_changes_nothing_more() {
    let _turn = Turn::take();
    grows(failed()).await.unwrap_err();
    let taken = without_passing_time(&snapshot());
    restart();
    let _ = restore(&taken);
    tokio::time::advance(5 * SECOND).await;
    let before = get("grows").stats();
    let again = restore(&taken);
    assert_eq!(again.breakers(), []);
    assert_eq!(get("grows").stats(), before);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_a_change_is_woken_by_a_restore() {
    let _turn = Turn::take();
    let steady = get("steady");
    let changed = steady.changed();
    let entry = json!([{"name": "steady", "state": "open", "time_until_half_open_millis": 1_000}]);
    let _ = restore(&of_breakers(&entry));
    assert_eq!(changed.await, BreakerState::Open);
    steady.wait_until_ready().await;
    assert_eq!(steady.state(), BreakerState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_result_of_a_call_from_before_the_restore_does_not_count() {
    let _turn = Turn::take();
    let steady = get("steady");
    let permit = steady.acquire().unwrap();
    let _ = restore(&of_breakers(&json!([{"name": "steady", "state": "half_open"}])));
    permit.failure();
    assert_eq!(steady.stats().time_until_half_open, Some(Duration::ZERO));
    assert_eq!(steady.state(), BreakerState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_may_take_a_snapshot_and_restore() {
    let _turn = Turn::take();
    let events = Events::catch_and(|| drop(restore(&snapshot())));
    let _ = restore(&of_breakers(&json!([{"name": "steady", "state": "open"}])));
    assert_eq!(events.named("restored the state of a circuit breaker").len(), 1);
    let Some(steady) = snapshot().breaker("steady").cloned() else { panic!("it is declared") };
    assert_eq!(steady.status, BreakerStatus::HalfOpen);
}

#[tokio::test]
async fn an_isolated_test_takes_and_restores_only_what_is_its_own() {
    let _turn = Turn::take();
    get("steady").force_open();
    isolated(async {
        assert_eq!(snapshot().breaker("steady").unwrap().status, BreakerStatus::Closed);
        let entry = json!([{"name": "steady", "state": "closed", "held": "disabled"}]);
        assert_eq!(names(&restore(&of_breakers(&entry))), ["steady"]);
        assert_eq!(snapshot().budgets().len(), 1);
        steady(Err(Failure::of(ErrorKind::Unknown))).await.unwrap_err();
        let errors = snapshot().functions().iter().map(|it| it.unknown_errors).sum::<u64>();
        assert_eq!(errors, 1, "those of other tests do not count");
    })
    .await;
    assert_eq!(snapshot().breaker("steady").unwrap().status, BreakerStatus::ForcedOpen);
}
