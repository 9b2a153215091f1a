//! The dashboard and the alerts name what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use resilient_runtime::{breaker, resilient};
use resilient_tests::{DOWN, Failure};
use serde_json::Value;

use super::Metrics;
use super::text::Scrape;

const DASHBOARD: &str = include_str!("../../../examples/operating/grafana-dashboard.json");
const ALERTS: &str = include_str!("../../../examples/operating/alerts.yml");
const ALERTS_TEST: &str = include_str!("../../../examples/operating/alerts_test.yml");
const DURATION: &str = "resilient_call_duration_seconds";

#[resilient(
    retry(row = "service_unavailable", max_attempts = 2, base_delay = "1ms", jitter = 0.0),
    breaker(name = "operated", failure_threshold = 3),
    budget = "operated",
    durations = true
)]
pub(crate) async fn operated(answer: Result<u32, Failure>) -> Result<u32, Failure> {
    answer
}

/// The labels of each metric, with all their values.
type Known = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn add(known: &mut Known, scrape: &Scrape) {
    for (name, labels) in scrape.series.keys() {
        let of_metric = known.entry(name.clone()).or_default();
        for (label, value) in labels {
            of_metric.entry(label.clone()).or_default().insert(value.clone());
        }
    }
}

/// Returns what a program exports that has everything, with durations in both forms that the exporter
/// gives them.
async fn known() -> (Known, BTreeSet<String>) {
    let mut known = Known::new();
    let mut types = BTreeSet::new();
    let name = Matcher::Full(DURATION.to_owned());
    let with_buckets = PrometheusBuilder::new().set_buckets_for_metric(name, &[0.1]).unwrap();
    for builder in [PrometheusBuilder::new(), with_buckets] {
        let metrics = Metrics::serve_by(builder).await;
        assert_eq!(operated(Ok(7)).await, Ok(7));
        assert_eq!(operated(Err(DOWN)).await, Err(DOWN));
        let scrape = metrics.scrape().await;
        add(&mut known, &scrape);
        types.extend(scrape.types.into_keys());
    }
    breaker("operated").unwrap().reset();
    (known, types)
}

pub(crate) fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

/// Returns an expression of a panel with the values that Grafana gives its variables.
pub(crate) fn in_prometheus(expression: &str, interval: &str) -> String {
    let expression = expression.replace("$__rate_interval", interval).replace("$function", ".*");
    assert!(!expression.contains('$'), "a variable in {expression}");
    expression
}

/// Returns the expressions of the panels, with their legends.
fn targets(dashboard: &Value) -> impl Iterator<Item = (&str, &str)> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| (target["expr"].as_str().unwrap(), target["legendFormat"].as_str().unwrap()))
}

struct Alert<'a> {
    name: &'a str,
    expression: &'a str,
    /// The labels in its annotations.
    named: BTreeSet<&'a str>,
}

/// Reads the rules. Each expression stands on one line.
fn alerts() -> Vec<Alert<'static>> {
    let rules = ALERTS.split("- alert: ").skip(1).map(|rule| {
        let name = rule.lines().next().unwrap();
        let mut expressions = rule.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
        let expression = expressions.next().unwrap_or_else(|| panic!("{name} has no expression"));
        let named = rule.split("$labels.").skip(1);
        let named = named.map(|it| it.split(|end: char| !is_of_name(end)).next().unwrap());
        Alert { name, expression, named: named.collect() }
    });
    rules.collect()
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Returns the metrics in an expression, each with its selector in braces, which may be empty.
fn metrics_in(expression: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find("resilient_") {
        rest = &rest[start..];
        let (name, after) = rest.split_at(rest.find(|it| !is_of_name(it)).unwrap_or(rest.len()));
        let selector = after.strip_prefix('{').and_then(|it| it.split_once('}'));
        found.push((name, selector.map_or("", |(selector, _)| selector)));
        rest = after;
    }
    found
}

/// Returns the labels by which an expression sums.
fn grouped(expression: &str) -> BTreeSet<&str> {
    let groups = expression.split("by (").skip(1).filter_map(|it| it.split_once(')'));
    groups.flat_map(|(labels, _)| labels.split(", ")).collect()
}

