//! The settings of a collection: their defaults, and how an update changes them.

// Reason: clients still send the deprecated settings, and the server still shows them.
#![allow(deprecated)]

use qdrant_client::qdrant::{
    CollectionConfig, CollectionParams, CreateCollection, HnswConfigDiff, OptimizersConfigDiff,
    QuantizationConfig, StrictModeConfig, UpdateCollection, VectorParams, VectorParamsDiff,
    VectorsConfig, VectorsConfigDiff, WalConfigDiff, quantization_config, quantization_config_diff,
    vectors_config, vectors_config_diff,
};

/// Copies each of these fields that the update sets.
macro_rules! merge {
    ($target:expr, $update:expr; $($field:ident)*) => {
        $(
            if $update.$field.is_some() {
                $target.$field = $update.$field.clone();
            }
        )*
    };
}

/// Changes the settings that the update sets.
pub(super) fn update(settings: &mut CreateCollection, update: UpdateCollection) {
    if let Some(update) = update.hnsw_config {
        merge_hnsw(settings.hnsw_config.get_or_insert_default(), &update);
    }
    if let Some(update) = update.optimizers_config {
        merge_optimizers(settings.optimizers_config.get_or_insert_default(), &update);
    }
    if let Some(update) = update.params {
        merge!(
            settings, update;
            replication_factor write_consistency_factor on_disk_payload payload id_tracker
        );
    }
    if let Some(update) = update.quantization_config.and_then(|update| update.quantization) {
        settings.quantization_config = quantization(update);
    }
    if let Some(update) = update.vectors_config.and_then(|update| update.config) {
        update_vectors(settings.vectors_config.as_mut(), update);
    }
    if let Some(update) = update.strict_mode_config {
        merge_strict_mode(settings.strict_mode_config.get_or_insert_default(), &update);
    }
    settings.metadata.extend(update.metadata);
}

/// Returns the vectors that an update changes. The unnamed one has the empty name.
pub(super) fn vector_names(update: &VectorsConfigDiff) -> Vec<&str> {
    match &update.config {
        None => Vec::new(),
        Some(vectors_config_diff::Config::Params(_)) => vec![""],
        Some(vectors_config_diff::Config::ParamsMap(params)) => {
            params.map.keys().map(String::as_str).collect()
        }
    }
}

fn update_vectors(settings: Option<&mut VectorsConfig>, update: vectors_config_diff::Config) {
    use vectors_config::Config as Settings;
    use vectors_config_diff::Config as Update;
    match (settings.and_then(|settings| settings.config.as_mut()), update) {
        (Some(Settings::Params(params)), Update::Params(update)) => update_vector(params, update),
        (Some(Settings::Params(params)), Update::ParamsMap(mut update)) => {
            if let Some(update) = update.map.remove("") {
                update_vector(params, update);
            }
        }
        (Some(Settings::ParamsMap(params)), Update::ParamsMap(update)) => {
            for (name, update) in update.map {
                if let Some(params) = params.map.get_mut(&name) {
                    update_vector(params, update);
                }
            }
        }
        // The names have been checked before. The collection was not created through a server, so
        // it has no settings to update.
        _ => {}
    }
}

fn update_vector(params: &mut VectorParams, update: VectorParamsDiff) {
    if let Some(update) = &update.hnsw_config {
        merge_hnsw(params.hnsw_config.get_or_insert_default(), update);
    }
    if let Some(update) = update.quantization_config.and_then(|update| update.quantization) {
        params.quantization_config = quantization(update);
    }
    merge!(params, update; on_disk memory);
}

fn quantization(update: quantization_config_diff::Quantization) -> Option<QuantizationConfig> {
    use quantization_config::Quantization as Settings;
    use quantization_config_diff::Quantization as Update;
    let quantization = match update {
        Update::Scalar(scalar) => Settings::Scalar(scalar),
        Update::Product(product) => Settings::Product(product),
        Update::Binary(binary) => Settings::Binary(binary),
        Update::Turboquant(turbo) => Settings::Turboquant(turbo),
        Update::Disabled(_) => return None,
    };
    Some(QuantizationConfig { quantization: Some(quantization) })
}

fn merge_hnsw(settings: &mut HnswConfigDiff, update: &HnswConfigDiff) {
    merge!(
        settings, update;
        m ef_construct full_scan_threshold max_indexing_threads on_disk payload_m inline_storage
        memory
    );
}

fn merge_optimizers(settings: &mut OptimizersConfigDiff, update: &OptimizersConfigDiff) {
    merge!(
        settings, update;
        deleted_threshold vacuum_min_vector_number default_segment_number max_segment_size
        memmap_threshold indexing_threshold flush_interval_sec deprecated_max_optimization_threads
        max_optimization_threads prevent_unoptimized
    );
}

fn merge_wal(settings: &mut WalConfigDiff, update: &WalConfigDiff) {
    merge!(settings, update; wal_capacity_mb wal_segments_ahead wal_retain_closed);
}

fn merge_strict_mode(settings: &mut StrictModeConfig, update: &StrictModeConfig) {
    merge!(
        settings, update;
        enabled max_query_limit max_timeout unindexed_filtering_retrieve unindexed_filtering_update
        search_max_hnsw_ef search_allow_exact search_max_oversampling upsert_max_batchsize
        search_max_batchsize max_collection_vector_size_bytes read_rate_limit write_rate_limit
        max_collection_payload_size_bytes filter_max_conditions condition_max_size
        multivector_config sparse_config max_points_count max_payload_index_count
        max_resident_memory_percent
    );
}

/// Returns the settings for the info of a collection, with Qdrant's defaults.
pub(super) fn shown(settings: CreateCollection, vectors: VectorsConfig) -> CollectionConfig {
    let mut hnsw = HnswConfigDiff {
        m: Some(16),
        ef_construct: Some(100),
        full_scan_threshold: Some(10_000),
        max_indexing_threads: Some(0),
        on_disk: Some(false),
        ..HnswConfigDiff::default()
    };
    merge_hnsw(&mut hnsw, &settings.hnsw_config.unwrap_or_default());
    let mut optimizers = OptimizersConfigDiff {
        deleted_threshold: Some(0.2),
        vacuum_min_vector_number: Some(1000),
        default_segment_number: Some(0),
        indexing_threshold: Some(10_000),
        flush_interval_sec: Some(5),
        ..OptimizersConfigDiff::default()
    };
    merge_optimizers(&mut optimizers, &settings.optimizers_config.unwrap_or_default());
    let mut wal = WalConfigDiff {
        wal_capacity_mb: Some(32),
        wal_segments_ahead: Some(0),
        wal_retain_closed: Some(1),
    };
    merge_wal(&mut wal, &settings.wal_config.unwrap_or_default());
    CollectionConfig {
        params: Some(CollectionParams {
            shard_number: settings.shard_number.unwrap_or(1),
            on_disk_payload: settings.on_disk_payload.unwrap_or(true),
            vectors_config: Some(vectors),
            replication_factor: Some(settings.replication_factor.unwrap_or(1)),
            write_consistency_factor: Some(settings.write_consistency_factor.unwrap_or(1)),
            payload: settings.payload,
            id_tracker: settings.id_tracker,
            ..CollectionParams::default()
        }),
        hnsw_config: Some(hnsw),
        optimizer_config: Some(optimizers),
        wal_config: Some(wal),
        quantization_config: settings.quantization_config,
        strict_mode_config: settings.strict_mode_config,
        metadata: settings.metadata,
    }
}
