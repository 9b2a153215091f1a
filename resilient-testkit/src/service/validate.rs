//! Validates requests by themselves, before anything else is checked, with the messages of the real
//! server.

use qdrant_client::qdrant::{
    CreateCollection, HnswConfigDiff, OptimizersConfigDiff, QuantizationConfig, ReadConsistency,
    ReadConsistencyType, SearchParams, StrictModeConfig, UpdateCollection, VectorParams,
    VectorParamsDiff, WalConfigDiff, WriteOrdering, WriteOrderingType, quantization_config,
    quantization_config_diff, read_consistency, vectors_config, vectors_config_diff,
};
use tonic::Status;

use super::status::{bad_request, invalid_field};

type Checked = Result<(), Status>;

/// The characters that the name of a new collection must not contain.
const FORBIDDEN: [char; 11] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1F}'];

/// The characters that the name of no collection can contain, not even that of an old one.
const IMPOSSIBLE: [char; 2] = ['/', '\0'];

/// The largest vector that Qdrant accepts.
const MAX_VECTOR_SIZE: u64 = 65_536;

/// Validates the name of a collection that may exist.
pub(super) fn collection_name(name: &str) -> Checked {
    name_without(name, &IMPOSSIBLE)
}

fn name_without(name: &str, forbidden: &[char]) -> Checked {
    const FIELD: &str = "collection_name";
    if !(1..=255).contains(&name.chars().count()) {
        let why = format!("value {name:?} invalid, must be from 1 to 255 characters");
        return Err(invalid_field(FIELD, &why));
    }
    match forbidden.iter().find(|c| name.contains(**c)) {
        Some(c) => {
            let why = format!("collection name cannot contain \"{c}\" char");
            Err(invalid_field(FIELD, &why))
        }
        None => Ok(()),
    }
}

/// Validates an optional number with a minimum.
pub(super) fn at_least(field: &str, value: Option<impl Into<u64>>, least: u64) -> Checked {
    match value.map(Into::into) {
        Some(value) if value < least => {
            let why = format!("value {value} invalid, must be {least} or larger");
            Err(invalid_field(field, &why))
        }
        _ => Ok(()),
    }
}

fn within(field: &str, value: Option<impl Into<f64>>, least: f64, most: f64) -> Checked {
    match value.map(Into::into) {
        Some(value) if !(least..=most).contains(&value) => {
            let why = format!("value {value:?} invalid, must be from {least:?} to {most:?}");
            Err(invalid_field(field, &why))
        }
        _ => Ok(()),
    }
}

/// Validates text that must not be empty.
pub(super) fn not_empty(field: &str, value: &str) -> Checked {
    if value.is_empty() {
        let why = "value \"\" invalid, must be at least 1 characters";
        return Err(invalid_field(field, why));
    }
    Ok(())
}

/// Validates the number of points in a write.
pub(super) fn some_points(points: usize) -> Checked {
    if points == 0 { Err(bad_request("Empty update request")) } else { Ok(()) }
}

pub(super) fn write_ordering(ordering: Option<&WriteOrdering>) -> Checked {
    match ordering.map(|ordering| ordering.r#type) {
        Some(unknown) if WriteOrderingType::try_from(unknown).is_err() => {
            Err(Status::invalid_argument(format!("cannot convert ordering: {unknown}")))
        }
        _ => Ok(()),
    }
}

pub(super) fn read_consistency(consistency: Option<&ReadConsistency>) -> Checked {
    match consistency.map(|consistency| consistency.value) {
        Some(None) => Err(Status::invalid_argument(
            "invalid read consistency message: `ReadConsistency::value` field is `None`",
        )),
        Some(Some(read_consistency::Value::Type(unknown)))
            if ReadConsistencyType::try_from(unknown).is_err() =>
        {
            Err(Status::invalid_argument(format!("invalid read consistency type value {unknown}")))
        }
        _ => Ok(()),
    }
}

pub(super) fn search_params(params: Option<&SearchParams>) -> Checked {
    let Some(params) = params else {
        return Ok(());
    };
    let oversampling = params.quantization.as_ref().and_then(|params| params.oversampling);
    if let Some(oversampling) = oversampling.filter(|oversampling| *oversampling < 1.0) {
        let why = format!("value {oversampling:?} invalid, must be 1.0 or larger");
        return Err(invalid_field("params.quantization.oversampling", &why));
    }
    let selectivity = params.acorn.as_ref().and_then(|params| params.max_selectivity);
    within("params.acorn.max_selectivity", selectivity, 0.0, 1.0)
}

