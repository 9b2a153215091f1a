//! Estimates how many points pass a filter, the way Qdrant does without reading the points. Qdrant
//! charges writes by this estimate, and returns it for a count that need not be exact.

use super::index::{Indexes, full, serves};
use crate::store::{Condition, Filter, Path};

/// Estimates the number of points that pass a filter.
pub(super) struct Estimator<'a> {
    pub(super) indexes: &'a Indexes,
    /// The number of points.
    pub(super) total: usize,
    /// Counts the points that pass a condition, as an index can.
    pub(super) count: &'a dyn Fn(&Condition) -> usize,
}

impl Estimator<'_> {
    pub(super) fn points(&self, filter: &Filter) -> usize {
        self.scale(self.filter(filter, None))
    }

    /// The share of the points that pass, if conditions are independent of each other.
    fn filter(&self, filter: &Filter, prefix: Option<&Path>) -> f64 {
        let all = |conditions: &[Condition]| {
            conditions.iter().map(|it| self.condition(it, prefix)).product::<f64>()
        };
        let any = |conditions: &[Condition]| {
            let none = conditions.iter().map(|it| 1.0 - self.condition(it, prefix));
            if conditions.is_empty() { 1.0 } else { 1.0 - none.product::<f64>() }
        };
        let none = filter.must_not.iter().map(|it| 1.0 - self.condition(it, prefix));
        let min_should = filter.min_should.as_ref().map_or(1.0, |(conditions, _)| any(conditions));
        all(&filter.must) * any(&filter.should) * none.product::<f64>() * min_should
    }

    fn condition(&self, condition: &Condition, prefix: Option<&Path>) -> f64 {
        let points = match condition {
            Condition::Filter(filter) => return self.filter(filter, prefix),
            Condition::Nested { key, filter } => {
                return self.filter(filter, Some(&full(prefix, &key.elements())));
            }
            Condition::HasId(_) | Condition::HasVector(_) => (self.count)(condition),
            // An index knows its number of points. Within an array, the condition alone does not
            // select the points, so it is not counted.
            condition if prefix.is_none() && serves(self.indexes, prefix, condition) => {
                (self.count)(condition)
            }
            // Without an index, Qdrant assumes half of the points, rounded down.
            _ => self.total / 2,
        };
        self.share(points)
    }

    // Reason: no collection holds 2^53 points.
    #[allow(clippy::cast_precision_loss)]
    fn share(&self, points: usize) -> f64 {
        if self.total == 0 { 0.0 } else { points as f64 / self.total as f64 }
    }

    // Reason: a share is from 0 to 1.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn scale(&self, share: f64) -> usize {
        (share * self.total as f64).round() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{FieldCheck, PointId};

    fn points(filter: &Filter, total: usize) -> usize {
        let count = |condition: &Condition| match condition {
            Condition::HasId(ids) => ids.len(),
            _ => panic!("no index"),
        };
        Estimator { indexes: &Indexes::new(), total, count: &count }.points(filter)
    }

    fn unknown() -> Condition {
        let key = Path::parse("field").unwrap();
        Condition::Field { key, check: FieldCheck::Empty(true) }
    }

    #[test]
    fn a_condition_without_an_index_is_taken_for_one_half() {
        let must = |conditions| Filter { must: conditions, ..Filter::default() };
        assert_eq!(points(&must(vec![unknown()]), 3), 1);
        assert_eq!(points(&must(vec![unknown()]), 100), 50);
        assert_eq!(points(&must(vec![unknown(), unknown()]), 100), 25);
        assert_eq!(points(&must(vec![]), 100), 100);
        assert_eq!(points(&must(vec![unknown()]), 0), 0);
    }

    #[test]
    fn the_other_parts_combine_as_chances_do() {
        let conditions = vec![unknown(), unknown()];
        let should = Filter { should: conditions.clone(), ..Filter::default() };
        assert_eq!(points(&should, 100), 75);
        let must_not = Filter { must_not: conditions, ..Filter::default() };
        assert_eq!(points(&must_not, 100), 25);
        let ids = Condition::HasId([1, 2, 3].map(PointId::Number).into());
        let known = Filter { must: vec![ids], ..Filter::default() };
        assert_eq!(points(&known, 100), 3);
        let inner = Filter { must: vec![Condition::Filter(should)], ..Filter::default() };
        assert_eq!(points(&inner, 100), 75);
    }
}
