//! Random files: each is applied whole or refused whole.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use resilient_runtime::Settings;

use super::Turn;

/// A line of a file, and whether it is a mistake wherever it stands.
fn line() -> impl Strategy<Value = (String, bool)> {
    let right = select(vec![
        "failure_threshold = 7",
        "open_duration = \"7s\"",
        "success_threshold = 3",
        "trip_on = [\"timeout_error\"]",
        "window = 50",
        "window = \"60s\"",
        "open_jitter = 0.5",
    ]);
    let wrong = select(vec![
        "failure_threshold = 0",
        "failure_threshold = -4",
        "failure_threshold = 1e400",
        "failure_treshold = 4",
        "open_duration = 7",
        "open_duration = \"7 parsecs\"",
        "open_jitter = nan",
        "trip_on = [\"nonsense\"]",
        "trip_on = []",
        "window = true",
        "max_keys = 99999999999999999999",
        "probe_timeout = {}",
    ]);
    prop_oneof![
        4 => right.prop_map(|line| (line.to_owned(), false)),
        1 => wrong.prop_map(|line| (line.to_owned(), true)),
        1 => any::<u32>().prop_map(|number| (format!("failure_threshold = {number}"), !(1..=65_535).contains(&number))),
    ]
}

fn section() -> impl Strategy<Value = (String, bool)> {
    let names = select(vec![
        ("breaker.reads", false),
        ("breaker.slots", false),
        ("breaker.\"count/{collection}\"", false),
        ("breaker.\"count/{collection}\".key.big", false),
        ("breaker.nothing", true),
        ("nonsense.reads", true),
        ("function.reads", true),
    ]);
    let lines = prop::collection::btree_map("[a-z]", line(), 1..5);
    (names, lines).prop_map(|((name, is_wrong), lines)| {
        let mut keys = std::collections::BTreeSet::new();
        let lines: Vec<_> = lines
            .into_values()
            .filter(|(line, _)| keys.insert(line.split('=').next().unwrap().to_owned()))
            .collect();
        let is_wrong = is_wrong || lines.iter().any(|(_, is_wrong)| *is_wrong);
        let lines: Vec<_> = lines.iter().map(|(line, _)| line.as_str()).collect();
        (format!("[{name}]\n{}\n", lines.join("\n")), is_wrong)
    })
}

#[test]
fn a_thousand_files_are_applied_whole_or_refused_whole() {
    let _turn = Turn::take();
    let file =
        (prop::collection::btree_map("[a-z]", section(), 0..5), any::<prop::sample::Index>());
    let config = Config { cases: 1_000, failure_persistence: None, ..Config::default() };
    let check = |(sections, cut): (
        std::collections::BTreeMap<String, (String, bool)>,
        prop::sample::Index,
    )| {
        let mut seen = std::collections::BTreeSet::new();
        let sections: Vec<_> = sections
            .into_values()
            .filter(|(text, _)| seen.insert(text.lines().next().unwrap().to_owned()))
            .collect();
        let is_wrong = sections.iter().any(|(_, is_wrong)| *is_wrong);
        let text: String = sections.iter().map(|(text, _)| text.as_str()).collect();
        let before = Settings::effective();
        let lines: Vec<&str> = text.lines().collect();
        match Settings::from_toml_str(&text).and_then(|settings| settings.apply()) {
            Ok(_) => prop_assert!(!is_wrong, "{}", text),
            Err(refused) => {
                prop_assert!(is_wrong, "{}\n{}", refused, text);
                prop_assert_eq!(Settings::effective(), before);
                for problem in refused.problems() {
                    let line = lines[problem.line().unwrap() - 1];
                    let key = problem.setting().unwrap().rsplit('.').next().unwrap();
                    let is_name = problem.message().starts_with("no ");
                    prop_assert!(is_name || line.starts_with(key), "{}\n{}", problem, line);
                }
            }
        }
        // Half written: whatever it is, it does no harm.
        if !text.is_empty() {
            let half: String = text.chars().take(cut.index(text.len())).collect();
            let before = Settings::effective();
            if Settings::from_toml_str(&half).and_then(|settings| settings.apply()).is_err() {
                prop_assert_eq!(Settings::effective(), before);
            }
        }
        Ok(())
    };
    TestRunner::new(config).run(&file, check).unwrap();
}

#[test]
fn a_huge_file_is_read() {
    let _turn = Turn::take();
    let mut text = String::from("[breaker.reads]\nfailure_threshold = 9\n");
    for number in 0..50_000 {
        let name = format!("breaker.\"count/{{collection}}\".key.k{number}");
        writeln!(text, "[{name}]\nfailure_threshold = 5").unwrap();
    }
    assert!(Settings::from_toml_str(&text).unwrap().apply().unwrap().changes().len() > 50_000);
    text.push_str("[breaker.reads2]\nfailure_threshold = 9\n");
    let refused = Settings::from_toml_str(&text).unwrap().apply().unwrap_err();
    assert_eq!(refused.problems()[0].line(), Some(100_004));
    let deep = "[".repeat(100_000);
    assert!(Settings::from_toml_str(&deep).is_err());
    assert!(Settings::from_toml_str(&format!("a = {}", "[".repeat(100_000))).is_err());
}
