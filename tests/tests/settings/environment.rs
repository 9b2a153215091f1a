//! Settings in environment variables. A process of its own has them: this test starts itself.

use std::env;
use std::process::Command;

use resilient_runtime::{Settings, breaker};

use super::Turn;
use super::program::{count, path};
use resilient_tests::Failure;

const VARIABLES: [(&str, &str); 7] = [
    ("RESILIENT__BREAKER__READS__OPEN_DURATION", "60s"),
    ("RESILIENT__BREAKER__BY_CALLS__FAILURE_RATE", "0.75"),
    ("RESILIENT__BREAKER__READS__TRIP_ON", "timeout_error, search_timeout"),
    ("RESILIENT__BREAKER__COUNT_COLLECTION__KEY__BIG__FAILURE_THRESHOLD", "50"),
    ("RESILIENT__RETRY__RATE_LIMIT_ERROR__MAX_ATTEMPTS", "8"),
    ("RESILIENT__FUNCTION__SETTINGS_PROGRAM_TIMED__DEADLINE", "30s"),
    ("OTHER__BREAKER__NOTHING__OPEN_DURATION", "60s"),
];

#[tokio::test]
async fn variables_are_settings() {
    const INSIDE: &str = "RESILIENT_TEST_INSIDE";
    if env::var_os(INSIDE).is_none() {
        let mut inside = Command::new(env::current_exe().unwrap());
        inside.args(["--exact", "environment::variables_are_settings"]).env(INSIDE, "1");
        assert!(inside.envs(VARIABLES).status().unwrap().success());
        return;
    }
    let _turn = Turn::take();
    let applied = Settings::from_env("RESILIENT").apply().unwrap();
    let change = |setting: &str| {
        let change = applied.changes().iter().find(|change| change.setting() == setting);
        change.map_or_else(|| panic!("{setting} in {applied}"), ToString::to_string)
    };
    assert_eq!(
        change("breaker.reads.open_duration"),
        "breaker.reads.open_duration: \"10s\" -> \"1m\" (RESILIENT__BREAKER__READS__OPEN_DURATION)"
    );
    assert!(change("breaker.\"by calls\".failure_rate").contains("0.5 -> 0.75"));
    assert!(change("breaker.reads.ignore").contains("none -> "), "what `trip_on` leaves out");
    assert!(change("retry.rate_limit_error.max_attempts").contains("5 -> 8"));
    let timed = format!("function.\"{}\".deadline", path("timed"));
    assert!(change(&timed).contains("\"5s\" -> \"30s\""));
    count("big", Ok::<(), Failure>(())).await.unwrap();
    assert_eq!(breaker("count/big").unwrap().config().failure_threshold(), Some(50));

    let refused = Settings::from_env("OTHER").apply().unwrap_err();
    assert_eq!(refused.problems().len(), 1);
    assert!(refused.to_string().contains("OTHER__BREAKER__NOTHING__OPEN_DURATION: "), "{refused}");
}
