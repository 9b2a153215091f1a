//! Conditions on points, checked the way Qdrant checks them on fields without an index.

use std::collections::BTreeSet;

use super::path::Path;
use super::point::{Payload, Point, PointId, Value, Vectors};
use super::text::TextQuery;

/// A filter. All of its parts must hold. An empty part holds.
///
/// ```
/// use resilient_testkit::store::{Condition, FieldCheck, Filter, Match, Path, Point, PointId};
///
/// let filter = Filter {
///     must_not: vec![Condition::Field {
///         key: Path::parse("city").unwrap(),
///         check: FieldCheck::AnyOf {
///             matches: Some(Match::Keywords(vec!["Oslo".into()])),
///             range: None,
///         },
///     }],
///     ..Filter::default()
/// };
/// let point = Point {
///     id: PointId::Number(1),
///     payload: [].into(),
///     vectors: [].into(),
/// };
/// assert!(filter.matches(&point));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// All of these hold.
    pub must: Vec<Condition>,
    /// At least one of these holds.
    pub should: Vec<Condition>,
    /// None of these holds.
    pub must_not: Vec<Condition>,
    /// At least this many of these hold. Without conditions, any number holds.
    pub min_should: Option<(Vec<Condition>, usize)>,
}

/// One condition of a [`Filter`].
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A value at the path passes the check.
    Field {
        /// The path to the field.
        key: Path,
        /// The check for its values.
        check: FieldCheck,
    },
    /// There is no value at the path except null and empty arrays.
    IsEmpty(Path),
    /// There is null at the path.
    IsNull(Path),
    /// The point's id is one of these.
    HasId(BTreeSet<PointId>),
    /// The point has the vector of this name.
    HasVector(String),
    /// One object of the array passes the filter by itself.
    Nested {
        /// The path to the array.
        key: Path,
        /// The filter for each of its objects, whose paths start there.
        filter: Filter,
    },
    /// A filter within the filter.
    Filter(Filter),
}

/// A check for the values of a field. An array passes if one of its elements passes.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldCheck {
    /// The value matches, or it lies in the range.
    AnyOf {
        /// The value to match.
        matches: Option<Match>,
        /// The range for numbers.
        range: Option<Range>,
    },
    /// The number of values: the length of an array, 0 for null, 1 otherwise.
    Count(Range),
    /// Whether the value is null or an empty array.
    Empty(bool),
    /// Whether the value is null or an array that contains null.
    Null(bool),
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// One of these strings.
    Keywords(Vec<String>),
    /// One of these integers. A float never matches.
    Integers(Vec<i64>),
    /// This boolean.
    Bool(bool),
    /// Any value except null and these strings.
    ExceptKeywords(Vec<String>),
    /// Any value except null and these integers.
    ExceptIntegers(Vec<i64>),
    /// A string that contains this one: the meaning of a text match without a text index.
    Text(String),
    /// Strings that contain these tokens: the meaning of a text match with a text index.
    Tokens(TextQuery),
}

/// A range of numbers. A missing bound does not limit it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// Less than.
    pub lt: Option<f64>,
    /// At most.
    pub lte: Option<f64>,
    /// More than.
    pub gt: Option<f64>,
    /// At least.
    pub gte: Option<f64>,
}

impl Filter {
    /// Returns whether a point passes.
    #[must_use]
    pub fn matches(&self, point: &Point) -> bool {
        self.holds_for(&Subject {
            payload: &point.payload,
            point: Some((point.id, &point.vectors)),
        })
    }

    /// Returns the number of conditions, including those of inner filters.
    #[must_use]
    pub fn conditions(&self) -> usize {
        self.all_conditions()
            .map(|condition| match condition {
                Condition::Filter(filter) | Condition::Nested { filter, .. } => filter.conditions(),
                _ => 1,
            })
            .sum()
    }

    /// Returns the conditions of all parts.
    pub(crate) fn all_conditions(&self) -> impl Iterator<Item = &Condition> {
        self.must
            .iter()
            .chain(&self.should)
            .chain(&self.must_not)
            .chain(self.min_should.iter().flat_map(|(conditions, _)| conditions))
    }

