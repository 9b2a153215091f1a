//! The searches of the `Points` service.

use std::collections::HashSet;
use std::time::Instant;

use qdrant_client::qdrant;
use qdrant_client::qdrant::{query, vector_input};
use tonic::Status;

use super::convert::{Parts, id_message, point_id};
use super::filter::filter;
use super::index::use_text_indexes;
use super::limiter::Access;
use super::points::refuse_shard_key;
use super::status::{bad_request, not_found, refuse_option, to_status, unsupported};
use super::{Collection, Engine, validate};
use crate::store::{Condition, Filter, PointId, ScoredPoint, Search, StoreError};

/// The default `limit` of a query.
const DEFAULT_QUERY_LIMIT: u64 = 10;

/// The score of every point if a request has no query.
const NO_QUERY_SCORE: f32 = 1.0;

/// A search that is ready to be charged and run.
struct Request {
    target: Target,
    using: String,
    filter: Filter,
    offset: usize,
    limit: usize,
    score_threshold: Option<f32>,
    params: Option<qdrant::SearchParams>,
    parts: Parts,
}

enum Target {
    Vector(Vec<f32>),
    Point(PointId),
    /// No target: returns points in the order of their ids.
    Any,
}

impl Engine {
    pub(super) fn search(
        &self,
        request: qdrant::SearchPoints,
    ) -> Result<qdrant::SearchResponse, Status> {
        let start = Instant::now();
        let (collection, timeout) = (request.collection_name.clone(), request.timeout);
        let request = from_search(request)?;
        let mut results = self.run(&collection, timeout, vec![request])?;
        Ok(qdrant::SearchResponse {
            result: results.pop().unwrap_or_default(),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    pub(super) fn search_batch(
        &self,
        request: qdrant::SearchBatchPoints,
    ) -> Result<qdrant::SearchBatchResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        validate::at_least("timeout", request.timeout, 1)?;
        validate::read_consistency(request.read_consistency.as_ref())?;
        let requests =
            request.search_points.into_iter().map(from_search).collect::<Result<Vec<_>, _>>()?;
        Ok(qdrant::SearchBatchResponse {
            result: batch(self.run_batch(&request.collection_name, request.timeout, requests)?),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    pub(super) fn query(
        &self,
        request: qdrant::QueryPoints,
    ) -> Result<qdrant::QueryResponse, Status> {
        let start = Instant::now();
        let (collection, timeout) = (request.collection_name.clone(), request.timeout);
        let request = from_query(request)?;
        let mut results = self.run(&collection, timeout, vec![request])?;
        Ok(qdrant::QueryResponse {
            result: results.pop().unwrap_or_default(),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    pub(super) fn query_batch(
        &self,
        request: qdrant::QueryBatchPoints,
    ) -> Result<qdrant::QueryBatchResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        validate::at_least("timeout", request.timeout, 1)?;
        validate::read_consistency(request.read_consistency.as_ref())?;
        let requests =
            request.query_points.into_iter().map(from_query).collect::<Result<Vec<_>, _>>()?;
        Ok(qdrant::QueryBatchResponse {
            result: batch(self.run_batch(&request.collection_name, request.timeout, requests)?),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    fn run_batch(
        &self,
        collection: &str,
        timeout: Option<u64>,
        requests: Vec<Request>,
    ) -> Result<Vec<Vec<qdrant::ScoredPoint>>, Status> {
        self.collection(collection)?.check_search_batch(requests.len())?;
        self.run(collection, timeout, requests)
    }

    /// Runs the searches of one request, after all of them have been checked. As in Qdrant, points
    /// that serve as targets are read, and charged, before the searches are.
    fn run(
        &self,
        collection: &str,
        timeout: Option<u64>,
        mut requests: Vec<Request>,
    ) -> Result<Vec<Vec<qdrant::ScoredPoint>>, Status> {
        let collection = self.collection(collection)?;
        for request in &requests {
            collection.check_limit(request.limit)?;
            collection.check_read_filter(&request.filter)?;
            collection.check_search_params(request.params.as_ref())?;
        }
        collection.check_timeout(timeout)?;
        for request in &mut requests {
            match &request.target {
                Target::Vector(vector) => collection.check_vector(&request.using, vector)?,
                Target::Point(_) => drop(collection.check_vector_name(&request.using)?),
                Target::Any => {}
            }
            use_text_indexes(&mut request.filter, &collection.indexes);
        }

        let targets: HashSet<PointId> =
            requests.iter().filter_map(|request| request.target.point()).collect();
        if !targets.is_empty() {
            self.charge(&collection, Access::Read, targets.len())?;
        }
        let requests = requests
            .into_iter()
            .map(|request| self.resolve(&collection, request))
            .collect::<Result<Vec<_>, _>>()?;
        let cost = requests.iter().map(|request| 1 + request.filter.conditions()).sum();
        self.charge(&collection, Access::Read, cost)?;
        requests.into_iter().map(|request| self.run_one(&collection, request)).collect()
    }

    /// Replaces a target point by its vector, and excludes the point from the result.
    fn resolve(&self, collection: &Collection, mut request: Request) -> Result<Request, Status> {
        let Some(id) = request.target.point() else {
            return Ok(request);
        };
        let mut point = self
            .store()
            .get(&collection.name, &[id])
            .map_err(|e| to_status(&e))?
            .pop()
            .ok_or_else(|| to_status(&StoreError::PointNotFound(id)))?;
        let vector = point.vectors.remove(&request.using).ok_or_else(|| {
            not_found(format!("Vector with name {:?} for point not found", request.using))
        })?;
        request.target = Target::Vector(vector);
        request.filter.must_not.push(Condition::HasId([id].into()));
        Ok(request)
    }

    fn run_one(
        &self,
        collection: &Collection,
        request: Request,
    ) -> Result<Vec<qdrant::ScoredPoint>, Status> {
        let found = match request.target {
            Target::Vector(vector) => self
                .store()
                .search(
                    &collection.name,
                    &Search {
                        vector,
                        using: request.using,
                        filter: request.filter,
                        offset: request.offset,
                        limit: request.limit,
                        score_threshold: request.score_threshold,
                    },
                )
                .map_err(|e| to_status(&e))?,
            Target::Any | Target::Point(_) => {
                let end = request.offset.saturating_add(request.limit);
                self.store()
                    .scroll(&collection.name, &request.filter, None, end)
                    .map_err(|e| to_status(&e))?
                    .into_iter()
                    .skip(request.offset)
                    .map(|point| ScoredPoint { point, score: NO_QUERY_SCORE })
                    .collect()
            }
        };
        collection.check_parts(found.len(), &request.parts)?;
        Ok(found.into_iter().map(|found| scored(found, &request.parts)).collect())
    }
}

impl Target {
    fn point(&self) -> Option<PointId> {
        match self {
            Self::Point(id) => Some(*id),
            Self::Vector(_) | Self::Any => None,
        }
    }
}

fn from_search(request: qdrant::SearchPoints) -> Result<Request, Status> {
    validate::collection_name(&request.collection_name)?;
    validate::at_least("limit", Some(request.limit), 1)?;
    validate::at_least("timeout", request.timeout, 1)?;
    validate::search_params(request.params.as_ref())?;
    validate::read_consistency(request.read_consistency.as_ref())?;
    refuse_option(request.sparse_indices.is_some(), "sparse vectors")?;
    refuse_shard_key(request.shard_key_selector.as_ref())?;
    Ok(Request {
        target: Target::Vector(request.vector),
        using: request.vector_name.unwrap_or_default(),
        filter: filter(request.filter)?,
        offset: size(request.offset.unwrap_or(0)),
        limit: size(request.limit),
        score_threshold: request.score_threshold,
        params: request.params,
        parts: Parts::new(request.with_payload, false, request.with_vectors)?,
    })
}

fn from_query(request: qdrant::QueryPoints) -> Result<Request, Status> {
    validate::collection_name(&request.collection_name)?;
    validate::at_least("limit", request.limit, 1)?;
    validate::at_least("timeout", request.timeout, 1)?;
    validate::search_params(request.params.as_ref())?;
    validate::read_consistency(request.read_consistency.as_ref())?;
    refuse_option(!request.prefetch.is_empty(), "prefetch")?;
    refuse_option(request.lookup_from.is_some(), "lookup_from")?;
    refuse_shard_key(request.shard_key_selector.as_ref())?;
    let target = target(request.query)?;
    if matches!(target, Target::Any) && request.score_threshold.is_some() {
        return Err(bad_request(
            "A query is needed to use the score_threshold. Can't have score_threshold without \
             defining a query.",
        ));
    }
    Ok(Request {
        target,
        using: request.using.unwrap_or_default(),
        filter: filter(request.filter)?,
        offset: size(request.offset.unwrap_or(0)),
        limit: size(request.limit.unwrap_or(DEFAULT_QUERY_LIMIT)),
        score_threshold: request.score_threshold,
        params: request.params,
        parts: Parts::new(request.with_payload, false, request.with_vectors)?,
    })
}

fn target(query: Option<qdrant::Query>) -> Result<Target, Status> {
    let Some(query) = query else {
        return Ok(Target::Any);
    };
    match query.variant {
        Some(query::Variant::Nearest(input)) => match input.variant {
            Some(vector_input::Variant::Id(id)) => Ok(Target::Point(point_id(id)?)),
            Some(vector_input::Variant::Dense(dense)) => Ok(Target::Vector(dense.data)),
            Some(vector_input::Variant::Sparse(_)) => Err(unsupported("sparse vectors")),
            Some(vector_input::Variant::MultiDense(_)) => Err(unsupported("multivectors")),
            Some(_) => Err(unsupported("inference")),
            None => Err(Status::invalid_argument("VectorInput variant is missing")),
        },
        Some(_) => Err(unsupported("queries other than nearest")),
        None => Err(Status::invalid_argument("Query variant is missing")),
    }
}

/// Converts a number of points. If it does not fit, it exceeds any possible number of points.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn batch(results: Vec<Vec<qdrant::ScoredPoint>>) -> Vec<qdrant::BatchResult> {
    results.into_iter().map(|result| qdrant::BatchResult { result }).collect()
}

fn scored(found: ScoredPoint, parts: &Parts) -> qdrant::ScoredPoint {
    let id = Some(id_message(found.point.id));
    let (payload, vectors) = parts.of(found.point);
    qdrant::ScoredPoint {
        id,
        payload,
        score: found.score,
        vectors,
        ..qdrant::ScoredPoint::default()
    }
}
