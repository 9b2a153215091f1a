//! The numbers of functions.

use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{
    CallOutcome, CircuitBreaker, ErrorKind, Policy, RetryPolicy, RetryTable, Settings, breaker,
    breakers, catalog,
};
use resilient_tests::{DOWN, Failure};
use tokio::time::{Instant, advance};

use super::program::{Attempts, by_kind, calls, own_attempts, path, patient, timed};
use super::{Turn, apply, changes};

#[tokio::test(start_paused = true)]
async fn a_row_changes_every_function_that_uses_it() {
    let _turn = Turn::take();
    let attempts = Attempts::default();
    let applied = apply("[retry.patient]\nmax_attempts = 3\nbase_delay = \"10ms\"");
    assert_eq!(
        changes(&applied),
        [
            "retry.patient.max_attempts: 4 -> 3 (line 2)",
            "retry.patient.base_delay: \"1s\" -> \"10ms\" (line 3)",
        ]
    );
    let began = Instant::now();
    patient(&attempts).await.unwrap_err();
    assert_eq!((attempts.take(), began.elapsed()), (3, Duration::from_millis(30)));
    own_attempts(&attempts).await.unwrap_err();
    assert_eq!(attempts.take(), 2, "the function's own number holds before that of its row");
    apply("");
    patient(&attempts).await.unwrap_err();
    assert_eq!(attempts.take(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_row_of_a_kind_changes_functions_with_auto() {
    let _turn = Turn::take();
    let attempts = Attempts::default();
    apply("[retry.service_unavailable]\nmax_attempts = 6\n[retry.default]\nmax_attempts = 2");
    by_kind(&attempts, ErrorKind::ServiceUnavailable).await.unwrap_err();
    assert_eq!(attempts.take(), 6);
    by_kind(&attempts, ErrorKind::NetworkError).await.unwrap_err();
    assert_eq!(attempts.take(), 2);
    assert_eq!(RetryTable::declared().row(ErrorKind::ServiceUnavailable).max_attempts(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_function_has_numbers_of_its_own() {
    let _turn = Turn::take();
    let attempts = Attempts::default();
    Settings::new()
        .function(&path("own_attempts"), "max_attempts", 5)
        .function(&path("own_attempts"), "base_delay", Duration::from_millis(1))
        .apply()
        .unwrap();
    own_attempts(&attempts).await.unwrap_err();
    assert_eq!(attempts.take(), 5);
    patient(&attempts).await.unwrap_err();
    assert_eq!(attempts.take(), 4, "its row is as it was");
}

#[tokio::test(start_paused = true)]
async fn time_limits_change() {
    let _turn = Turn::take();
    let attempts = Attempts::default();
    let limits = |timeout, deadline| {
        Settings::new()
            .function(&path("timed"), "attempt_timeout", timeout)
            .function(&path("timed"), "deadline", deadline)
            .apply()
            .unwrap();
    };
    limits("1s", "30s");
    let began = Instant::now();
    timed(&attempts).await.unwrap_err();
    // 8 attempts of 1 s, and delays of 1 to 5 s.
    assert!(attempts.take() > 4 && began.elapsed() > Duration::from_secs(15));
    limits("1s", "1500ms");
    let began = Instant::now();
    timed(&attempts).await.unwrap_err();
    assert_eq!((attempts.take(), began.elapsed()), (1, Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_setting_reaches_the_calls_of_a_function_that_have_it() {
    let _turn = Turn::take();
    let attempts = Attempts::default();
    Settings::new().function(&path("calls"), "deadline", "1s").apply().unwrap();
    let began = Instant::now();
    calls(&attempts).await.unwrap_err();
    // 1 s until the deadline of the first, and 1, 2 and 4 s between the attempts of the second.
    assert_eq!(began.elapsed(), Duration::from_secs(1 + 7));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_by_the_numbers_with_which_it_has_begun() {
    let _turn = Turn::take();
    let policy = Policy::builder("under way")
        .retry(
            RetryPolicy::builder().base_delay(Duration::from_secs(1)).jitter(0.0).build().unwrap(),
        )
        .deadline(Duration::from_secs(60))
        .build()
        .unwrap()
        .register();
    let attempts = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let begin = || {
        let (policy, attempts) = (policy.clone(), Arc::clone(&attempts));
        tokio::spawn(async move {
            let attempt = || async {
                attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Err::<(), Failure>(DOWN)
            };
            policy.run(attempt).await
        })
    };
    let taken = || attempts.swap(0, std::sync::atomic::Ordering::Relaxed);
    for (number, text) in [(1, "max_attempts = 1"), (8, "max_attempts = 8\nmax_delay = \"1s\"")] {
        let under_way = begin();
        advance(Duration::from_millis(500)).await;
        apply(&format!("[function.\"under way\"]\n{text}"));
        under_way.await.unwrap().unwrap_err();
        assert_eq!(taken(), 3, "as it has begun");
        begin().await.unwrap().unwrap_err();
        assert_eq!(taken(), number, "a call that begins now");
        apply("");
    }
}

#[tokio::test(start_paused = true)]
async fn a_registered_policy_is_under_the_settings() {
    let _turn = Turn::take();
    apply("");
    let shared = Arc::new(CircuitBreaker::default().with_name("of a policy"));
    let build = || {
        Policy::builder("registered")
            .retry(RetryPolicy::DEFAULT)
            .breaker(Arc::clone(&shared))
            .deadline(Duration::from_secs(60))
            .build()
            .unwrap()
    };
    let unregistered = build();
    let policy = build().register();
    let listed = || {
        let catalog = catalog();
        let listed = catalog.policies().iter().filter(|it| it.name() == "registered");
        listed.map(|it| (it.file(), it.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(listed().len(), 1);
    assert!(listed()[0].0.ends_with("functions.rs"));
    let expected = "registered: 3 attempts, breaker \"of a policy\", deadline 60s";
    assert!(listed()[0].1.ends_with(expected));

    apply(
        "[function.registered]\nmax_attempts = 5\n[breaker.\"of a policy\"]\nfailure_threshold = 9",
    );
    let attempts = Attempts::default();
    let run = |policy: Policy| {
        let attempts = &attempts;
        async move {
            let attempt = || async {
                attempts.count();
                Err::<(), Failure>(DOWN)
            };
            policy.run(attempt).await.unwrap_err();
        }
    };
    run(policy.clone()).await;
    assert_eq!(attempts.take(), 5);
    run(unregistered).await;
    assert_eq!(attempts.take(), 3);
    assert_eq!(breaker("of a policy").unwrap().config().failure_threshold(), Some(9));
    assert_eq!(breakers().iter().filter(|it| *it.name() == *"of a policy").count(), 1);

    let later = Policy::builder("registered").retry(RetryPolicy::DEFAULT).build().unwrap();
    run(later.register()).await;
    assert_eq!(attempts.take(), 5, "registered under the settings");

    apply("");
    drop(policy);
    assert!(listed().is_empty());
    assert!(breaker("of a policy").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_durations_of_a_function_are_measured_while_settings_ask_for_them() {
    let _turn = Turn::take();
    let attempts = Attempts::default();
    let measured = || {
        let catalog = catalog();
        let name = path("patient");
        let function = catalog.functions().iter().find(|it| it.name() == name).unwrap();
        function.durations().of(CallOutcome::Error).count()
    };
    patient(&attempts).await.unwrap_err();
    assert_eq!(measured(), 0);
    let setting = format!("[function.\"{}\"]\ndurations = true", path("patient"));
    let change = format!("function.\"{}\".durations: none -> true (line 2)", path("patient"));
    assert_eq!(changes(&apply(&setting)), [change]);
    patient(&attempts).await.unwrap_err();
    assert_eq!(measured(), 1);
    apply("");
    patient(&attempts).await.unwrap_err();
    assert_eq!(measured(), 1);
    let refused = Settings::new().function(&path("patient"), "durations", 1).apply().unwrap_err();
    assert!(refused.to_string().contains("`durations` takes `true` or `false`, not 1"));
}
