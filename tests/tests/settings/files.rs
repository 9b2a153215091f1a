//! The file that an operator starts from.

use resilient_runtime::Settings;

use super::{Turn, apply};

#[test]
fn the_effective_settings_change_nothing_when_they_are_applied() {
    let _turn = Turn::take();
    let text = Settings::effective();
    let applied = Settings::from_toml_str(&text).unwrap().apply().unwrap();
    assert!(applied.is_empty(), "{applied}\n{text}");
    apply(
        "[breaker.reads]\nwindow = \"30s\"\ntrip_on = [\"timeout_error\", \"unknown\"]
         [breaker.\"by calls\"]\nslow_call_duration = \"1s\"\nignore = [\"rate_limit_error\"]
         [breaker.\"count/{collection}\".key.big]\nfailure_threshold = 50
         [retry.timeout_error]\nbackoff = \"exponential\"
         [budget.shared]\nretry_cost = 20
         [function.\"settings::program::timed\"]\ndeadline = \"30s\"\njitter = 0.5",
    );
    let text = Settings::effective();
    let applied = Settings::from_toml_str(&text).unwrap().apply().unwrap();
    assert!(applied.is_empty(), "{applied}\n{text}");
}

#[test]
fn the_effective_settings_say_where_each_number_comes_from() {
    let _turn = Turn::take();
    apply(
        "[breaker.reads]\nopen_duration = \"20s\"\n[function.\"settings::program::timed\"]\njitter = 0.5",
    );
    let text = Settings::effective();
    let section = |name: &str| {
        let (_, after) =
            text.split_once(&format!("\n[{name}]")).unwrap_or_else(|| panic!("{text}"));
        after.split("\n\n").next().unwrap().to_owned()
    };
    let reads = section("breaker.reads");
    let source = include_str!("program.rs").lines();
    let declared = source.zip(1..).find(|(line, _)| line.contains("breaker \"reads\"")).unwrap().1;
    let declared =
        format!("\nfailure_threshold = 3  # tests/tests/settings/program.rs:{declared}\n");
    assert!(reads.contains(&declared), "{reads}");
    assert!(reads.contains("\nopen_duration = \"20s\"  # line 2"), "{reads}");
    assert!(reads.contains("\n# success_threshold = 2  # default"), "{reads}");
    let timed = section("function.\"settings::program::timed\"");
    assert!(timed.contains("\ndeadline = \"5s\"  # tests/tests/settings/program.rs:"), "{timed}");
    assert!(timed.contains("\njitter = 0.5  # line 4"), "{timed}");
    assert!(timed.contains("\nmax_attempts = 8  # tests/"), "{timed}");
    assert!(!timed.contains("base_delay"), "that is its row's\n{timed}");
    assert!(section("breaker.\"by calls\"").contains("\nwindow = 10  # tests/"));
    assert!(section("retry.patient").contains("\nmax_attempts = 4  # tests/"), "{text}");
    assert!(section("retry.timeout_error").contains("\n# max_attempts = 2  # default"));
}
