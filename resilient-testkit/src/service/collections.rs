//! The `Collections` service.

use std::collections::HashMap;
use std::time::Instant;

use qdrant_client::qdrant::collections_server::Collections;
use qdrant_client::qdrant::{self, vectors_config};
use tonic::Status;

use super::state::CollectionState;
use super::status::{refuse_option, to_status};
use super::{Engine, implement, settings, validate};
use crate::store::{Distance, Filter, StoreError, VectorConfig, VectorConfigs};
use crate::sync::lock;

/// The number of segments that Qdrant creates on a machine with two cores.
const SEGMENTS: u64 = 2;

implement! {
    Collections for Service(Engine);
    handled {
        get: collection_info(GetCollectionInfoRequest) -> GetCollectionInfoResponse;
        list: list_collections(ListCollectionsRequest) -> ListCollectionsResponse;
        create: create_collection(CreateCollection) -> CollectionOperationResponse;
        update: update_collection(UpdateCollection) -> CollectionOperationResponse;
        delete: delete_collection(DeleteCollection) -> CollectionOperationResponse;
        collection_exists: collection_exists(CollectionExistsRequest) -> CollectionExistsResponse;
    }
    refused {
        update_aliases(ChangeAliases) -> CollectionOperationResponse;
        list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse;
        list_aliases(ListAliasesRequest) -> ListAliasesResponse;
        collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
        update_collection_cluster_setup(UpdateCollectionClusterSetupRequest)
            -> UpdateCollectionClusterSetupResponse;
        create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
        delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
        list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
    }
}

// Reason: every handler takes its message the same way, by value.
#[allow(clippy::needless_pass_by_value)]
impl Engine {
    fn create_collection(
        &self,
        request: qdrant::CreateCollection,
    ) -> Result<qdrant::CollectionOperationResponse, Status> {
        let start = Instant::now();
        validate::create(&request)?;
        refuse_option(
            request.sparse_vectors_config.as_ref().is_some_and(|config| !config.map.is_empty()),
            "sparse vectors",
        )?;
        refuse_option(
            request.sharding_method == Some(qdrant::ShardingMethod::Custom.into()),
            "custom sharding",
        )?;
        let configs = vector_configs(request.vectors_config.as_ref())?;
        // The lock spans both changes, so that no other call sees only one of them.
        let mut states = lock(self.storage.states());
        self.store()
            .create_collection(&request.collection_name, configs)
            .map_err(|e| to_status(&e))?;
        states.insert(request.collection_name.clone(), CollectionState::new(request));
        Ok(done(true, start))
    }

    fn update_collection(
        &self,
        request: qdrant::UpdateCollection,
    ) -> Result<qdrant::CollectionOperationResponse, Status> {
        let start = Instant::now();
        validate::update(&request)?;
        let collection = self.collection(&request.collection_name)?;
        let vectors = request.vectors_config.as_ref().map(settings::vector_names);
        // This server has no sparse vectors, so none of these names can exist.
        let sparse = request.sparse_vectors_config.as_ref().map(|config| config.map.keys());
        let sparse = sparse.into_iter().flatten().map(String::as_str);
        for name in vectors.into_iter().flatten().chain(sparse) {
            collection.check_vector_name(name)?;
        }
        lock(self.storage.states()).entry(collection.name).or_default().update(request);
        Ok(done(true, start))
    }

