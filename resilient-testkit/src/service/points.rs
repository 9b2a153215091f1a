//! The `Points` service: the list of its calls, and those that write or read points without a search.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use qdrant_client::qdrant;
use qdrant_client::qdrant::points_server::Points;
use tonic::Status;

use super::convert::{Parts, id_message, path, payload, point_id, vectors};
use super::estimate::Estimator;
use super::filter::{filter, ids, selection};
use super::index::{FieldIndex, use_text_indexes};
use super::limiter::Access;
use super::status::{refuse_option, to_status};
use super::{Collection, Engine, implement, validate};
use crate::store::{Change, Condition, Filter, Payload, Point, Selection, StoreError};
use crate::sync::lock;

/// The default `limit` of a scroll.
const DEFAULT_SCROLL_LIMIT: u32 = 10;

implement! {
    Points for Service(Engine);
    handled {
        upsert: upsert(UpsertPoints) -> PointsOperationResponse;
        delete: delete_points(DeletePoints) -> PointsOperationResponse;
        get: get_points(GetPoints) -> GetResponse;
        update_vectors: update_vectors(UpdatePointVectors) -> PointsOperationResponse;
        delete_vectors: delete_vectors(DeletePointVectors) -> PointsOperationResponse;
        set_payload: set_payload(SetPayloadPoints) -> PointsOperationResponse;
        overwrite_payload: overwrite_payload(SetPayloadPoints) -> PointsOperationResponse;
        delete_payload: delete_payload(DeletePayloadPoints) -> PointsOperationResponse;
        clear_payload: clear_payload(ClearPayloadPoints) -> PointsOperationResponse;
        create_field_index: create_field_index(CreateFieldIndexCollection)
            -> PointsOperationResponse;
        update_batch: update_batch(UpdateBatchPoints) -> UpdateBatchResponse;
        delete_field_index: delete_field_index(DeleteFieldIndexCollection)
            -> PointsOperationResponse;
        search: search(SearchPoints) -> SearchResponse;
        search_batch: search_batch(SearchBatchPoints) -> SearchBatchResponse;
        scroll: scroll(ScrollPoints) -> ScrollResponse;
        count: count(CountPoints) -> CountResponse;
        query: query(QueryPoints) -> QueryResponse;
        query_batch: query_batch(QueryBatchPoints) -> QueryBatchResponse;
    }
    refused {
        create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse;
        delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse;
        search_groups(SearchPointGroups) -> SearchGroupsResponse;
        recommend(RecommendPoints) -> RecommendResponse;
        recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse;
        recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse;
        discover(DiscoverPoints) -> DiscoverResponse;
        discover_batch(DiscoverBatchPoints) -> DiscoverBatchResponse;
        query_groups(QueryPointGroups) -> QueryGroupsResponse;
        facet(FacetCounts) -> FacetResponse;
        search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
        search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
    }
}

type Written = Result<qdrant::PointsOperationResponse, Status>;

/// The fields that all writes have in common.
struct Write {
    collection_name: String,
    wait: bool,
    start: Instant,
}

impl Write {
    /// Checks these fields.
    fn new(
        collection_name: String,
        wait: Option<bool>,
        ordering: Option<&qdrant::WriteOrdering>,
    ) -> Result<Self, Status> {
        let start = Instant::now();
        validate::collection_name(&collection_name)?;
        validate::write_ordering(ordering)?;
        Ok(Self { collection_name, wait: wait.unwrap_or(false), start })
    }
}

// Each write validates the request by itself, and then against its collection. Only after that, it is
// charged and applied.
impl Engine {
    pub(super) fn upsert(&self, request: qdrant::UpsertPoints) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_option(request.update_filter.is_some(), "update_filter")?;
        refuse_option(
            request.update_mode.is_some_and(|mode| mode != qdrant::UpdateMode::Upsert as i32),
            "update_mode",
        )?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let points = request.points.into_iter().map(point).collect::<Result<Vec<_>, _>>()?;

