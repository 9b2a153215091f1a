//! The `Points` service: which calls there are, and those that write or read points as they are.

use qdrant_client::qdrant;
use qdrant_client::qdrant::points_server::Points;
use tokio::time::Instant;
use tonic::Status;

use super::convert::{Parts, id_message, path, payload, point_id, vectors};
use super::filter::{filter, ids, selection};
use super::status::{out_of_range, refuse_option, to_status};
use super::{Access, Engine, implement};
use crate::store::{Change, Point, Selection, StoreError};

/// What a scroll returns where the request does not say.
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
        search: search(SearchPoints) -> SearchResponse;
        search_batch: search_batch(SearchBatchPoints) -> SearchBatchResponse;
        scroll: scroll(ScrollPoints) -> ScrollResponse;
        count: count(CountPoints) -> CountResponse;
        query: query(QueryPoints) -> QueryResponse;
        query_batch: query_batch(QueryBatchPoints) -> QueryBatchResponse;
    }
    refused {
        create_field_index(CreateFieldIndexCollection) -> PointsOperationResponse;
        delete_field_index(DeleteFieldIndexCollection) -> PointsOperationResponse;
        create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse;
        delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse;
        search_groups(SearchPointGroups) -> SearchGroupsResponse;
        recommend(RecommendPoints) -> RecommendResponse;
        recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse;
        recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse;
        discover(DiscoverPoints) -> DiscoverResponse;
        discover_batch(DiscoverBatchPoints) -> DiscoverBatchResponse;
        update_batch(UpdateBatchPoints) -> UpdateBatchResponse;
        query_groups(QueryPointGroups) -> QueryGroupsResponse;
        facet(FacetCounts) -> FacetResponse;
        search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
        search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
    }
}

type Written = Result<qdrant::PointsOperationResponse, Status>;

impl Engine {
    fn upsert(&self, request: qdrant::UpsertPoints) -> Written {
        let start = Instant::now();
        refuse_option(request.update_filter.is_some(), "update_filter")?;
        refuse_option(
            request.update_mode.is_some_and(|mode| mode != qdrant::UpdateMode::Upsert as i32),
            "update_mode",
        )?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let points = request.points.into_iter().map(point).collect::<Result<Vec<_>, _>>()?;
        self.charge(&request.collection_name, Access::Write, points.len().max(1))?;
        self.written(&request.collection_name, request.wait, start, || {
            self.store.upsert(&request.collection_name, points)
        })
    }

    fn delete_points(&self, request: qdrant::DeletePoints) -> Written {
        let start = Instant::now();
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let selection = selection(request.points, "PointSelector is missing")?;
        self.charge_write(&request.collection_name, &selection)?;
        self.written(&request.collection_name, request.wait, start, || {
            self.store.delete(&request.collection_name, &selection)
        })
    }

    fn update_vectors(&self, request: qdrant::UpdatePointVectors) -> Written {
        let start = Instant::now();
        refuse_option(request.update_filter.is_some(), "update_filter")?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let changes = request
            .points
            .into_iter()
            .map(|point| {
                let id = point.id.ok_or_else(|| Status::invalid_argument("id is expected"))?;
                let vectors =
                    point.vectors.ok_or_else(|| Status::invalid_argument("vectors is expected"))?;
                let change = Change::SetVectors(self::vectors(vectors)?);
                Ok((Selection::Ids(vec![point_id(id)?]), change))
            })
            .collect::<Result<Vec<_>, Status>>()?;
        self.charge(&request.collection_name, Access::Write, changes.len().max(1))?;
        self.written(&request.collection_name, request.wait, start, || {
            changes.iter().try_for_each(|(selection, change)| {
                self.store.change(&request.collection_name, selection, change)
            })
        })
    }

    fn delete_vectors(&self, request: qdrant::DeletePointVectors) -> Written {
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let names =
            request.vectors.ok_or_else(|| Status::invalid_argument("vectors is expected"))?.names;
        self.change(
            &request.collection_name,
            request.wait,
            request.points_selector,
            &Change::DeleteVectors(names),
        )
    }

    fn set_payload(&self, request: qdrant::SetPayloadPoints) -> Written {
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let change = Change::SetPayload {
            values: payload(request.payload)?,
            key: request.key.as_deref().map(path).transpose()?,
        };
        self.change(&request.collection_name, request.wait, request.points_selector, &change)
    }

    fn overwrite_payload(&self, request: qdrant::SetPayloadPoints) -> Written {
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        // `key` is passed over here, as the real server does.
        self.change(
            &request.collection_name,
            request.wait,
            request.points_selector,
            &Change::OverwritePayload(payload(request.payload)?),
        )
    }

    fn delete_payload(&self, request: qdrant::DeletePayloadPoints) -> Written {
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let keys = request.keys.iter().map(|key| path(key)).collect::<Result<_, _>>()?;
        self.change(
            &request.collection_name,
            request.wait,
            request.points_selector,
            &Change::DeletePayload(keys),
        )
    }

