use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    ClearPayloadPointsBuilder, CollectionInfo, Condition, CountPointsBuilder,
    CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, DeleteFieldIndexCollectionBuilder,
    DeletePayloadPointsBuilder, DeletePointVectorsBuilder, DeletePointsBuilder, Distance,
    FieldType, Filter, GetPointsBuilder, HnswConfigDiffBuilder, PointId, PointStruct, PointVectors,
    QueryBatchPoints, QueryPointsBuilder, RetrievedPoint, ScoredPoint, ScrollPointsBuilder,
    SearchBatchPointsBuilder, SearchPointsBuilder, SetPayloadPointsBuilder,
    UpdateCollectionBuilder, UpdatePointVectorsBuilder, UpsertPointsBuilder, VectorParamsBuilder,
    VectorsSelector,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_runtime::guard;
use tonic::Code;

const COLLECTION: &str = "app";

#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("qdrant: {0}")]
    Qdrant(String),
    #[error("{0} was not found")]
    NotFound(&'static str),
}

struct Db {
    client: Qdrant,
}

fn tagged(tag: &str) -> Filter {
    Filter::must([Condition::matches("tag", tag.to_owned())])
}

fn only(id: u64) -> Vec<PointId> {
    vec![id.into()]
}

/// The policy of every call of the database.
macro_rules! guarded {
    (idempotent = false; $call:expr) => {
        guard!(retry = "auto", breaker = "app", idempotent = false; $call)
    };
    ($call:expr) => {
        guard!(retry = "auto", breaker = "app"; $call)
    };
}

impl Db {
    async fn create(&self, name: &str, size: u64) -> Result<bool, AppError> {
        let vectors = VectorParamsBuilder::new(size, Distance::Dot);
        let create = CreateCollectionBuilder::new(name).vectors_config(vectors);
        match guarded!(self.client.create_collection(create.clone())).await {
            // The answer to an earlier attempt may have been lost.
            Err(QdrantError::ResponseError { status }) if status.code() == Code::AlreadyExists => {
                Ok(self.size(name).await? == Some(size))
            }
            created => Ok(created.map_err(|e| AppError::Qdrant(e.to_string()))?.result),
        }
    }

    async fn size(&self, name: &str) -> Result<Option<u64>, AppError> {
        let info = guarded!(self.client.collection_info(name))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        let params = info.result.and_then(|info| info.config?.params?.vectors_config?.config);
        Ok(params.and_then(|config| match config {
            Config::Params(vectors) => Some(vectors.size),
            Config::ParamsMap(_) => None,
        }))
    }

