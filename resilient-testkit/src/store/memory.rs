//! The store that the crate provides: in memory, with exact search.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{PoisonError, RwLock};

use super::path::Path;
use super::{
    Change, Distance, Filter, Point, PointId, ScoredPoint, Search, Selection, Store, StoreError,
    VectorConfig, VectorConfigs, Vectors,
};

/// A [`Store`] in memory, with exact search. Its data is lost when it is dropped.
///
/// ```
/// use resilient_testkit::store::{Distance, MemoryStore, Store, VectorConfig};
///
/// let store = MemoryStore::default();
/// let config = VectorConfig { size: 4, distance: Distance::Cosine };
/// store.create_collection("docs", [(String::new(), config)].into())?;
/// assert_eq!(store.collections()?, ["docs"]);
/// # Ok::<(), resilient_testkit::store::StoreError>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    collections: RwLock<BTreeMap<String, Collection>>,
}

#[derive(Debug)]
struct Collection {
    configs: VectorConfigs,
    points: BTreeMap<PointId, Point>,
}

impl MemoryStore {
    fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Collection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let collections = self.collections.read().unwrap_or_else(PoisonError::into_inner);
        collections
            .get(name)
            .ok_or_else(|| StoreError::CollectionNotFound(name.to_owned()))
            .and_then(read)
    }

    fn write<T>(
        &self,
        name: &str,
        write: impl FnOnce(&mut Collection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut collections = self.collections.write().unwrap_or_else(PoisonError::into_inner);
        collections
            .get_mut(name)
            .ok_or_else(|| StoreError::CollectionNotFound(name.to_owned()))
            .and_then(write)
    }
}

impl Store for MemoryStore {
    fn create_collection(&self, name: &str, vectors: VectorConfigs) -> Result<(), StoreError> {
        let mut collections = self.collections.write().unwrap_or_else(PoisonError::into_inner);
        if collections.contains_key(name) {
            return Err(StoreError::CollectionExists(name.to_owned()));
        }
        collections
            .insert(name.to_owned(), Collection { configs: vectors, points: BTreeMap::new() });
        Ok(())
    }

    fn delete_collection(&self, name: &str) -> Result<bool, StoreError> {
        let mut collections = self.collections.write().unwrap_or_else(PoisonError::into_inner);
        Ok(collections.remove(name).is_some())
    }

    fn collections(&self) -> Result<Vec<String>, StoreError> {
        let collections = self.collections.read().unwrap_or_else(PoisonError::into_inner);
        Ok(collections.keys().cloned().collect())
    }

    fn vectors(&self, collection: &str) -> Result<VectorConfigs, StoreError> {
        self.read(collection, |collection| Ok(collection.configs.clone()))
    }

    fn upsert(&self, collection: &str, points: Vec<Point>) -> Result<(), StoreError> {
        self.write(collection, |collection| {
            let mut prepared = Vec::with_capacity(points.len());
            for point in points {
                prepared.push(Point { vectors: collection.prepare(point.vectors)?, ..point });
            }
            collection.points.extend(prepared.into_iter().map(|point| (point.id, point)));
            Ok(())
        })
    }

    fn delete(&self, collection: &str, selection: &Selection) -> Result<(), StoreError> {
        self.write(collection, |collection| {
            match selection {
                Selection::Ids(ids) => {
                    for id in ids {
                        collection.points.remove(id);
                    }
                }
                Selection::Filter(filter) => {
                    collection.points.retain(|_, point| !filter.matches(point));
                }
            }
            Ok(())
        })
    }

    fn change(
        &self,
        collection: &str,
        selection: &Selection,
        change: &Change,
    ) -> Result<(), StoreError> {
        self.write(collection, |collection| collection.change(selection, change))
    }

    fn get(&self, collection: &str, ids: &[PointId]) -> Result<Vec<Point>, StoreError> {
        self.read(collection, |collection| {
            Ok(ids.iter().filter_map(|id| collection.points.get(id).cloned()).collect())
        })
    }

    fn scroll(
        &self,
        collection: &str,
        filter: &Filter,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        self.read(collection, |collection| {
            Ok(collection
                .points
                .range(from.unwrap_or(PointId::Number(0))..)
                .map(|(_, point)| point)
                .filter(|point| filter.matches(point))
                .take(limit)
                .cloned()
                .collect())
        })
    }

    fn count(&self, collection: &str, filter: &Filter) -> Result<usize, StoreError> {
        self.read(collection, |collection| {
            Ok(collection.points.values().filter(|point| filter.matches(point)).count())
        })
    }

    fn search(&self, collection: &str, search: &Search) -> Result<Vec<ScoredPoint>, StoreError> {
        self.read(collection, |collection| collection.search(search))
    }
}

impl Collection {
    fn config(&self, name: &str) -> Result<VectorConfig, StoreError> {
        self.configs.get(name).copied().ok_or_else(|| StoreError::UnknownVector(name.to_owned()))
    }

    /// Checks a vector against its declaration, and prepares it to be compared.
    fn prepare_one(&self, name: &str, vector: Vec<f32>) -> Result<Vec<f32>, StoreError> {
        let config = self.config(name)?;
        if vector.len() != config.size {
            return Err(StoreError::WrongDimension {
                expected: config.size,
                received: vector.len(),
            });
        }
        Ok(config.distance.prepare(vector))
    }

    fn prepare(&self, vectors: Vectors) -> Result<Vectors, StoreError> {
        vectors
            .into_iter()
            .map(|(name, vector)| {
                let vector = self.prepare_one(&name, vector)?;
                Ok((name, vector))
            })
            .collect()
    }

