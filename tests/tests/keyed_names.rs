//! The names that templates make, for any template and any values.

use std::fmt;

use proptest::prelude::*;
use resilient_runtime::__private::{KeyedSite, key_part};

/// A value of a placeholder, which may fail to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    text: String,
    fails: bool,
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        if self.fails { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Mostly what escapes and separates, so that a name seldom has only one reading.
fn text(max: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        8 => prop::sample::select(vec!['/', '-', '%', '2', 'D', 'F', ',', 'a', '{', '}', '\u{fffd}']),
        1 => any::<char>(),
    ];
    prop::collection::vec(character, 0..=max).prop_map(String::from_iter)
}

fn value() -> impl Strategy<Value = Value> {
    (text(4), prop::bool::weighted(0.1)).prop_map(|(text, fails)| Value { text, fails })
}

/// A template of these texts, with a placeholder between each two.
fn site(texts: &[String]) -> KeyedSite {
    let doubled = |text: &String| text.replace('{', "{{").replace('}', "}}");
    let texts: Vec<_> = texts.iter().map(doubled).collect();
    KeyedSite::new(Box::leak(texts.join("{value}").into_boxed_str()))
}

fn name(site: &KeyedSite, values: &[Value]) -> String {
    let values: Vec<_> = values.iter().map(key_part).collect();
    site.get(&values).name().to_string()
}

/// All ways to part the same text in two, at each place where `between` is.
fn readings(text: &str, between: &str) -> Vec<[Value; 2]> {
    let value = |text: &str| Value { text: text.to_owned(), fails: false };
    let at = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let parts = at.filter_map(|at| {
        let (one, rest) = text.split_at(at);
        Some([value(one), value(rest.strip_prefix(between)?)])
    });
    parts.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn equal_names_come_from_equal_values(
        (texts, one, other) in (2_usize..=4).prop_flat_map(|placeholders| (
            prop::collection::vec(text(2), placeholders + 1),
            prop::collection::vec(value(), placeholders),
            prop::collection::vec(value(), placeholders),
        )),
    ) {
        let site = site(&texts);
        prop_assert_eq!(name(&site, &one) == name(&site, &other), one == other);
    }

    #[test]
    fn each_reading_of_a_text_has_a_name_of_its_own(
        (start, between, end) in (text(1), text(2), text(2)),
        values in prop::collection::vec(text(3), 2..=4),
    ) {
        let text = values.join(&between);
        let site = site(&[start, between.clone(), end]);
        let mut names: Vec<_> =
            readings(&text, &between).iter().map(|values| name(&site, values)).collect();
        let readings = names.len();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), readings);
    }

    #[test]
    fn usual_values_stand_for_themselves(
        values in prop::collection::vec("[a-zA-Z0-9äéß日_. -]{0,12}", 2),
    ) {
        let texts = ["q/", "/", ""].map(str::to_owned);
        let values: Vec<_> =
            values.into_iter().map(|text| Value { text, fails: false }).collect();
        let expected = format!("q/{}/{}", values[0], values[1]);
        prop_assert_eq!(name(&site(&texts), &values), expected);
    }
}
