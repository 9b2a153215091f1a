//! Paths into a payload, in Qdrant's syntax: `city`, `address.city`, `stops[].city`,
//! `stops[0].city`, `"a.b".c`.

use std::fmt;

use super::point::{Payload, Value};

/// A path into a payload.
///
/// ```
/// use resilient_testkit::store::Path;
///
/// assert!(Path::parse("stops[].city").is_some());
/// assert!(Path::parse("no spaces").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    Every,
}

impl Path {
    /// Parses a path. Returns `None` if it is invalid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (key, mut rest) = parse_key(text)?;
        let mut steps = vec![Step::Key(key)];
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let (key, after) = parse_key(after)?;
                steps.push(Step::Key(key));
                rest = after;
            } else {
                let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(if index.is_empty() {
                    Step::Every
                } else if index.bytes().all(|byte| byte.is_ascii_digit()) {
                    Step::Index(index.parse().ok()?)
                } else {
                    return None;
                });
                rest = after;
            }
        }
        Some(Self(steps))
    }

    /// Returns the path to the elements of the array at this path.
    pub(crate) fn elements(&self) -> Self {
        let mut steps = self.0.clone();
        if steps.last() != Some(&Step::Every) {
            steps.push(Step::Every);
        }
        Self(steps)
    }

    /// Appends a path to this one.
    pub(crate) fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// Returns the values at the path.
    pub(crate) fn get<'a>(&self, payload: &'a Payload) -> Vec<&'a Value> {
        let mut found = Vec::new();
        if let Some((value, rest)) = self.enter(payload) {
            collect(rest, value, &mut found);
        }
        found
    }

    fn enter<'a>(&self, payload: &'a Payload) -> Option<(&'a Value, &[Step])> {
        match self.0.split_first()? {
            (Step::Key(key), rest) => Some((payload.get(key)?, rest)),
            _ => None,
        }
    }

    /// Merges `values` into the object at the path. A missing object is created.
    ///
    /// Null removes its key. An empty payload is an exception: Qdrant replaces it instead of merging.
    pub(crate) fn merge(path: Option<&Self>, payload: &mut Payload, values: &Payload) {
        match path {
            None if payload.is_empty() => payload.clone_from(values),
            _ => merge_into(path.map_or(&[], |path| &path.0), payload, values),
        }
    }

    /// Removes the values at the path.
    ///
    /// Single elements of an array are not removed: a repeated call would remove further elements.
    pub(crate) fn remove(&self, payload: &mut Payload) {
        remove_from(&self.0, payload);
    }

    /// Returns the part of a payload that lies on one of the paths.
    pub(crate) fn keep(paths: &[Self], payload: &Payload) -> Payload {
        select(payload, &|trail| {
            paths.iter().any(|path| path.0.iter().zip(trail).all(|(a, b)| a == b))
        })
    }

    /// Returns a payload without the values at the paths.
    pub(crate) fn omit(paths: &[Self], payload: &Payload) -> Payload {
        select(payload, &|trail| !paths.iter().any(|path| trail.starts_with(&path.0)))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    if !key.is_empty() && key.chars().all(is_plain) {
                        f.write_str(key)?;
                    } else {
                        write!(f, "\"{key}\"")?;
                    }
                }
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Every => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

/// Returns whether a key may have this character without quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn parse_key(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (key, rest) = quoted.split_once('"')?;
        return (!key.contains('\\')).then(|| (key.to_owned(), rest));
    }
    let end = text.find(|c| !is_plain(c)).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

fn collect<'a>(steps: &[Step], value: &'a Value, found: &mut Vec<&'a Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    match (step, value) {
        (Step::Key(key), Value::Object(object)) => {
            if let Some(value) = object.get(key) {
                collect(rest, value, found);
            }
        }
        (Step::Index(index), Value::List(list)) => {
            if let Some(value) = list.get(*index) {
                collect(rest, value, found);
            }
        }
        (Step::Every, Value::List(list)) => {
            for value in list {
                collect(rest, value, found);
            }
        }
        _ => {}
    }
}

fn merge_into(steps: &[Step], object: &mut Payload, values: &Payload) {
    match steps.split_first() {
        Some((Step::Key(key), rest)) => {
            let value = object.entry(key.clone()).or_insert(Value::Null);
            merge_value(rest, value, values);
        }
        Some(_) => {}
        None => {
            for (key, value) in values {
                if *value == Value::Null {
                    object.remove(key);
                } else {
                    object.insert(key.clone(), value.clone());
                }
            }
        }
    }
}

fn merge_value(steps: &[Step], value: &mut Value, values: &Payload) {
    match steps.split_first() {
        Some((Step::Index(index), rest)) => {
            if let Some(element) = as_list(value).get_mut(*index) {
                merge_value(rest, element, values);
            }
        }
        Some((Step::Every, rest)) => {
            for element in as_list(value) {
                merge_value(rest, element, values);
            }
        }
        _ => merge_into(steps, as_object(value), values),
    }
}

/// Returns the object in a value. A value of another type becomes an empty object.
fn as_object(value: &mut Value) -> &mut Payload {
    if !matches!(value, Value::Object(_)) {
        *value = Value::Object(Payload::new());
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it was made an object above"),
    }
}

/// Returns the list in a value. A value of another type becomes an empty list.
fn as_list(value: &mut Value) -> &mut Vec<Value> {
    if !matches!(value, Value::List(_)) {
        *value = Value::List(Vec::new());
    }
    match value {
        Value::List(list) => list,
        _ => unreachable!("it was made a list above"),
    }
}