    fn holds_for(&self, subject: &Subject<'_>) -> bool {
        let holds = |condition: &Condition| condition.holds_for(subject);
        self.must.iter().all(holds)
            && (self.should.is_empty() || self.should.iter().any(holds))
            && !self.must_not.iter().any(holds)
            && self.min_should.as_ref().is_none_or(|(conditions, least)| {
                conditions.is_empty() || conditions.iter().filter(|c| holds(c)).count() >= *least
            })
    }
}

/// The subject of a condition: a point, or an object within its payload.
struct Subject<'a> {
    payload: &'a Payload,
    /// `None` within a nested condition, where Qdrant knows neither id nor vectors.
    point: Option<(PointId, &'a Vectors)>,
}

impl Condition {
    fn holds_for(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Field { key, check } => check.holds_for(&key.get(subject.payload)),
            Self::IsEmpty(key) => key.get(subject.payload).into_iter().all(is_empty),
            Self::IsNull(key) => key.get(subject.payload).contains(&&Value::Null),
            Self::HasId(ids) => subject.point.is_some_and(|(id, _)| ids.contains(&id)),
            Self::HasVector(name) => {
                subject.point.is_some_and(|(_, vectors)| vectors.contains_key(name))
            }
            Self::Nested { key, filter } => {
                key.elements().get(subject.payload).into_iter().any(|value| match value {
                    Value::Object(object) => {
                        filter.holds_for(&Subject { payload: object, point: None })
                    }
                    _ => false,
                })
            }
            Self::Filter(filter) => filter.holds_for(subject),
        }
    }
}

impl FieldCheck {
    fn holds_for(&self, values: &[&Value]) -> bool {
        if values.is_empty() {
            // A missing field is empty, but not null.
            return match self {
                Self::Empty(wanted) => *wanted,
                Self::Null(wanted) => !*wanted,
                Self::AnyOf { .. } | Self::Count(_) => false,
            };
        }
        if let Self::AnyOf { matches: Some(Match::Tokens(query)), .. } = self
            && query.matches(values.iter().copied().flat_map(strings))
        {
            return true;
        }
        values.iter().any(|value| match self {
            Self::AnyOf { matches, range } => any_element(value, |value| {
                matches.as_ref().is_some_and(|m| m.accepts(value))
                    || range.as_ref().is_some_and(|r| r.accepts(value))
            }),
            Self::Count(range) => range.contains(count(value)),
            Self::Empty(wanted) => is_empty(value) == *wanted,
            Self::Null(wanted) => is_null(value) == *wanted,
        })
    }
}

impl Match {
    fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Keywords(keywords), Value::String(string)) => keywords.contains(string),
            (Self::Integers(integers), Value::Integer(integer)) => integers.contains(integer),
            (Self::Bool(wanted), Value::Bool(value)) => wanted == value,
            (Self::Text(part), Value::String(string)) => string.contains(part.as_str()),
            (Self::ExceptKeywords(keywords), Value::String(string)) => !keywords.contains(string),
            (Self::ExceptIntegers(integers), Value::Integer(integer)) => {
                !integers.contains(integer)
            }
            (Self::ExceptKeywords(_) | Self::ExceptIntegers(_), value) => *value != Value::Null,
            _ => false,
        }
    }
}

impl Range {
    fn accepts(&self, value: &Value) -> bool {
        match value {
            // Reason: Qdrant compares as floats too, with the same loss beyond 2^53.
            #[allow(clippy::cast_precision_loss)]
            Value::Integer(integer) => self.contains(*integer as f64),
            Value::Float(float) => self.contains(*float),
            _ => false,
        }
    }

    fn contains(&self, number: f64) -> bool {
        self.lt.is_none_or(|bound| number < bound)
            && self.lte.is_none_or(|bound| number <= bound)
            && self.gt.is_none_or(|bound| number > bound)
            && self.gte.is_none_or(|bound| number >= bound)
    }
}

fn any_element(value: &Value, accepts: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::List(list) => list.iter().any(accepts),
        value => accepts(value),
    }
}

/// Returns the strings of a value: the value itself, or the elements of an array.
fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let elements = match value {
        Value::List(list) => list.as_slice(),
        value => std::slice::from_ref(value),
    };
    elements.iter().filter_map(|element| match element {
        Value::String(string) => Some(string.as_str()),
        _ => None,
    })
}