    fn delete_collection(
        &self,
        request: qdrant::DeleteCollection,
    ) -> Result<qdrant::CollectionOperationResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        validate::at_least("timeout", request.timeout, 1)?;
        let mut states = lock(self.storage.states());
        states.remove(&request.collection_name);
        let existed =
            self.store().delete_collection(&request.collection_name).map_err(|e| to_status(&e))?;
        Ok(done(existed, start))
    }

    fn list_collections(
        &self,
        _: qdrant::ListCollectionsRequest,
    ) -> Result<qdrant::ListCollectionsResponse, Status> {
        let start = Instant::now();
        let names = self.store().collections().map_err(|e| to_status(&e))?;
        Ok(qdrant::ListCollectionsResponse {
            collections: names
                .into_iter()
                .map(|name| qdrant::CollectionDescription { name })
                .collect(),
            time: start.elapsed().as_secs_f64(),
        })
    }

    fn collection_exists(
        &self,
        request: qdrant::CollectionExistsRequest,
    ) -> Result<qdrant::CollectionExistsResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        let exists = match self.store().vectors(&request.collection_name) {
            Ok(_) => true,
            Err(StoreError::CollectionNotFound(_)) => false,
            Err(error) => return Err(to_status(&error)),
        };
        Ok(qdrant::CollectionExistsResponse {
            result: Some(qdrant::CollectionExists { exists }),
            time: start.elapsed().as_secs_f64(),
        })
    }

    fn collection_info(
        &self,
        request: qdrant::GetCollectionInfoRequest,
    ) -> Result<qdrant::GetCollectionInfoResponse, Status> {
        let start = Instant::now();
        validate::collection_name(&request.collection_name)?;
        let collection = self.collection(&request.collection_name)?;
        let count = |filter: &Filter| {
            self.store().count(&collection.name, filter).map_err(|e| to_status(&e))
        };
        let points = count(&Filter::default())?;
        let mut payload_schema = HashMap::new();
        for (name, index) in &*collection.indexes {
            let points = count(&index.indexed_points())?;
            payload_schema.insert(name.clone(), index.info(points));
        }
        let settings = lock(self.storage.states())
            .get(&collection.name)
            .map(|state| state.settings.clone())
            .unwrap_or_default();
        // A store may hold collections that were not created through a server.
        let vectors_config =
            settings.vectors_config.clone().unwrap_or_else(|| declared(&collection.vectors));
        Ok(qdrant::GetCollectionInfoResponse {
            result: Some(qdrant::CollectionInfo {
                status: qdrant::CollectionStatus::Green.into(),
                optimizer_status: Some(qdrant::OptimizerStatus { ok: true, error: String::new() }),
                segments_count: SEGMENTS,
                points_count: Some(points as u64),
                indexed_vectors_count: Some(0),
                config: Some(settings::shown(settings, vectors_config)),
                payload_schema,
                ..qdrant::CollectionInfo::default()
            }),
            time: start.elapsed().as_secs_f64(),
        })
    }
}

fn done(result: bool, start: Instant) -> qdrant::CollectionOperationResponse {
    qdrant::CollectionOperationResponse { result, time: start.elapsed().as_secs_f64() }
}

fn vector_configs(config: Option<&qdrant::VectorsConfig>) -> Result<VectorConfigs, Status> {
    match config.and_then(|config| config.config.as_ref()) {
        None => Ok(VectorConfigs::new()),
        Some(vectors_config::Config::Params(params)) => {
            Ok([(String::new(), vector_config(params)?)].into())
        }
        Some(vectors_config::Config::ParamsMap(params)) => params
            .map
            .iter()
            .map(|(name, params)| Ok((name.clone(), vector_config(params)?)))
            .collect(),
    }
}

fn vector_config(params: &qdrant::VectorParams) -> Result<VectorConfig, Status> {
    refuse_option(params.multivector_config.is_some(), "multivectors")?;
    let size = usize::try_from(params.size).unwrap_or(usize::MAX);
    let distance = match params.distance() {
        qdrant::Distance::Cosine => Distance::Cosine,
        qdrant::Distance::Dot => Distance::Dot,
        qdrant::Distance::Euclid => Distance::Euclid,
        qdrant::Distance::Manhattan => Distance::Manhattan,
        qdrant::Distance::UnknownDistance => {
            return Err(Status::invalid_argument(
                "Malformed CreateCollection type: unknown distance",
            ));
        }
    };
    Ok(VectorConfig { size, distance })
}

/// Converts the declared vectors of a collection to a message.
fn declared(configs: &VectorConfigs) -> qdrant::VectorsConfig {
    let params = |config: &VectorConfig| qdrant::VectorParams {
        size: config.size as u64,
        distance: match config.distance {
            Distance::Cosine => qdrant::Distance::Cosine,
            Distance::Dot => qdrant::Distance::Dot,
            Distance::Euclid => qdrant::Distance::Euclid,
            Distance::Manhattan => qdrant::Distance::Manhattan,
        }
        .into(),
        ..qdrant::VectorParams::default()
    };
    let config = match configs.get("") {
        Some(unnamed) => vectors_config::Config::Params(params(unnamed)),
        None => vectors_config::Config::ParamsMap(qdrant::VectorParamsMap {
            map: configs.iter().map(|(name, config)| (name.clone(), params(config))).collect(),
        }),
    };
    qdrant::VectorsConfig { config: Some(config) }
}
