//! Builds a name from a template and the values of its placeholders.
//!
//! No two lists of values make the same name. A value is written so that its end can be found:
//!
//! - A value consists of [plain](is_plain) characters and of bytes as `%2F`. A `%` in a value is
//!   itself written as `%25`, so a `%` always begins a byte.
//! - The first character of the text behind a placeholder ends the value. If it is a plain one,
//!   the values of this placeholder have it as `%…` too.
//! - If another placeholder, a `%` or a U+FFFD comes directly behind a placeholder, a `,` is put in
//!   between. A `,` is not plain.
//! - U+FFFD stands in the name only behind a value that failed to display itself.
//!
//! The last value needs none of this: it is everything before the text behind it.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::part::Part;

/// A parsed name with placeholders.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    start: String,
    values: Vec<Value>,
}

/// A placeholder, and the text behind it.
#[derive(Clone, Debug)]
struct Value {
    /// A plain character that ends the value, and so is not plain in it.
    ends_at: Option<char>,
    then: String,
}

/// Written instead of what a value fails to write.
const FAILED: char = '\u{fffd}';

/// Written behind a value if the text behind it could be part of the value.
const SEPARATOR: char = ',';

impl Template {
    /// Parses a template. The macros have checked it: its only braces are those of placeholders,
    /// and doubled ones.
    pub(crate) fn parse(template: &str) -> Self {
        let mut texts = vec![String::new()];
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            let text = texts.last_mut().expect("there is at least one");
            text.push_str(before);
            if from.starts_with("{{") || from.starts_with("}}") {
                text.push_str(&from[..1]);
                rest = &from[2..];
            } else {
                rest = from.split_once('}').map_or("", |(_, after)| after);
                texts.push(String::new());
            }
        }
        texts.last_mut().expect("there is at least one").push_str(rest);

        let mut texts = texts.into_iter();
        let start = texts.next().unwrap_or_default();
        let mut values: Vec<_> = texts.map(|then| Value { ends_at: None, then }).collect();
        if let Some((_, others)) = values.split_last_mut() {
            others.iter_mut().for_each(Value::find_end);
        }
        Self { start, values }
    }

    /// Writes the name that these values make.
    pub(crate) fn write(&self, values: &[Part<'_>], to: &mut impl Write) -> fmt::Result {
        to.write_str(&self.start)?;
        for (place, value) in self.values.iter().zip(values) {
            let mut escaped = Escaped { to, ends_at: place.ends_at };
            if write!(escaped, "{}", value.0).is_err() {
                to.write_char(FAILED)?;
            }
            to.write_str(&place.then)?;
        }
        Ok(())
    }

    /// Returns the name that this value makes. `None` if there are several placeholders.
    pub(crate) fn name_of(&self, value: &dyn fmt::Display) -> Option<String> {
        if self.values.len() != 1 {
            return None;
        }
        let mut name = String::new();
        self.write(&[Part(value)], &mut name).ok()?;
        Some(name)
    }

    /// Returns whether some values make this name.
    pub(crate) fn makes(&self, name: &str) -> bool {
        let Some(mut rest) = name.strip_prefix(&*self.start) else { return false };
        let Some((last, others)) = self.values.split_last() else { return rest.is_empty() };
        for value in others {
            let (_, behind) = rest.split_at(value.length_in(rest));
            let Some(behind) = behind.strip_prefix(&*value.then) else { return false };
            rest = behind;
        }
        let value = rest.strip_suffix(&*last.then);
        value.is_some_and(|value| last.length_in(value) == value.len())
    }

    /// Returns a name that both templates can make, with `…` for any text. If a hexadecimal digit
    /// directly follows a placeholder, it may return a name that neither makes, but it never misses
    /// one.
    pub(crate) fn meets(&self, other: &Self) -> Option<String> {
        meet(&self.items(), &other.items(), &mut BTreeSet::new())
    }

    fn items(&self) -> Vec<Item> {
        let mut items: Vec<_> = self.start.chars().map(Item::Char).collect();
        for value in &self.values {
            items.push(Item::Value { ends_at: value.ends_at });
            items.extend(value.then.chars().map(Item::Char));
        }
        items
    }
}

impl Value {
    /// Ensures that the text behind the value ends it.
    fn find_end(&mut self) {
        match self.then.chars().next() {
            None | Some('%' | FAILED) => self.then.insert(0, SEPARATOR),
            Some(next) => self.ends_at = is_plain(next).then_some(next),
        }
    }

