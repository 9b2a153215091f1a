//! Converts filters and selections of points from messages.

use qdrant_client::qdrant;
use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use tonic::Status;

use super::convert::{path, point_id};
use crate::store::{Condition, FieldCheck, Filter, Match, PointId, Range, Selection};

/// Converts a filter. Without one, returns the filter that passes every point.
pub(super) fn filter(filter: Option<qdrant::Filter>) -> Result<Filter, Status> {
    let Some(filter) = filter else {
        return Ok(Filter::default());
    };
    Ok(Filter {
        must: conditions(filter.must)?,
        should: conditions(filter.should)?,
        must_not: conditions(filter.must_not)?,
        min_should: match filter.min_should {
            Some(min_should) => Some((
                conditions(min_should.conditions)?,
                usize::try_from(min_should.min_count).unwrap_or(usize::MAX),
            )),
            None => None,
        },
    })
}

fn conditions(conditions: Vec<qdrant::Condition>) -> Result<Vec<Condition>, Status> {
    conditions
        .into_iter()
        // As in Qdrant, an empty condition is ignored.
        .filter_map(|condition| condition.condition_one_of)
        .map(condition)
        .collect()
}

fn condition(condition: ConditionOneOf) -> Result<Condition, Status> {
    Ok(match condition {
        ConditionOneOf::Field(field) => field_condition(field)?,
        ConditionOneOf::IsEmpty(is_empty) => Condition::IsEmpty(path(&is_empty.key)?),
        ConditionOneOf::IsNull(is_null) => Condition::IsNull(path(&is_null.key)?),
        ConditionOneOf::HasId(has_id) => {
            Condition::HasId(has_id.has_id.into_iter().map(point_id).collect::<Result<_, _>>()?)
        }
        ConditionOneOf::HasVector(has_vector) => Condition::HasVector(has_vector.has_vector),
        ConditionOneOf::Nested(nested) => {
            if nested.filter.is_none() {
                return Err(Status::invalid_argument("Nested condition must have a filter"));
            }
            Condition::Nested { key: path(&nested.key)?, filter: filter(nested.filter)? }
        }
        ConditionOneOf::Filter(inner) => Condition::Filter(filter(Some(inner))?),
        ConditionOneOf::Slice(_) => return Err(unsupported_condition("slice")),
    })
}

fn field_condition(condition: qdrant::FieldCondition) -> Result<Condition, Status> {
    for (set, name) in [
        (condition.geo_bounding_box.is_some(), "geo_bounding_box"),
        (condition.geo_radius.is_some(), "geo_radius"),
        (condition.geo_polygon.is_some(), "geo_polygon"),
        (condition.datetime_range.is_some(), "datetime_range"),
    ] {
        if set {
            return Err(unsupported_condition(name));
        }
    }
    // If a condition sets several, this is the order in which Qdrant checks them.
    let check = if let Some(count) = condition.values_count {
        FieldCheck::Count(count_range(count))
    } else if let Some(wanted) = condition.is_empty {
        FieldCheck::Empty(wanted)
    } else if let Some(wanted) = condition.is_null {
        FieldCheck::Null(wanted)
    } else if condition.r#match.is_none() && condition.range.is_none() {
        return Err(Status::invalid_argument("At least one field condition must be specified"));
    } else {
        FieldCheck::AnyOf {
            matches: condition.r#match.map(match_value).transpose()?,
            range: condition.range.map(|range| Range {
                lt: range.lt,
                lte: range.lte,
                gt: range.gt,
                gte: range.gte,
            }),
        }
    };
    Ok(Condition::Field { key: path(&condition.key)?, check })
}

// Reason: no payload holds 2^53 values.
#[allow(clippy::cast_precision_loss)]
fn count_range(count: qdrant::ValuesCount) -> Range {
    Range {
        lt: count.lt.map(|bound| bound as f64),
        lte: count.lte.map(|bound| bound as f64),
        gt: count.gt.map(|bound| bound as f64),
        gte: count.gte.map(|bound| bound as f64),
    }
}

fn match_value(value: qdrant::Match) -> Result<Match, Status> {
    Ok(match value.match_value {
        Some(MatchValue::Keyword(keyword)) => Match::Keywords(vec![keyword]),
        Some(MatchValue::Keywords(keywords)) => Match::Keywords(keywords.strings),
        Some(MatchValue::Integer(integer)) => Match::Integers(vec![integer]),
        Some(MatchValue::Integers(integers)) => Match::Integers(integers.integers),
        Some(MatchValue::Boolean(wanted)) => Match::Bool(wanted),
        Some(MatchValue::ExceptKeywords(keywords)) => Match::ExceptKeywords(keywords.strings),
        Some(MatchValue::ExceptIntegers(integers)) => Match::ExceptIntegers(integers.integers),
        Some(MatchValue::Text(text)) => Match::Text(text),
        Some(MatchValue::Phrase(_)) => return Err(unsupported_condition("match phrase")),
        Some(MatchValue::TextAny(_)) => return Err(unsupported_condition("match text_any")),
        Some(MatchValue::Prefix(_)) => return Err(unsupported_condition("match prefix")),
        Some(MatchValue::Substring(_)) => return Err(unsupported_condition("match substring")),
        None => return Err(Status::invalid_argument("Malformed Match condition")),
    })
}

/// Rejects a condition. Ignoring it would make the result wrong, and a test would not notice.
fn unsupported_condition(name: &str) -> Status {
    Status::invalid_argument(format!("resilient-testkit does not support the condition {name}"))
}

pub(super) fn ids(ids: Vec<qdrant::PointId>) -> Result<Vec<PointId>, Status> {
    ids.into_iter().map(point_id).collect()
}

/// Returns the points that a write selects. If there is no selection, the error is `missing`.
pub(super) fn selection(
    selector: Option<qdrant::PointsSelector>,
    missing: &'static str,
) -> Result<Selection, Status> {
    match selector.and_then(|selector| selector.points_selector_one_of) {
        Some(PointsSelectorOneOf::Points(list)) => Ok(Selection::Ids(ids(list.ids)?)),
        Some(PointsSelectorOneOf::Filter(inner)) => Ok(Selection::Filter(filter(Some(inner))?)),
        None => Err(Status::invalid_argument(missing)),
    }
}
