//! Settings that are refused: what the errors say.

use resilient_runtime::Settings;

use super::program::once;
use super::{Turn, apply, changes, refuse};

#[test]
fn all_mistakes_are_reported_at_once_with_their_lines() {
    let _turn = Turn::take();
    let text = r#"
[breaker.raeds]
open_duration = "60s"
[breaker.reads]
failure_threshold = 0
open_duraton = "60s"
open_duration = "60"
probe_timeout = 5
failure_rate = "half"
trip_on = ["timeout"]
[braker.reads]
open_duration = "60s"
[retry.rate_limit]
max_attempts = 3
[retry.patient]
max_attempts = "3"
backoff = "quadratic"
jitter = 1.5
[budget.shared]
capacity = 2
[function."settings::program::timde"]
deadline = "3s"
[function."settings::program::patient"]
deadline = "3s"
[function."settings::program::timed"]
deadline = "0s"
"#;
    let mistakes = refuse(text);
    let expected = [
        "line 3: breaker.raeds: no circuit breaker is named `raeds`: is `reads` meant?",
        "line 5: breaker.reads.failure_threshold: `failure_threshold` must be from 1 to 65535, not 0",
        "line 6: breaker.reads.open_duraton: unknown key `open_duraton`: is `open_duration` meant?",
        "line 7: breaker.reads.open_duration: `open_duration`: `60` has no unit; write whole numbers with the units h, m, s, ms, us or ns, as in \"500ms\" or \"1m30s\"",
        "line 8: breaker.reads.probe_timeout: `probe_timeout` takes a duration in quotes, as in `probe_timeout = \"500ms\"`, not 5",
        "line 9: breaker.reads.failure_rate: `failure_rate` takes a number, as in `failure_rate = 0.5`, not \"half\"",
    ];
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert_eq!(mistake, expected);
    }
    assert!(
        mistakes[6]
            .starts_with("line 10: breaker.reads.trip_on: `trip_on`: `timeout` is not a kind")
    );
    let expected = [
        "line 12: braker.reads: no section is named `braker`: is `breaker` meant?",
        "line 14: retry.rate_limit: no retry row is named `rate_limit`: is `rate_limit_error` meant?",
        "line 16: retry.patient.max_attempts: `max_attempts` takes a whole number, as in `max_attempts = 3`, not \"3\"",
        "line 17: retry.patient.backoff: `backoff` is \"exponential\" or \"linear\", not \"quadratic\"",
        "line 18: retry.patient.jitter: `jitter` must be a number from 0 to 1, a share of the delay, not 1.5",
        "line 20: budget.shared.capacity: `capacity` is less than the cost of a retry: raise it, or lower `retry_cost`, `timeout_cost` and `rate_limit_cost`",
        "line 22: function.\"settings::program::timde\": no function is named `settings::program::timde`: is `settings::program::timed` meant?",
    ];
    for (mistake, expected) in mistakes[7..].iter().zip(expected) {
        assert_eq!(mistake, expected);
    }
    assert!(mistakes[14].starts_with(
        "line 24: function.\"settings::program::patient\".deadline: the function has no `deadline` in "
    ));
    assert!(mistakes[15].starts_with(
        "line 26: function.\"settings::program::timed\".deadline: `deadline` of 0 leaves no time"
    ));
    assert_eq!(mistakes.len(), 16);
}

#[test]
fn nothing_is_changed_if_one_setting_is_refused() {
    let _turn = Turn::take();
    let before = Settings::effective();
    refuse("[breaker.reads]\nfailure_threshold = 9\n[budget.shared]\ncapacity = 0");
    assert_eq!(Settings::effective(), before);
}

#[test]
fn settings_that_contradict_each_other_are_refused_where_they_do() {
    let _turn = Turn::take();
    for (text, line, expected) in [
        (
            "[breaker.reads]\nmax_open_duration = \"5s\"\nsuccess_threshold = 9",
            "line 2: breaker.reads.max_open_duration",
            "is shorter than `open_duration`",
        ),
        ("[breaker.reads]\nfailure_rate = 0.5", "line 2", "need a `window`"),
        ("[retry.patient]\nmax_delay = \"500ms\"", "line 2", "is shorter than `base_delay`"),
        (
            "[function.\"settings::program::timed\"]\ndeadline = \"1s\"",
            "line 2",
            "`attempt_timeout` is not shorter than `deadline`",
        ),
    ] {
        let mistakes = refuse(text);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].starts_with(line) && mistakes[0].contains(expected), "{}", mistakes[0]);
    }
}

#[tokio::test]
async fn what_source_does_not_have_cannot_be_set() {
    let _turn = Turn::take();
    once(Ok(())).await.unwrap();
    for (text, expected) in [
        (
            "[function.\"settings::program::by_kind\"]\nmax_attempts = 2",
            "takes the row of each error's own kind: change those rows",
        ),
        ("[function.\"settings::program::once\"]\nmax_attempts = 2", "allows one attempt"),
        ("[function.\"settings::program::read\"]\nmax_attempts = 2", "allows one attempt"),
        ("[breaker.reads]\nmax_keys = 2", "unknown key `max_keys`"),
        ("[breaker.reads.key.big]\nopen_duration = \"1s\"", "is the name of one breaker"),
        ("[budget.shared.key.big]\ncapacity = 5", "`key` is for breakers by a value"),
        ("breaker = 5", "a setting has a section, a name and a key"),
        ("[breaker]\nreads = 5", "a setting has a section, a name and a key"),
        ("[breaker.\"count/{collection}\".key]\nbig = 5", "a setting has a section"),
        ("[breaker.reads]\nopen_duration = 2024-01-01", "not a date"),
        (
            "[breaker.reads]\nfailure_threshold = 99999999999999999999999999",
            "must be from 1 to 65535",
        ),
        ("[breaker.reads]\nfailure_threshold = [1]", "not a list"),
    ] {
        let mistakes = refuse(text);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains(expected), "{}", mistakes[0]);
    }
}

#[test]
fn a_text_that_is_no_toml_is_refused_with_its_line() {
    let _turn = Turn::take();
    let mistakes = refuse("[breaker.reads]\nopen_duration = \"60s\nfailure_threshold = = 3");
    assert!(mistakes[0].starts_with("line 2: "), "{mistakes:?}");
    assert!(Settings::from_file("no such file").unwrap_err().to_string().contains("no such file"));
}

#[test]
fn the_nearest_of_several_layers_holds() {
    let _turn = Turn::take();
    let file = Settings::from_toml_str("[breaker.reads]\nopen_duration = \"20s\"").unwrap();
    let code = Settings::new().breaker("reads", "open_duration", "40s");
    let applied = file.merge(code).apply().unwrap();
    assert_eq!(applied.changes().len(), 1);
    assert_eq!(applied.changes()[0].new_value(), Some("\"40s\""));
    let applied = apply("");
    assert_eq!(changes(&applied), ["breaker.reads.open_duration: \"40s\" -> \"10s\""]);
    assert!(apply("").is_empty());
}