        let collection = self.collection(&write.collection_name)?;
        collection.check_upsert_size(points.len())?;
        collection.check_points_count(|| {
            // If this fails, so does the write, which reports the error.
            self.store().count(&collection.name, &Filter::default()).unwrap_or(0)
        })?;
        validate::some_points(points.len())?;
        for (name, vector) in points.iter().flat_map(|point| &point.vectors) {
            collection.check_new_vector(name, vector)?;
        }

        self.charge(&collection, Access::Write, points.len())?;
        self.written(&write, &collection, || self.store().upsert(&collection.name, points))
    }

    pub(super) fn delete_points(&self, request: qdrant::DeletePoints) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let selection = selection(request.points, "PointSelector is missing")?;
        let collection = self.collection(&write.collection_name)?;
        let selection = collection.selected(selection)?;
        self.charge_write(&collection, &selection)?;
        self.written(&write, &collection, || self.store().delete(&collection.name, &selection))
    }

    pub(super) fn update_vectors(&self, request: qdrant::UpdatePointVectors) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_option(request.update_filter.is_some(), "update_filter")?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let points = request
            .points
            .into_iter()
            .map(|point| {
                let id = point.id.ok_or_else(|| Status::invalid_argument("id is expected"))?;
                let vectors =
                    point.vectors.ok_or_else(|| Status::invalid_argument("vectors is expected"))?;
                Ok((point_id(id)?, self::vectors(vectors)?))
            })
            .collect::<Result<Vec<_>, Status>>()?;

        let collection = self.collection(&write.collection_name)?;
        collection.check_update_size(points.len())?;
        validate::some_points(points.len())?;
        for (name, vector) in points.iter().flat_map(|(_, vectors)| vectors) {
            collection.check_vector(name, vector)?;
        }

        self.charge(&collection, Access::Write, points.len())?;
        self.written(&write, &collection, || {
            let mut missing = None;
            for (id, vectors) in points {
                let (selection, change) = (Selection::Ids(vec![id]), Change::SetVectors(vectors));
                match self.store().change(&collection.name, &selection, &change) {
                    // The points that exist are changed nevertheless.
                    Err(error @ StoreError::PointNotFound(_)) => missing = missing.or(Some(error)),
                    result => result?,
                }
            }
            missing.map_or(Ok(()), Err)
        })
    }

    pub(super) fn delete_vectors(&self, request: qdrant::DeletePointVectors) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let selection = changed(request.points_selector)?;
        let names =
            request.vectors.ok_or_else(|| Status::invalid_argument("vectors is expected"))?.names;
        self.change(&write, selection, &Change::DeleteVectors(names))
    }

    pub(super) fn set_payload(&self, request: qdrant::SetPayloadPoints) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let key = request.key.as_deref().map(path).transpose()?;
        let selection = changed(request.points_selector)?;
        let change = Change::SetPayload { values: payload(request.payload)?, key };
        self.change(&write, selection, &change)
    }

    pub(super) fn overwrite_payload(&self, request: qdrant::SetPayloadPoints) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let selection = changed(request.points_selector)?;
        // Like the real server, ignores `key` here.
        let change = Change::OverwritePayload(payload(request.payload)?);
        self.change(&write, selection, &change)
    }

    pub(super) fn delete_payload(&self, request: qdrant::DeletePayloadPoints) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let keys = request.keys.iter().map(|key| path(key)).collect::<Result<_, _>>()?;
        let selection = changed(request.points_selector)?;
        self.change(&write, selection, &Change::DeletePayload(keys))
    }

    pub(super) fn clear_payload(&self, request: qdrant::ClearPayloadPoints) -> Written {
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let selection = selection(request.points, "PointSelector is missing")?;
        self.change(&write, selection, &Change::OverwritePayload(Payload::new()))
    }

    fn change(&self, write: &Write, selection: Selection, change: &Change) -> Written {
        let collection = self.collection(&write.collection_name)?;
        let selection = collection.selected(selection)?;
        self.charge_write(&collection, &selection)?;
        self.written(write, &collection, || {
            self.store().change(&collection.name, &selection, change)
        })
    }

    fn create_field_index(&self, request: qdrant::CreateFieldIndexCollection) -> Written {
        validate::not_empty("field_name", &request.field_name)?;
        let index = FieldIndex::from_message(&request)?;
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        let collection = self.collection(&write.collection_name)?;
        collection.check_new_index()?;
        self.change_indexes(&write, &collection, |indexes| {
            indexes.insert(index.name(), index);
        })
    }

    fn delete_field_index(&self, request: qdrant::DeleteFieldIndexCollection) -> Written {
        validate::not_empty("field_name", &request.field_name)?;
        let name = path(&request.field_name)?.to_string();
        let write = Write::new(request.collection_name, request.wait, request.ordering.as_ref())?;
        let collection = self.collection(&write.collection_name)?;
        self.change_indexes(&write, &collection, |indexes| {
            indexes.remove(&name);
        })
    }

    /// Changes the indexes of a collection. This is not charged to its rate limit.
    fn change_indexes(
        &self,
        write: &Write,
        collection: &Collection,
        change: impl FnOnce(&mut super::Indexes),
    ) -> Written {
        self.note_write(collection);
        {
            let mut states = lock(self.storage.states());
            let state = states.entry(collection.name.clone()).or_default();
            change(Arc::make_mut(&mut state.indexes));
        }
        self.written(write, collection, || Ok(()))
    }

    /// Applies a write, and returns the status that `wait` asks for. The write is applied with and
    /// without `wait`, so that a test does not have to poll for it. Without `wait`, errors that Qdrant finds
    /// only when it applies the write are not reported.
    fn written(
        &self,
        write: &Write,
        collection: &Collection,
        apply: impl FnOnce() -> Result<(), StoreError>,
    ) -> Written {
        let operation = self.next_operation(collection);
        match apply() {
            Err(StoreError::PointNotFound(_) | StoreError::UnknownVector(_)) if !write.wait => {}
            result => result.map_err(|e| to_status(&e))?,
        }
        let status = if write.wait {
            qdrant::UpdateStatus::Completed
        } else {
            qdrant::UpdateStatus::Acknowledged
        };
        Ok(qdrant::PointsOperationResponse {
            result: Some(qdrant::UpdateResult {
                operation_id: Some(operation),
                status: status.into(),
            }),
            time: write.start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    /// Charges a write of selected points. A filter costs the estimated number of points that pass
    /// it, and at least 1.
    fn charge_write(&self, collection: &Collection, selection: &Selection) -> Result<(), Status> {
        let cost = match selection {
            Selection::Ids(ids) => ids.len(),
            Selection::Filter(filter) => self.estimate(collection, filter)?.max(1),
        };
        self.charge(collection, Access::Write, cost)
    }

    /// Estimates how many points pass a filter.
    fn estimate(&self, collection: &Collection, filter: &Filter) -> Result<usize, Status> {
        let count = |filter: &Filter| self.store().count(&collection.name, filter);
        let total = count(&Filter::default()).map_err(|e| to_status(&e))?;
        let one = |condition: &Condition| {
            let filter = Filter { must: vec![condition.clone()], ..Filter::default() };
            // If this fails, so does the write or count itself, which reports the error.
            count(&filter).unwrap_or(0)
        };
        Ok(Estimator { indexes: &collection.indexes, total, count: &one }.points(filter))
    }

    fn get_points(&self, request: qdrant::GetPoints) -> Result<qdrant::GetResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        validate::read_consistency(request.read_consistency.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let parts = Parts::new(request.with_payload, false, request.with_vectors)?;
        let mut ids = ids(request.ids)?;

        let collection = self.collection(&request.collection_name)?;
        collection.check_timeout(request.timeout)?;
        self.charge(&collection, Access::Read, ids.len())?;
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(*id));
        let points = self.store().get(&collection.name, &ids).map_err(|e| to_status(&e))?;
        Ok(qdrant::GetResponse {
            result: retrieved(&collection, points, &parts)?,
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    fn scroll(&self, request: qdrant::ScrollPoints) -> Result<qdrant::ScrollResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        validate::at_least("limit", request.limit, 1)?;
        validate::read_consistency(request.read_consistency.as_ref())?;
        refuse_option(request.order_by.is_some(), "order_by")?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let parts = Parts::new(request.with_payload, true, request.with_vectors)?;
        let limit = request.limit.unwrap_or(DEFAULT_SCROLL_LIMIT) as usize;
        let from = request.offset.map(point_id).transpose()?;
        let mut filter = filter(request.filter)?;

        let collection = self.collection(&request.collection_name)?;
        collection.check_limit(limit)?;
        collection.check_read_filter(&filter)?;
        collection.check_timeout(request.timeout)?;
        use_text_indexes(&mut filter, &collection.indexes);
        self.charge(&collection, Access::Read, 1 + filter.conditions())?;
        // One more point than requested: the next page starts with it.
        let mut points = self
            .store()
            .scroll(&collection.name, &filter, from, limit.saturating_add(1))
            .map_err(|e| to_status(&e))?;
        let next = points.get(limit).map(|point| id_message(point.id));
        points.truncate(limit);
        Ok(qdrant::ScrollResponse {
            next_page_offset: next,
            result: retrieved(&collection, points, &parts)?,
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    fn count(&self, request: qdrant::CountPoints) -> Result<qdrant::CountResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        validate::read_consistency(request.read_consistency.as_ref())?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let mut filter = filter(request.filter)?;
        let exact = request.exact.unwrap_or(true);

        let collection = self.collection(&request.collection_name)?;
        collection.check_read_filter(&filter)?;
        collection.check_exact(exact)?;
        collection.check_timeout(request.timeout)?;
        use_text_indexes(&mut filter, &collection.indexes);
        self.charge(&collection, Access::Read, 1 + filter.conditions())?;
        let count = if exact {
            self.store().count(&collection.name, &filter).map_err(|e| to_status(&e))?
        } else {
            self.estimate(&collection, &filter)?
        };
        Ok(qdrant::CountResponse {
            result: Some(qdrant::CountResult { count: count as u64 }),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }
}

impl Collection {
    /// Checks the points of a write against the collection.
    fn selected(&self, mut selection: Selection) -> Result<Selection, Status> {
        self.check_written(&selection)?;
        match &mut selection {
            Selection::Ids(ids) => validate::some_points(ids.len())?,
            Selection::Filter(filter) => use_text_indexes(filter, &self.indexes),
        }
        Ok(selection)
    }

    /// Checks that the collection declares the vectors that a request asks for. As in Qdrant, this
    /// only matters if there is a point to return.
    pub(super) fn check_parts(&self, points: usize, parts: &Parts) -> Result<(), Status> {
        if points == 0 {
            return Ok(());
        }
        parts.vector_names().iter().try_for_each(|name| self.check_vector_name(name).map(drop))
    }
}

/// Returns the points that a change applies to.
fn changed(selector: Option<qdrant::PointsSelector>) -> Result<Selection, Status> {
    selection(selector, "points_selector is expected")
}

pub(super) fn refuse_shard_key(selector: Option<&qdrant::ShardKeySelector>) -> Result<(), Status> {
    refuse_option(selector.is_some_and(|selector| !selector.shard_keys.is_empty()), "shard keys")
}

fn point(point: qdrant::PointStruct) -> Result<Point, Status> {
    let payload = payload(point.payload)?;
    let vectors =
        vectors(point.vectors.ok_or_else(|| Status::invalid_argument("Expected some vectors"))?)?;
    let id = point.id.ok_or_else(|| Status::invalid_argument("Empty ID is not allowed"))?;
    Ok(Point { id: point_id(id)?, payload, vectors })
}

fn retrieved(
    collection: &Collection,
    points: Vec<Point>,
    parts: &Parts,
) -> Result<Vec<qdrant::RetrievedPoint>, Status> {
    collection.check_parts(points.len(), parts)?;
    let retrieved = points.into_iter().map(|point| {
        let id = Some(id_message(point.id));
        let (payload, vectors) = parts.of(point);
        qdrant::RetrievedPoint { id, payload, vectors, ..qdrant::RetrievedPoint::default() }
    });
    Ok(retrieved.collect())
}