/// Fails if an expression names a metric, a label or a value that does not exist. Returns the metrics.
fn check<'e>(expression: &'e str, known: &Known) -> BTreeSet<&'e str> {
    let metrics = metrics_in(expression);
    assert!(!metrics.is_empty(), "no metric in {expression}");
    for (name, selector) in &metrics {
        let labels = known.get(*name).unwrap_or_else(|| panic!("{name} does not exist"));
        for condition in selector.split(',').filter(|it| !it.is_empty()) {
            let (label, values) = condition.split_once(['=', '!']).unwrap();
            let values = values.trim_start_matches(['=', '~']).trim_matches('"');
            let existing = labels.get(label).unwrap_or_else(|| panic!("{name} has no {label}"));
            for value in values.split('|').filter(|value| !value.starts_with('$')) {
                assert!(existing.contains(value), "{name}{{{label}}} is never {value}");
            }
        }
        for label in grouped(expression) {
            assert!(labels.contains_key(label), "{name} has no {label} in {expression}");
        }
    }
    metrics.into_iter().map(|(name, _)| name).collect()
}

/// Fails if a text names a label that the result of the expression does not have.
fn check_kept(label: &str, expression: &str, known: &Known) {
    let kept = grouped(expression);
    let (metric, _) = metrics_in(expression)[0];
    let is_kept =
        if kept.is_empty() { known[metric].contains_key(label) } else { kept.contains(label) };
    assert!(is_kept, "{label} is not left of {expression}");
}

#[tokio::test]
async fn every_name_label_and_value_in_the_dashboard_and_the_alerts_exists() {
    let (known, types) = known().await;
    let (dashboard, alerts) = (dashboard(), alerts());
    let mut used = BTreeSet::new();
    for (expression, legend) in targets(&dashboard) {
        used.extend(check(expression, &known));
        let named = legend.split("{{").skip(1).filter_map(|it| it.split_once("}}"));
        named.for_each(|(label, _)| check_kept(label, expression, &known));
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(query) = variable["query"]["query"].as_str() {
            let inside = query.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
            let (metric, label) = inside.split_once(", ").unwrap();
            assert!(known[metric].contains_key(label), "{query}");
        }
    }
    assert_eq!(alerts.len(), ALERTS.matches("alert:").count());
    for alert in &alerts {
        used.extend(check(alert.expression, &known));
        alert.named.iter().for_each(|label| check_kept(label, alert.expression, &known));
    }
    let is_used = |name: &String| used.iter().any(|used| used.starts_with(name.as_str()));
    assert!(types.iter().all(is_used), "each of {types:?} is on the dashboard or in an alert");
}

#[tokio::test]
async fn every_alert_has_a_test_that_fires_it_from_series_that_exist() {
    let (known, _) = known().await;
    for series in ALERTS_TEST.lines().filter_map(|line| line.trim().strip_prefix("- series: ")) {
        let series = series.trim_matches('\'');
        let (name, labels) = series.split_once('{').unwrap();
        let labels = labels.trim_end_matches('}').split(',');
        let labels: BTreeSet<_> = labels.map(|it| it.split_once('=').unwrap().0).collect();
        let of_metric = known[name].keys().map(String::as_str);
        assert!(labels.iter().all(|label| known[name].contains_key(*label)), "{series}");
        let left_out: Vec<_> = of_metric.filter(|label| !labels.contains(label)).collect();
        assert!(left_out.is_empty(), "{series} lacks {left_out:?}");
    }
    let tested: Vec<_> = ALERTS_TEST.split("alertname: ").skip(1).collect();
    for alert in alerts() {
        let fires = tested.iter().any(|case| {
            let (name, after) = case.split_once('\n').unwrap();
            name == alert.name && after.trim_start().starts_with("exp_alerts:")
        });
        assert!(fires, "no test fires {}", alert.name);
    }
}

/// `.ci/run` hands the file to promtool, which reads the expressions as Prometheus does.
#[test]
fn the_expressions_of_the_dashboard_are_written_as_rules_for_promtool() {
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    let dashboard = dashboard();
    for (number, (expression, _)) in targets(&dashboard).enumerate() {
        let expression = serde_json::to_string(&in_prometheus(expression, "1m")).unwrap();
        writeln!(rules, "      - record: panel:{number}\n        expr: {expression}").unwrap();
    }
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard.yml"), rules).unwrap();
}

#[test]
fn the_panels_of_the_dashboard_do_not_overlap() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(numbers.insert(panel["id"].as_u64().unwrap()), "{} is there twice", panel["id"]);
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && taken.insert((x, y)), "{} at {x}, {y}", panel["title"]);
            }
        }
    }
}