    fn clear_payload(&self, request: qdrant::ClearPayloadPoints) -> Written {
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        self.change(
            &request.collection_name,
            request.wait,
            request.points,
            &Change::OverwritePayload(crate::store::Payload::new()),
        )
    }

    fn change(
        &self,
        collection: &str,
        wait: Option<bool>,
        selector: Option<qdrant::PointsSelector>,
        change: &Change,
    ) -> Written {
        let start = Instant::now();
        let selection = selection(selector, "points_selector is expected")?;
        self.charge_write(collection, &selection)?;
        self.written(collection, wait, start, || self.store.change(collection, &selection, change))
    }

    /// Writes, and answers the way `wait` asks for. The write is applied either way, so that a
    /// test need not poll for it.
    fn written(
        &self,
        collection: &str,
        wait: Option<bool>,
        start: Instant,
        write: impl FnOnce() -> Result<(), StoreError>,
    ) -> Written {
        write().map_err(|e| to_status(&e))?;
        let status = if wait == Some(true) {
            qdrant::UpdateStatus::Completed
        } else {
            qdrant::UpdateStatus::Acknowledged
        };
        Ok(qdrant::PointsOperationResponse {
            result: Some(qdrant::UpdateResult {
                operation_id: Some(self.next_operation(collection)),
                status: status.into(),
            }),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    /// A write costs as much as it touches points, and at least 1.
    fn charge_write(&self, collection: &str, selection: &Selection) -> Result<(), Status> {
        let touched = match selection {
            Selection::Ids(ids) => ids.len(),
            Selection::Filter(filter) => {
                self.store.count(collection, filter).map_err(|e| to_status(&e))?
            }
        };
        self.charge(collection, Access::Write, touched.max(1))
    }

    fn get_points(&self, request: qdrant::GetPoints) -> Result<qdrant::GetResponse, Status> {
        let start = Instant::now();
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let parts = Parts::new(request.with_payload, false, request.with_vectors)?;
        let ids = ids(request.ids)?;
        self.charge(&request.collection_name, Access::Read, ids.len())?;
        self.check_vector_names(&request.collection_name, &parts)?;
        let points = self.store.get(&request.collection_name, &ids).map_err(|e| to_status(&e))?;
        Ok(qdrant::GetResponse {
            result: retrieved(points, &parts),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    fn scroll(&self, request: qdrant::ScrollPoints) -> Result<qdrant::ScrollResponse, Status> {
        let start = Instant::now();
        refuse_option(request.order_by.is_some(), "order_by")?;
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let parts = Parts::new(request.with_payload, true, request.with_vectors)?;
        let limit = request.limit.unwrap_or(DEFAULT_SCROLL_LIMIT) as usize;
        if limit == 0 {
            return Err(out_of_range("limit", limit, "1 or larger"));
        }
        let from = request.offset.map(point_id).transpose()?;
        let filter = filter(request.filter)?;
        self.charge(&request.collection_name, Access::Read, 1 + filter.conditions())?;
        self.check_vector_names(&request.collection_name, &parts)?;
        // One more than asked for: it is where the next page starts.
        let mut points = self
            .store
            .scroll(&request.collection_name, &filter, from, limit.saturating_add(1))
            .map_err(|e| to_status(&e))?;
        let next = points.get(limit).map(|point| id_message(point.id));
        points.truncate(limit);
        Ok(qdrant::ScrollResponse {
            next_page_offset: next,
            result: retrieved(points, &parts),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    fn count(&self, request: qdrant::CountPoints) -> Result<qdrant::CountResponse, Status> {
        let start = Instant::now();
        refuse_shard_key(request.shard_key_selector.as_ref())?;
        let filter = filter(request.filter)?;
        self.charge(&request.collection_name, Access::Read, 1 + filter.conditions())?;
        let count =
            self.store.count(&request.collection_name, &filter).map_err(|e| to_status(&e))?;
        Ok(qdrant::CountResponse {
            result: Some(qdrant::CountResult { count: count as u64 }),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    /// Refuses a request for vectors that the collection does not declare.
    pub(super) fn check_vector_names(&self, collection: &str, parts: &Parts) -> Result<(), Status> {
        let declared = self.store.vectors(collection).map_err(|e| to_status(&e))?;
        parts
            .vector_names()
            .iter()
            .find(|name| !declared.contains_key(*name))
            .map_or(Ok(()), |name| Err(to_status(&StoreError::UnknownVector(name.clone()))))
    }
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

fn retrieved(points: Vec<Point>, parts: &Parts) -> Vec<qdrant::RetrievedPoint> {
    points
        .into_iter()
        .map(|point| {
            let id = Some(id_message(point.id));
            let (payload, vectors) = parts.of(point);
            qdrant::RetrievedPoint { id, payload, vectors, ..qdrant::RetrievedPoint::default() }
        })
        .collect()
}