    async fn exists(&self, name: &str) -> Result<bool, AppError> {
        guarded!(self.client.collection_exists(name))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))
    }

    async fn collections(&self) -> Result<Vec<String>, AppError> {
        let listed = guarded!(self.client.list_collections())
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(listed.collections.into_iter().map(|collection| collection.name).collect())
    }

    async fn info(&self) -> Result<CollectionInfo, AppError> {
        let info = guarded!(self.client.collection_info(COLLECTION))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        info.result.ok_or(AppError::NotFound("the collection"))
    }

    async fn tune(&self, ef_construct: u64) -> Result<(), AppError> {
        let hnsw = HnswConfigDiffBuilder::default().ef_construct(ef_construct);
        guarded!(
            self.client.update_collection(
                UpdateCollectionBuilder::new(COLLECTION).hnsw_config(hnsw.clone())
            )
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn drop_collection(&self, name: &str) -> Result<bool, AppError> {
        let dropped = guarded!(idempotent = false; self.client.delete_collection(name))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(dropped.result)
    }

    async fn index_field(&self, field: &str) -> Result<(), AppError> {
        guarded!(
            self.client.create_field_index(
                CreateFieldIndexCollectionBuilder::new(COLLECTION, field, FieldType::Keyword)
                    .wait(true),
            )
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn unindex_field(&self, field: &str) -> Result<(), AppError> {
        guarded!(
            self.client
                .delete_field_index(DeleteFieldIndexCollectionBuilder::new(COLLECTION, field))
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn insert(&self, id: u64, vector: Vec<f32>, tag: &str) -> Result<(), AppError> {
        let points = vec![PointStruct::new(id, vector, [("tag", tag.into())])];
        let upsert = UpsertPointsBuilder::new(COLLECTION, points).wait(true).build();
        guarded!(self.client.upsert_points(upsert.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn insert_all(&self, points: Vec<PointStruct>) -> Result<(), AppError> {
        guarded!(self.client.upsert_points_chunked(
            UpsertPointsBuilder::new(COLLECTION, points.clone()).wait(true),
            100
        ))
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn delete(&self, id: u64) -> Result<(), AppError> {
        guarded!(
            self.client
                .delete_points(DeletePointsBuilder::new(COLLECTION).points(only(id)).wait(true))
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn delete_tagged(&self, tag: &str) -> Result<(), AppError> {
        let delete = DeletePointsBuilder::new(COLLECTION).points(tagged(tag)).wait(true);
        guarded!(idempotent = false; self.client.delete_points(delete.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn get(&self, id: u64) -> Result<RetrievedPoint, AppError> {
        let found = guarded!(
            self.client.get_points(GetPointsBuilder::new(COLLECTION, only(id)).with_payload(true))
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        found.result.into_iter().next().ok_or(AppError::NotFound("the point"))
    }

    async fn replace_vector(&self, id: u64, vector: Vec<f32>) -> Result<(), AppError> {
        let vectors = vec![PointVectors { id: Some(id.into()), vectors: Some(vector.into()) }];
        guarded!(self.client.update_vectors(
            UpdatePointVectorsBuilder::new(COLLECTION, vectors.clone()).wait(true)
        ))
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn delete_vector(&self, id: u64) -> Result<(), AppError> {
        let vectors = VectorsSelector { names: vec![String::new()] };
        let delete = DeletePointVectorsBuilder::new(COLLECTION)
            .points_selector(only(id))
            .vectors(vectors)
            .wait(true)
            .build();
        guarded!(self.client.delete_vectors(delete.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn tag(&self, id: u64, tag: &str) -> Result<(), AppError> {
        let set = SetPayloadPointsBuilder::new(COLLECTION, Payload::from([("tag", tag.into())]))
            .points_selector(only(id))
            .wait(true)
            .build();
        guarded!(self.client.set_payload(set.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn rename_tag(&self, from: &str, to: &str) -> Result<(), AppError> {
        let set = SetPayloadPointsBuilder::new(COLLECTION, Payload::from([("tag", to.into())]))
            .points_selector(tagged(from))
            .wait(true)
            .build();
        guarded!(idempotent = false; self.client.set_payload(set.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn overwrite(&self, id: u64, payload: Payload) -> Result<(), AppError> {
        let overwrite = SetPayloadPointsBuilder::new(COLLECTION, payload)
            .points_selector(only(id))
            .wait(true)
            .build();
        guarded!(self.client.overwrite_payload(overwrite.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn untag(&self, id: u64) -> Result<(), AppError> {
        let delete = DeletePayloadPointsBuilder::new(COLLECTION, vec!["tag".to_owned()])
            .points_selector(only(id))
            .wait(true)
            .build();
        guarded!(self.client.delete_payload(delete.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn clear(&self, id: u64) -> Result<(), AppError> {
        guarded!(
            self.client.clear_payload(
                ClearPayloadPointsBuilder::new(COLLECTION).points(only(id)).wait(true)
            )
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn search(&self, vector: Vec<f32>, limit: u64) -> Result<Vec<ScoredPoint>, AppError> {
        let response = guarded!(self.client.search_points(SearchPointsBuilder::new(
            COLLECTION,
            vector.clone(),
            limit
        )))
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn search_tagged(&self, vector: &[f32], tag: &str) -> Result<Vec<ScoredPoint>, AppError> {
        let response =
            guarded!(self.client.search_points(
                SearchPointsBuilder::new(COLLECTION, vector, 10).filter(tagged(tag))
            ))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn search_many(&self, vectors: &[Vec<f32>]) -> Result<usize, AppError> {
        let search =
            |vector: &Vec<f32>| SearchPointsBuilder::new(COLLECTION, vector.as_slice(), 10).build();
        let searches: Vec<_> = vectors.iter().map(search).collect();
        let response = guarded!(
            self.client
                .search_batch_points(SearchBatchPointsBuilder::new(COLLECTION, searches.clone()))
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.len())
    }

    async fn query(&self, vector: Vec<f32>) -> Result<Vec<ScoredPoint>, AppError> {
        let query = QueryPointsBuilder::new(COLLECTION).query(vector).limit(10).build();
        let response = guarded!(self.client.query(query.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn first(&self) -> Result<ScoredPoint, AppError> {
        let response = guarded!(self.client.query(QueryPointsBuilder::new(COLLECTION).limit(1)))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        response.result.into_iter().next().ok_or(AppError::NotFound("a point"))
    }

    async fn query_many(&self, vectors: Vec<Vec<f32>>) -> Result<usize, AppError> {
        let query = |vector| QueryPointsBuilder::new(COLLECTION).query::<Vec<f32>>(vector).build();
        let batch = QueryBatchPoints {
            collection_name: COLLECTION.to_owned(),
            query_points: vectors.into_iter().map(query).collect(),
            ..QueryBatchPoints::default()
        };
        let response = guarded!(self.client.query_batch(batch.clone()))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.len())
    }

    async fn page(&self, limit: u32) -> Result<Vec<RetrievedPoint>, AppError> {
        let response =
            guarded!(self.client.scroll(ScrollPointsBuilder::new(COLLECTION).limit(limit)))
                .await
                .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn page_tagged(&self, tag: &str, limit: u32) -> Result<Vec<RetrievedPoint>, AppError> {
        let response = guarded!(
            self.client
                .scroll(ScrollPointsBuilder::new(COLLECTION).filter(tagged(tag)).limit(limit))
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn count(&self) -> Result<u64, AppError> {
        let response = guarded!(self.client.count(CountPointsBuilder::new(COLLECTION).exact(true)))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.map_or(0, |result| result.count))
    }

    async fn count_tagged(&self, tag: &str) -> Result<u64, AppError> {
        let response = guarded!(
            self.client.count(CountPointsBuilder::new(COLLECTION).filter(tagged(tag)).exact(true))
        )
        .await
        .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.map_or(0, |result| result.count))
    }
}