fn remove_from(steps: &[Step], object: &mut Payload) {
    match steps {
        [Step::Key(key)] => {
            object.remove(key);
        }
        [Step::Key(key), rest @ ..] => {
            if let Some(value) = object.get_mut(key) {
                remove_value(rest, value);
            }
        }
        _ => {}
    }
}

fn remove_value(steps: &[Step], value: &mut Value) {
    match (steps, value) {
        ([Step::Key(_), ..], Value::Object(object)) => remove_from(steps, object),
        ([Step::Every], Value::List(list)) => list.clear(),
        ([Step::Every, rest @ ..], Value::List(list)) => {
            for value in list {
                remove_value(rest, value);
            }
        }
        ([Step::Index(index), rest @ ..], Value::List(list)) if !rest.is_empty() => {
            if let Some(value) = list.get_mut(*index) {
                remove_value(rest, value);
            }
        }
        _ => {}
    }
}

fn select(payload: &Payload, wanted: &dyn Fn(&[Step]) -> bool) -> Payload {
    select_object(&mut Vec::new(), payload, wanted)
}

fn select_object(
    trail: &mut Vec<Step>,
    object: &Payload,
    wanted: &dyn Fn(&[Step]) -> bool,
) -> Payload {
    let mut selected = Payload::new();
    for (key, value) in object {
        trail.push(Step::Key(key.clone()));
        if wanted(trail) {
            selected.insert(key.clone(), select_value(trail, value, wanted));
        }
        trail.pop();
    }
    selected
}

fn select_value(trail: &mut Vec<Step>, value: &Value, wanted: &dyn Fn(&[Step]) -> bool) -> Value {
    match value {
        Value::Object(object) => Value::Object(select_object(trail, object, wanted)),
        Value::List(list) => {
            trail.push(Step::Every);
            // Every element has the same trail: a path cannot select one of them.
            let elements: &[Value] = if wanted(trail) { list } else { &[] };
            let selected =
                elements.iter().map(|value| select_value(trail, value, wanted)).collect();
            trail.pop();
            Value::List(selected)
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap_or_else(|| panic!("{text} is a path"))
    }

    fn object(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Payload {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn trip() -> Payload {
        let stop = |city: &str, nights| {
            Value::Object(object([
                ("city", Value::String(city.to_owned())),
                ("nights", Value::Integer(nights)),
            ]))
        };
        object([
            ("stops", Value::List(vec![stop("Oslo", 1), stop("Bergen", 2)])),
            ("home", Value::Object(object([("zip", Value::Integer(7))]))),
        ])
    }

    #[test]
    fn paths_are_read() {
        for text in ["a", "a.b", "a[]", "a[3].b", "a-b_c.\"d e[.]\"", "größe"] {
            assert!(Path::parse(text).is_some(), "{text}");
        }
        for text in ["", ".", "a.", "a b", "a[", "a[x]", "a]", "[0]", "a[+1]", "\"a"] {
            assert!(Path::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_path_is_written_as_it_is_read() {
        for text in ["a", "a.b", "a[]", "a[3].b", "a-b_c.\"d e[.]\"", "größe"] {
            assert_eq!(path(text).to_string(), text);
        }
    }

    #[test]
    fn an_empty_payload_takes_nulls_and_another_one_loses_keys_by_them() {
        let values = object([("x", Value::Null), ("y", Value::Integer(2))]);
        let mut payload = Payload::new();
        Path::merge(None, &mut payload, &values);
        assert_eq!(payload, values);
        Path::merge(None, &mut payload, &values);
        assert_eq!(payload, object([("y", Value::Integer(2))]));
    }

    #[test]
    fn only_brackets_lead_into_a_list() {
        let trip = trip();
        assert_eq!(path("home.zip").get(&trip), [&Value::Integer(7)]);
        assert_eq!(path("stops[].nights").get(&trip).len(), 2);
        assert_eq!(path("stops[1].nights").get(&trip), [&Value::Integer(2)]);
        assert!(path("stops.nights").get(&trip).is_empty());
        assert!(path("stops[7].nights").get(&trip).is_empty());
    }

    #[test]
    fn merging_makes_the_way_and_null_removes() {
        let mut payload = trip();
        let values = object([("zip", Value::Null), ("city", Value::Bool(true))]);
        Path::merge(Some(&path("home")), &mut payload, &values);
        Path::merge(Some(&path("new.nest")), &mut payload, &values);
        assert_eq!(path("home.zip").get(&payload), Vec::<&Value>::new());
        assert_eq!(path("home.city").get(&payload), [&Value::Bool(true)]);
        assert_eq!(path("new.nest.city").get(&payload), [&Value::Bool(true)]);
    }

    #[test]
    fn removing_reaches_into_lists_of_objects() {
        let mut payload = trip();
        path("stops[].nights").remove(&mut payload);
        path("home").remove(&mut payload);
        path("absent.key").remove(&mut payload);
        assert!(path("stops[].nights").get(&payload).is_empty());
        assert_eq!(path("stops[].city").get(&payload).len(), 2);
        assert!(!payload.contains_key("home"));
    }

    #[test]
    fn a_selection_keeps_or_omits_nested_keys() {
        let kept = Path::keep(&[path("stops[].city")], &trip());
        assert_eq!(path("stops[].city").get(&kept).len(), 2);
        assert!(path("stops[].nights").get(&kept).is_empty());
        assert!(!kept.contains_key("home"));

        let rest = Path::omit(&[path("stops[].city")], &trip());
        assert!(path("stops[].city").get(&rest).is_empty());
        assert_eq!(path("stops[].nights").get(&rest).len(), 2);
        assert!(rest.contains_key("home"));
    }
}
