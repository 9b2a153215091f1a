//! The searches of the `Points` service.

use qdrant_client::qdrant;
use qdrant_client::qdrant::{query, vector_input};
use tokio::time::Instant;
use tonic::Status;

use super::convert::{Parts, id_message, point_id};
use super::filter::filter;
use super::points::refuse_shard_key;
use super::status::{not_found, out_of_range, refuse_option, to_status, unsupported};
use super::{Access, Engine};
use crate::store::{Condition, Filter, PointId, ScoredPoint, Search, StoreError};

/// What a query returns where the request does not say.
const DEFAULT_QUERY_LIMIT: u64 = 10;

/// A search that is ready to be charged and run.
struct Request {
    target: Target,
    using: String,
    filter: Filter,
    offset: usize,
    limit: usize,
    score_threshold: Option<f32>,
    parts: Parts,
}

enum Target {
    Vector(Vec<f32>),
    Point(PointId),
    /// No target: the points by their ids.
    Any,
}

impl Engine {
    pub(super) fn search(
        &self,
        request: qdrant::SearchPoints,
    ) -> Result<qdrant::SearchResponse, Status> {
        let start = Instant::now();
        let collection = request.collection_name.clone();
        let mut results = self.run(&collection, vec![from_search(request)?])?;
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
        let requests =
            request.search_points.into_iter().map(from_search).collect::<Result<_, _>>()?;
        Ok(qdrant::SearchBatchResponse {
            result: batch(self.run(&request.collection_name, requests)?),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    pub(super) fn query(
        &self,
        request: qdrant::QueryPoints,
    ) -> Result<qdrant::QueryResponse, Status> {
        let start = Instant::now();
        let collection = request.collection_name.clone();
        let mut results = self.run(&collection, vec![from_query(request)?])?;
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
        let requests =
            request.query_points.into_iter().map(from_query).collect::<Result<_, _>>()?;
        Ok(qdrant::QueryBatchResponse {
            result: batch(self.run(&request.collection_name, requests)?),
            time: start.elapsed().as_secs_f64(),
            usage: None,
        })
    }

    /// Runs the searches of one request. As in Qdrant, points that serve as targets are read, and
    /// charged, before the searches are.
    fn run(
        &self,
        collection: &str,
        requests: Vec<Request>,
    ) -> Result<Vec<Vec<qdrant::ScoredPoint>>, Status> {
        let targets =
            requests.iter().filter(|request| matches!(request.target, Target::Point(_))).count();
        if targets > 0 {
            self.charge(collection, Access::Read, targets)?;
        }
        let requests = requests
            .into_iter()
            .map(|request| self.resolve(collection, request))
            .collect::<Result<Vec<_>, _>>()?;
        let cost = requests.iter().map(|request| 1 + request.filter.conditions()).sum();
        self.charge(collection, Access::Read, cost)?;
        requests.into_iter().map(|request| self.run_one(collection, request)).collect()
    }

    /// Puts the vector of the target point in the point's place, and the point out of the result.
    fn resolve(&self, collection: &str, mut request: Request) -> Result<Request, Status> {
        let Target::Point(id) = request.target else {
            return Ok(request);
        };
        let declared = self.store.vectors(collection).map_err(|e| to_status(&e))?;
        if !declared.contains_key(&request.using) {
            return Err(to_status(&StoreError::UnknownVector(request.using)));
        }
        let mut point = self
            .store
            .get(collection, &[id])
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
        collection: &str,
        request: Request,
    ) -> Result<Vec<qdrant::ScoredPoint>, Status> {
        self.check_vector_names(collection, &request.parts)?;
        let found = match request.target {
            Target::Vector(vector) => self
                .store
                .search(
                    collection,
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
                self.store
                    .scroll(collection, &request.filter, None, end)
                    .map_err(|e| to_status(&e))?
                    .into_iter()
                    .skip(request.offset)
                    .map(|point| ScoredPoint { point, score: 0.0 })
                    .collect()
            }
        };
        Ok(found.into_iter().map(|found| scored(found, &request.parts)).collect())
    }
}

fn from_search(request: qdrant::SearchPoints) -> Result<Request, Status> {
    refuse_option(request.sparse_indices.is_some(), "sparse vectors")?;
    refuse_shard_key(request.shard_key_selector.as_ref())?;
    Ok(Request {
        target: Target::Vector(request.vector),
        using: request.vector_name.unwrap_or_default(),
        filter: filter(request.filter)?,
        offset: size(request.offset.unwrap_or(0)),
        limit: limit(request.limit)?,
        score_threshold: request.score_threshold,
        parts: Parts::new(request.with_payload, false, request.with_vectors)?,
    })
}

fn from_query(request: qdrant::QueryPoints) -> Result<Request, Status> {
    refuse_option(!request.prefetch.is_empty(), "prefetch")?;
    refuse_option(request.lookup_from.is_some(), "lookup_from")?;
    refuse_shard_key(request.shard_key_selector.as_ref())?;
    Ok(Request {
        target: target(request.query)?,
        using: request.using.unwrap_or_default(),
        filter: filter(request.filter)?,
        offset: size(request.offset.unwrap_or(0)),
        limit: limit(request.limit.unwrap_or(DEFAULT_QUERY_LIMIT))?,
        score_threshold: request.score_threshold,
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

fn limit(limit: u64) -> Result<usize, Status> {
    match size(limit) {
        0 => Err(out_of_range("limit", 0, "1 or larger")),
        limit => Ok(limit),
    }
}

/// A number of points. One that does not fit is more than there can be.
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