    fn change(&mut self, selection: &Selection, change: &Change) -> Result<(), StoreError> {
        let change = match change {
            Change::SetVectors(vectors) => &Change::SetVectors(self.prepare(vectors.clone())?),
            Change::DeleteVectors(names) if self.selects_any(selection) => {
                for name in names {
                    self.config(name)?;
                }
                change
            }
            _ => change,
        };
        match selection {
            Selection::Ids(ids) => {
                let mut missing = None;
                for id in ids {
                    match self.points.get_mut(id) {
                        Some(point) => apply(change, point),
                        None => missing = missing.or(Some(*id)),
                    }
                }
                missing.map_or(Ok(()), |id| Err(StoreError::PointNotFound(id)))
            }
            Selection::Filter(filter) => {
                for point in self.points.values_mut() {
                    if filter.matches(point) {
                        apply(change, point);
                    }
                }
                Ok(())
            }
        }
    }

    fn selects_any(&self, selection: &Selection) -> bool {
        match selection {
            Selection::Ids(ids) => ids.iter().any(|id| self.points.contains_key(id)),
            Selection::Filter(filter) => self.points.values().any(|point| filter.matches(point)),
        }
    }

    fn search(&self, search: &Search) -> Result<Vec<ScoredPoint>, StoreError> {
        let vector = self.prepare_one(&search.using, search.vector.clone())?;
        let distance = self.config(&search.using)?.distance;
        let wanted = search.offset.saturating_add(search.limit);
        // The best points so far, with the worst of them on top.
        let mut best: BinaryHeap<Ranked<'_>> = BinaryHeap::new();
        for point in self.points.values().filter(|point| search.filter.matches(point)) {
            let Some(stored) = point.vectors.get(&search.using) else {
                continue;
            };
            let score = distance.score(&vector, stored);
            if search.score_threshold.is_some_and(|threshold| !distance.passes(score, threshold)) {
                continue;
            }
            let ranked = Ranked { score, distance, point };
            if best.len() < wanted {
                best.push(ranked);
            } else if let Some(mut worst) = best.peek_mut()
                && ranked < *worst
            {
                *worst = ranked;
            }
        }
        Ok(best
            .into_sorted_vec()
            .into_iter()
            .skip(search.offset)
            .map(|Ranked { score, point, .. }| ScoredPoint { point: point.clone(), score })
            .collect())
    }
}

/// A point that a search has found. Points are ordered as in the result: the nearest first, and equal
/// scores by ascending id.
struct Ranked<'a> {
    score: f32,
    distance: Distance,
    point: &'a Point,
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.distance.order(self.score, other.score);
        by_score.then_with(|| self.point.id.cmp(&other.point.id))
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked<'_> {}

fn apply(change: &Change, point: &mut Point) {
    match change {
        Change::SetPayload { values, key } => {
            Path::merge(key.as_ref(), &mut point.payload, values);
        }
        Change::OverwritePayload(payload) => point.payload.clone_from(payload),
        Change::DeletePayload(keys) => {
            for key in keys {
                key.remove(&mut point.payload);
            }
        }
        Change::SetVectors(vectors) => point.vectors.extend(vectors.clone()),
        Change::DeleteVectors(names) => {
            point.vectors.retain(|name, _| !names.contains(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Payload;

    fn store(vectors: &[[f32; 1]]) -> MemoryStore {
        let store = MemoryStore::default();
        let config = VectorConfig { size: 1, distance: Distance::Dot };
        store.create_collection("c", [(String::new(), config)].into()).unwrap();
        let points = (1..).zip(vectors).map(|(id, vector)| Point {
            id: PointId::Number(id),
            payload: Payload::new(),
            vectors: [(String::new(), vector.to_vec())].into(),
        });
        store.upsert("c", points.collect()).unwrap();
        store
    }

    fn ids(store: &MemoryStore, offset: usize, limit: usize) -> Vec<u64> {
        let search = Search {
            vector: vec![1.0],
            using: String::new(),
            filter: Filter::default(),
            offset,
            limit,
            score_threshold: None,
        };
        let found = store.search("c", &search).unwrap();
        found
            .into_iter()
            .map(|found| match found.point.id {
                PointId::Number(number) => number,
                PointId::Uuid(_) => panic!("no number"),
            })
            .collect()
    }

    #[test]
    fn every_page_is_cut_from_the_same_order() {
        // Many equal scores, so that the test fails if a heap ignores the order of ids.
        let vectors: Vec<[f32; 1]> = (0..50u16).map(|n| [f32::from(n * 7 % 5)]).collect();
        let store = store(&vectors);
        let mut order: Vec<u64> = (1..=50).collect();
        order.sort_by_key(|id| std::cmp::Reverse((id - 1) * 7 % 5));
        assert_eq!(ids(&store, 0, usize::MAX), order);
        for offset in [0, 1, 7, 49, 50, 51] {
            for limit in [1, 2, 10, 50, usize::MAX] {
                let expected: Vec<u64> = order.iter().copied().skip(offset).take(limit).collect();
                assert_eq!(ids(&store, offset, limit), expected, "{offset} {limit}");
            }
        }
    }

    #[test]
    fn a_search_for_no_points_finds_none() {
        assert!(ids(&store(&[[1.0], [2.0]]), 0, 0).is_empty());
    }

    #[test]
    fn a_shared_store_is_the_same_store() {
        let store = std::sync::Arc::new(store(&[[1.0]]));
        let config = VectorConfig { size: 1, distance: Distance::Dot };
        Store::create_collection(&store, "d", [(String::new(), config)].into()).unwrap();
        assert_eq!(MemoryStore::collections(&store).unwrap(), ["c", "d"]);
    }
}
