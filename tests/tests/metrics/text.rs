//! The text format of Prometheus, read strictly: what Prometheus would refuse, or would read in a way
//! that an exporter does not mean, fails a test.

use std::collections::BTreeMap;

/// The labels of a series, by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// What Prometheus has read.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) series: BTreeMap<(String, Labels), f64>,
    /// The type of each metric, by its name.
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) described: Vec<String>,
}

impl Scrape {
    pub(crate) fn parse(text: &str) -> Self {
        let mut scrape = Self::default();
        // The samples of a metric stand together, after its type.
        let mut family = String::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(typed) = line.strip_prefix("# TYPE ") {
                let (name, kind) = typed.split_once(' ').unwrap();
                let before = scrape.types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} has two types");
                name.clone_into(&mut family);
            } else if let Some(described) = line.strip_prefix("# HELP ") {
                let (name, help) = described.split_once(' ').unwrap();
                assert!(!help.is_empty(), "{name} has an empty description");
                scrape.described.push(name.to_owned());
            } else {
                let (name, labels, value) = sample(line);
                assert!(belongs(&name, &family, &scrape.types), "{name} stands below {family}");
                if scrape.types[&family] == "counter" {
                    assert!(value >= 0.0 && value.fract() == 0.0, "{line}");
                }
                let before = scrape.series.insert((name, labels), value);
                assert_eq!(before, None, "{line} is there twice");
            }
        }
        scrape
    }

    /// Returns the value of one series.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name} {labels:?} in {self:#?}"))
    }

    pub(crate) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.series.get(&(name.to_owned(), labels.collect())).copied()
    }

    /// Returns the sum of the series of a metric with this label.
    pub(crate) fn sum(&self, name: &str, (label, value): (&str, &str)) -> f64 {
        let all = self.series.iter().filter(|((known, labels), _)| {
            known == name && labels.get(label).is_some_and(|known| known == value)
        });
        all.map(|(_, value)| value).sum()
    }

    /// Returns the states of a breaker that are not 0, with their values.
    pub(crate) fn states(&self, breaker: &str) -> Vec<(String, f64)> {
        let all = self.series.iter().filter(|((name, labels), _)| {
            name == "resilient_breaker_state" && labels["breaker"] == breaker
        });
        let all: Vec<_> =
            all.map(|((_, labels), value)| (labels["state"].clone(), *value)).collect();
        assert!(all.is_empty() || all.len() == 6, "{breaker} has {all:?}");
        all.into_iter().filter(|(_, value)| *value != 0.0).collect()
    }

    /// Fails if a counter is lower than before, or is gone.
    pub(crate) fn assert_follows(&self, before: &Self) {
        for ((name, labels), value) in &before.series {
            if before.types.get(name).is_some_and(|kind| kind == "counter") {
                let now = self.series.get(&(name.clone(), labels.clone())).copied();
                assert!(now >= Some(*value), "{name} {labels:?} went from {value} to {now:?}");
            }
        }
    }
}

/// Whether a sample of this name belongs to the metric.
fn belongs(sample: &str, metric: &str, types: &BTreeMap<String, String>) -> bool {
    let kind = types.get(metric).map(String::as_str);
    matches!(
        (sample.strip_prefix(metric), kind),
        (Some(""), Some("counter" | "gauge" | "summary"))
            | (Some("_sum" | "_count"), Some("summary" | "histogram"))
            | (Some("_bucket"), Some("histogram"))
    )
}

/// Reads `name{label="value",label="value"} 7`.
fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").unwrap();
            assert!(is_name(label), "{label:?} in {line}");
            let (value, after) = quoted(after);
            let before = labels.insert(label.to_owned(), value);
            assert_eq!(before, None, "{label} is there twice in {line}");
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    assert!(is_name(name), "{name:?} in {line}");
    let value = rest.strip_prefix(' ').unwrap().parse().unwrap();
    (name.to_owned(), labels, value)
}

fn is_name(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
        && text.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// Reads up to the closing quotation mark. Returns the value without escapes, and what follows.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => '\n',
                Some(escaped @ ('"' | '\\')) => escaped,
                other => panic!("an escape of {other:?} in {text}"),
            }),
            other => value.push(other),
        }
    }
    panic!("no closing quotation mark in {text}")
}

#[test]
fn labels_are_read_without_their_escapes() {
    let (name, labels, value) = sample(r#"calls_total{a="x,y=\"{z}\" \\n\n",b=""} 1.5"#);
    assert_eq!((name.as_str(), value), ("calls_total", 1.5));
    assert_eq!(labels["a"], "x,y=\"{z}\" \\n\n");
    assert_eq!(labels["b"], "");
    assert_eq!(sample("up 1"), ("up".to_owned(), Labels::new(), 1.0));
}

#[test]
#[should_panic(expected = "is there twice")]
fn a_series_that_is_there_twice_is_refused() {
    Scrape::parse("# TYPE up gauge\nup{a=\"1\"} 1\nup{a=\"1\"} 0\n");
}

#[test]
#[should_panic(expected = "stands below")]
fn a_sample_without_its_type_is_refused() {
    Scrape::parse("# TYPE up gauge\ndown 1\n");
}