pub(super) fn create(request: &CreateCollection) -> Checked {
    name_without(&request.collection_name, &FORBIDDEN)?;
    at_least("shard_number", request.shard_number, 1)?;
    at_least("replication_factor", request.replication_factor, 1)?;
    at_least("write_consistency_factor", request.write_consistency_factor, 1)?;
    hnsw("hnsw_config", request.hnsw_config.as_ref())?;
    wal(request.wal_config.as_ref())?;
    optimizers(request.optimizers_config.as_ref())?;
    quantization("quantization_config", request.quantization_config.as_ref())?;
    strict_mode(request.strict_mode_config.as_ref())?;
    match request.vectors_config.as_ref().and_then(|config| config.config.as_ref()) {
        None => Ok(()),
        Some(vectors_config::Config::Params(params)) => vector("vectors_config.config", params),
        Some(vectors_config::Config::ParamsMap(params)) => {
            params.map.values().try_for_each(|params| vector("vectors_config.config.map[]", params))
        }
    }
}

fn vector(field: &str, params: &VectorParams) -> Checked {
    if !(1..=MAX_VECTOR_SIZE).contains(&params.size) {
        let why = format!("value {} invalid, must be from 1 to {MAX_VECTOR_SIZE}", params.size);
        return Err(invalid_field(&format!("{field}.size"), &why));
    }
    hnsw(&format!("{field}.hnsw_config"), params.hnsw_config.as_ref())?;
    quantization(&format!("{field}.quantization_config"), params.quantization_config.as_ref())
}

pub(super) fn update(request: &UpdateCollection) -> Checked {
    collection_name(&request.collection_name)?;
    at_least("timeout", request.timeout, 1)?;
    if let Some(params) = &request.params {
        at_least("params.replication_factor", params.replication_factor, 1)?;
        at_least("params.write_consistency_factor", params.write_consistency_factor, 1)?;
    }
    hnsw("hnsw_config", request.hnsw_config.as_ref())?;
    optimizers(request.optimizers_config.as_ref())?;
    if let Some(quantization_config_diff::Quantization::Scalar(scalar)) =
        request.quantization_config.as_ref().and_then(|config| config.quantization)
    {
        within("quantization_config.quantization.quantile", scalar.quantile, 0.5, 1.0)?;
    }
    strict_mode(request.strict_mode_config.as_ref())?;
    match request.vectors_config.as_ref().and_then(|config| config.config.as_ref()) {
        None => Ok(()),
        Some(vectors_config_diff::Config::Params(params)) => {
            vector_update("vectors_config.config", params)
        }
        Some(vectors_config_diff::Config::ParamsMap(params)) => params
            .map
            .values()
            .try_for_each(|params| vector_update("vectors_config.config.map[]", params)),
    }
}

fn vector_update(field: &str, params: &VectorParamsDiff) -> Checked {
    hnsw(&format!("{field}.hnsw_config"), params.hnsw_config.as_ref())
}

fn hnsw(field: &str, config: Option<&HnswConfigDiff>) -> Checked {
    let ef_construct = config.and_then(|config| config.ef_construct);
    at_least(&format!("{field}.ef_construct"), ef_construct, 4)
}

fn wal(config: Option<&WalConfigDiff>) -> Checked {
    let Some(config) = config else {
        return Ok(());
    };
    at_least("wal_config.wal_capacity_mb", config.wal_capacity_mb, 1)?;
    at_least("wal_config.wal_retain_closed", config.wal_retain_closed, 1)
}

fn optimizers(config: Option<&OptimizersConfigDiff>) -> Checked {
    let Some(config) = config else {
        return Ok(());
    };
    within("optimizers_config.deleted_threshold", config.deleted_threshold, 0.0, 1.0)?;
    let field = "optimizers_config.vacuum_min_vector_number";
    at_least(field, config.vacuum_min_vector_number, 100)?;
    at_least("optimizers_config.max_segment_size", config.max_segment_size, 1)
}

fn quantization(field: &str, config: Option<&QuantizationConfig>) -> Checked {
    match config.and_then(|config| config.quantization) {
        Some(quantization_config::Quantization::Scalar(scalar)) => {
            within(&format!("{field}.quantization.quantile"), scalar.quantile, 0.5, 1.0)
        }
        _ => Ok(()),
    }
}

fn strict_mode(config: Option<&StrictModeConfig>) -> Checked {
    let Some(config) = config else {
        return Ok(());
    };
    at_least("strict_mode_config.max_query_limit", config.max_query_limit, 1)?;
    at_least("strict_mode_config.max_timeout", config.max_timeout, 1)?;
    at_least("strict_mode_config.max_points_count", config.max_points_count, 1)?;
    at_least("strict_mode_config.read_rate_limit", config.read_rate_limit, 1)?;
    at_least("strict_mode_config.write_rate_limit", config.write_rate_limit, 1)
}