    /// Returns the length of the longest prefix of `text` that this value can be.
    fn length_in(&self, text: &str) -> usize {
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let is_byte = || {
                let digits = rest.as_bytes().get(1..3);
                digits.is_some_and(|digits| digits.iter().all(|digit| is_hex_digit(*digit)))
            };
            rest = match next {
                '%' if is_byte() => &rest[3..],
                FAILED => &rest[FAILED.len_utf8()..],
                _ if is_plain(next) && Some(next) != self.ends_at => &rest[next.len_utf8()..],
                _ => break,
            };
        }
        text.len() - rest.len()
    }
}

/// Whether a value contains this character unescaped.
fn is_plain(character: char) -> bool {
    if character.is_ascii() { is_plain_ascii(character as u8) } else { character.is_alphanumeric() }
}

const fn is_plain_ascii(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b' ')
}

/// [`is_plain_ascii`] of each byte: nearly every value consists of such bytes alone.
const PLAIN_ASCII: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        plain[byte as usize] = is_plain_ascii(byte);
        byte += 1;
    }
    plain
};

fn is_hex_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'F')
}

/// Escapes a value, so that its end can be found.
struct Escaped<'w, W> {
    to: &'w mut W,
    ends_at: Option<char>,
}

impl<W: Write> Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        let ends_at = self.ends_at;
        if ends_at.is_none() && text.bytes().all(|byte| PLAIN_ASCII[usize::from(byte)]) {
            return self.to.write_str(text);
        }
        let is_escaped = |next: char| !is_plain(next) || Some(next) == ends_at;
        while let Some(at) = rest.find(is_escaped) {
            let (plain, from) = rest.split_at(at);
            let length = from.chars().next().map_or(0, char::len_utf8);
            let (escaped, after) = from.split_at(length);
            self.to.write_str(plain)?;
            for byte in escaped.bytes() {
                write!(self.to, "%{byte:02X}")?;
            }
            rest = after;
        }
        self.to.write_str(rest)
    }
}

#[derive(Clone, Copy)]
enum Item {
    Char(char),
    Value { ends_at: Option<char> },
}

/// Whether a value that ends at this character can contain `character` in the name.
fn can_have(ends_at: Option<char>, character: char) -> bool {
    let is_digit = u8::try_from(character).is_ok_and(is_hex_digit);
    let ends = Some(character) == ends_at && !is_digit;
    matches!(character, '%' | FAILED) || is_plain(character) && !ends
}

