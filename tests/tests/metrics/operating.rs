//! The dashboard and the alerts name what there is.

use std::collections::{BTreeMap, BTreeSet};

use resilient_tests::DOWN;
use serde_json::Value;

use super::{Metrics, Scrape, search};

const DASHBOARD: &str = include_str!("../../../examples/operating/grafana-dashboard.json");
const ALERTS: &str = include_str!("../../../examples/operating/alerts.yml");

/// Returns the labels of each metric, with all their values.
fn known(scrape: &Scrape) -> BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> {
    let mut known = BTreeMap::<&str, BTreeMap<&str, BTreeSet<&str>>>::new();
    for (name, labels) in scrape.series.keys() {
        let of_metric = known.entry(name).or_default();
        for (label, value) in labels {
            of_metric.entry(label).or_default().insert(value);
        }
    }
    known
}

/// Returns the expressions of the dashboard and of the alerts.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    let of_dashboard = targets
        .map(|target| target["expr"].as_str().unwrap())
        .chain(variables.filter_map(|variable| variable["query"]["query"].as_str()));
    let of_alerts = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    of_dashboard.chain(of_alerts).map(str::to_owned).collect()
}

/// Returns the metrics in an expression, each with its selector in braces, which may be empty.
fn metrics_in(expression: &str) -> Vec<(&str, &str)> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find("resilient_") {
        rest = &rest[start..];
        let (name, after) = rest.split_at(rest.find(|it| !is_name(it)).unwrap_or(rest.len()));
        let selector = after.strip_prefix('{').and_then(|it| it.split_once('}'));
        found.push((name, selector.map_or("", |(selector, _)| selector)));
        rest = after;
    }
    found
}

/// Returns the labels by which an expression sums, and those of its legend are the same.
fn grouped(expression: &str) -> Vec<&str> {
    let groups = expression.split("by (").skip(1).filter_map(|it| it.split_once(')'));
    groups.flat_map(|(labels, _)| labels.split(", ")).collect()
}

#[tokio::test]
async fn every_name_label_and_value_in_the_dashboard_and_the_alerts_exists() {
    let metrics = Metrics::serve().await;
    let _ = search(Ok(7)).await;
    let _ = search(Err(DOWN)).await;
    let scrape = metrics.scrape().await;
    let known = known(&scrape);
    let mut used = BTreeSet::new();
    for expression in expressions() {
        let in_expression = metrics_in(&expression);
        assert!(!in_expression.is_empty(), "no metric in {expression}");
        for (name, selector) in &in_expression {
            let labels = known.get(name).unwrap_or_else(|| panic!("{name} does not exist"));
            used.insert((*name).to_owned());
            for condition in selector.split(',').filter(|it| !it.is_empty()) {
                let (label, values) = condition.split_once(['=', '!']).unwrap();
                let values = values.trim_start_matches(['=', '~']).trim_matches('"');
                let Some(existing) = labels.get(label) else { panic!("{name} has no {label}") };
                for value in values.split('|').filter(|value| !value.starts_with('$')) {
                    assert!(existing.contains(value), "{name}{{{label}}} is never {value}");
                }
            }
        }
        let (name, _) = in_expression[0];
        for label in grouped(&expression) {
            assert!(known[name].contains_key(label), "{name} has no {label} in {expression}");
        }
    }
    let all: BTreeSet<_> = scrape.types.keys().cloned().collect();
    assert_eq!(used, all, "each metric is on the dashboard or in an alert");
}

#[test]
fn the_legends_of_the_dashboard_name_labels_that_its_expressions_keep() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let (expression, legend) =
                (target["expr"].as_str().unwrap(), target["legendFormat"].as_str().unwrap());
            let named = legend.split("{{").skip(1).filter_map(|it| it.split_once("}}"));
            for (label, _) in named {
                let kept = grouped(expression);
                assert!(kept.is_empty() || kept.contains(&label), "{label} in {expression}");
            }
        }
    }
}