// Reason: no payload holds 2^53 values.
#[allow(clippy::cast_precision_loss)]
fn count(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::List(list) => list.len() as f64,
        _ => 1.0,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(list) => list.is_empty(),
        _ => false,
    }
}

fn is_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(list) => list.contains(&Value::Null),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(check: FieldCheck, value: Option<Value>) -> bool {
        let filter = Filter {
            must: vec![Condition::Field { key: Path::parse("field").unwrap(), check }],
            ..Filter::default()
        };
        filter.matches(&Point {
            id: PointId::Number(1),
            payload: value.map(|value| ("field".to_owned(), value)).into_iter().collect(),
            vectors: Vectors::new(),
        })
    }

    fn matches(matches: Match, value: Option<Value>) -> bool {
        check(FieldCheck::AnyOf { matches: Some(matches), range: None }, value)
    }

    #[test]
    fn an_except_match_passes_other_types_but_neither_null_nor_absence() {
        let except = || Match::ExceptIntegers(vec![1]);
        assert!(!matches(except(), Some(Value::Integer(1))));
        assert!(matches(except(), Some(Value::Integer(2))));
        assert!(matches(except(), Some(Value::Float(1.0))));
        assert!(matches(except(), Some(Value::String("1".into()))));
        assert!(!matches(except(), Some(Value::Null)));
        assert!(!matches(except(), None));
    }

    #[test]
    fn too_few_conditions_hold_but_none_to_hold_is_no_demand() {
        let at_least_one = |conditions| {
            let filter = Filter { min_should: Some((conditions, 1)), ..Filter::default() };
            let point =
                Point { id: PointId::Number(1), payload: Payload::new(), vectors: Vectors::new() };
            filter.matches(&point)
        };
        assert!(at_least_one(vec![]));
        assert!(!at_least_one(vec![Condition::HasId([PointId::Number(2)].into())]));
        assert!(at_least_one(vec![Condition::HasId([PointId::Number(1)].into())]));
    }

    #[test]
    fn types_are_told_apart() {
        assert!(!matches(Match::Integers(vec![1]), Some(Value::Float(1.0))));
        assert!(!matches(Match::Keywords(vec!["1".into()]), Some(Value::Integer(1))));
        assert!(!matches(Match::Bool(true), Some(Value::Integer(1))));
    }

    #[test]
    fn emptiness_and_null_are_not_the_same() {
        let list = |values| Some(Value::List(values));
        for (value, empty, null) in [
            (None, true, false),
            (Some(Value::Null), true, true),
            (list(vec![]), true, false),
            (list(vec![Value::Null]), false, true),
            (list(vec![Value::Bool(true), Value::Null]), false, true),
            (Some(Value::String(String::new())), false, false),
        ] {
            assert_eq!(check(FieldCheck::Empty(true), value.clone()), empty, "{value:?}");
            assert_eq!(check(FieldCheck::Empty(false), value.clone()), !empty, "{value:?}");
            assert_eq!(check(FieldCheck::Null(true), value.clone()), null, "{value:?}");
            assert_eq!(check(FieldCheck::Null(false), value.clone()), !null, "{value:?}");
        }
    }

    #[test]
    fn values_are_counted() {
        let at_least_two = || FieldCheck::Count(Range { gte: Some(2.0), ..Range::default() });
        let two = Value::List(vec![Value::Null, Value::Null]);
        assert!(check(at_least_two(), Some(two)));
        assert!(!check(at_least_two(), Some(Value::Bool(true))));
        assert!(!check(FieldCheck::Count(Range::default()), None));
    }

    #[test]
    fn conditions_of_inner_filters_are_counted() {
        let one = Condition::IsEmpty(Path::parse("a").unwrap());
        let inner = Filter { should: vec![one.clone(), one.clone()], ..Filter::default() };
        let filter = Filter {
            must: vec![one.clone(), Condition::Filter(inner)],
            min_should: Some((vec![one], 1)),
            ..Filter::default()
        };
        assert_eq!(filter.conditions(), 4);
    }
}