/// Returns a text that both match. `seen` holds the lengths of what was compared before.
fn meet(one: &[Item], other: &[Item], seen: &mut BTreeSet<(usize, usize)>) -> Option<String> {
    if !seen.insert((one.len(), other.len())) {
        return None;
    }
    // What both have next, and what is left of both.
    let steps = match (one, other) {
        ([], []) => return Some(String::new()),
        ([Item::Value { .. }, one_rest @ ..], [Item::Value { .. }, other_rest @ ..]) => {
            vec![(Some('…'), one, other_rest), (Some('…'), one_rest, other)]
        }
        ([Item::Value { ends_at }, rest @ ..], [Item::Char(next), behind @ ..])
            if can_have(*ends_at, *next) =>
        {
            vec![(Some(*next), one, behind), (None, rest, other)]
        }
        ([Item::Char(next), behind @ ..], [Item::Value { ends_at }, rest @ ..])
            if can_have(*ends_at, *next) =>
        {
            vec![(Some(*next), behind, other), (None, one, rest)]
        }
        ([Item::Value { .. }, rest @ ..], _) => vec![(None, rest, other)],
        (_, [Item::Value { .. }, rest @ ..]) => vec![(None, one, rest)],
        ([Item::Char(next), one @ ..], [Item::Char(same), other @ ..]) if next == same => {
            vec![(Some(*next), one, other)]
        }
        _ => return None,
    };
    steps.into_iter().find_map(|(next, one, other)| {
        let rest = meet(one, other, seen)?;
        Some(next.into_iter().chain(rest.chars()).collect())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::part::key_part;
    use super::*;

    fn name(template: &str, values: &[&str]) -> String {
        let values: Vec<_> = values.iter().map(key_part).collect();
        let mut name = String::new();
        Template::parse(template).write(&values, &mut name).unwrap();
        name
    }

    #[test]
    fn usual_values_stand_for_themselves() {
        for value in ["docs", "docs-v1.2_x", "Straße 7", "日本", "me@example.com", ""] {
            assert_eq!(name("q/{a}", &[value]), format!("q/{value}"));
            assert_eq!(name("{a}-{{x}}", &[value]), format!("{value}-{{x}}"));
        }
    }

    #[test]
    fn what_could_be_part_of_the_template_is_escaped() {
        for (template, values, expected) in [
            ("q/{a}/{b}", ["1/2", "3"], "q/1%2F2/3"),
            ("q/{a}/{b}", ["1", "2/3"], "q/1/2%2F3"),
            ("{a}-{b}", ["1-2", "3-4"], "1%2D2-3-4"),
            ("{a}{b}", ["12", "3,4"], "12,3%2C4"),
            ("{a}%{b}", ["50%", "%"], "50%25,%%25"),
            ("{a} x{b}", ["{a}\n", "\u{202e}"], "%7Ba%7D%0A x%E2%80%AE"),
            ("{a}é{b}", ["é", "é"], "%C3%A9éé"),
        ] {
            assert_eq!(name(template, &values), expected, "{template}");
        }
    }

    /// Every list of `count` values out of these.
    fn lists<'v>(values: &[&'v str], count: usize) -> Vec<Vec<&'v str>> {
        let mut lists = vec![Vec::new()];
        for _ in 0..count {
            let with = |list: &Vec<&'v str>| {
                let list = list.clone();
                values.iter().map(move |value| [&list[..], &[*value]].concat()).collect::<Vec<_>>()
            };
            lists = lists.iter().flat_map(with).collect();
        }
        lists
    }

    const VALUES: [&str; 19] = [
        "", "a", "b", "ab", "-", "a-", "-a", "/", "a/b", "%", "%2D", "2", "D", "2D", ",", "a,b",
        "{b}", "\u{fffd}", "x-y",
    ];

    const TEXTS: [&str; 12] =
        ["", "/", "-", "a", "2", "D", "%", "%2D", ",", "\u{fffd}", "-a", "{{b}}"];

    #[test]
    fn no_two_lists_of_values_make_one_name_and_each_name_is_known_to_its_template() {
        for texts in lists(&TEXTS, 3) {
            let [start, middle, end] = texts[..] else { unreachable!("three texts each") };
            let text = format!("{start}{{x}}{middle}{{y}}{end}");
            let template = Template::parse(&text);
            let mut names = BTreeMap::new();
            for values in lists(&VALUES, 2) {
                let name = name(&text, &values);
                assert!(template.makes(&name), "{text} {values:?}: {name}");
                if let Some(other) = names.insert(name.clone(), values.clone()) {
                    panic!("{text}: {values:?} and {other:?} are both {name}");
                }
            }
        }
    }

    #[test]
    fn a_name_of_another_template_is_not_made() {
        for (template, name) in [
            ("q/{a}", "q"),
            ("q/{a}", "q/x/y"),
            ("q/{a}", "q/50%"),
            ("q/{a}", "q/{a}"),
            ("{a}-{b}", "x"),
            ("{a}-{b}x", "a-b"),
            ("{a}{b}", "ab"),
        ] {
            assert!(!Template::parse(template).makes(name), "{template} {name}");
        }
    }

    #[test]
    fn templates_that_can_make_one_name_meet_there() {
        for (one, other, name) in [
            ("q/{a}", "q/{b}", Some("q/…")),
            ("q/{a}", "q/pre-{b}", Some("q/pre-…")),
            ("q/{a}", "q/{a}-{b}", Some("q/…-…")),
            ("{a}/x", "q/{b}", Some("q/x")),
            ("q/{a}", "q/x/{b}", None),
            ("q:{a}", "q:{a}:{b}", None),
            ("q/{a}", "q/{a}/x", None),
            ("q/{a}", "r/{a}", None),
            ("{a}{b}", "{a},{b}", Some("…,…")),
            ("q/{a}", "q/{{x}}{b}", None),
        ] {
            let (left, right) = (Template::parse(one), Template::parse(other));
            assert_eq!(left.meets(&right).as_deref(), name, "{one} {other}");
            assert_eq!(right.meets(&left).is_some(), name.is_some(), "{other} {one}");
        }
    }

    #[test]
    fn templates_of_which_both_make_a_name_meet() {
        let texts: Vec<_> = lists(&TEXTS, 2)
            .iter()
            .flat_map(|texts| {
                [
                    format!("{}{{x}}{}", texts[0], texts[1]),
                    format!("{{x}}{}{{y}}{}", texts[0], texts[1]),
                ]
            })
            .collect();
        let made: Vec<_> = texts
            .iter()
            .map(|text| {
                let count = text.matches("{x}").count() + text.matches("{y}").count();
                let names = lists(&VALUES, count).into_iter().map(|values| name(text, &values));
                (Template::parse(text), names.collect::<BTreeSet<_>>())
            })
            .collect();
        for (one, names) in &made {
            for (other, _) in &made {
                if let Some(name) = names.iter().find(|name| other.makes(name)) {
                    assert!(one.meets(other).is_some(), "{one:?} {other:?} {name}");
                }
            }
        }
    }
}
