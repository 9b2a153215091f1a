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
use qdrant_client::{Payload, Qdrant};

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

impl Db {
    async fn create(&self, name: &str, size: u64) -> Result<bool, AppError> {
        let vectors = VectorParamsBuilder::new(size, Distance::Dot);
        let created = self
            .client
            .create_collection(CreateCollectionBuilder::new(name).vectors_config(vectors))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(created.result)
    }

    async fn exists(&self, name: &str) -> Result<bool, AppError> {
        self.client.collection_exists(name).await.map_err(|e| AppError::Qdrant(e.to_string()))
    }

    async fn collections(&self) -> Result<Vec<String>, AppError> {
        let listed =
            self.client.list_collections().await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(listed.collections.into_iter().map(|collection| collection.name).collect())
    }

    async fn info(&self) -> Result<CollectionInfo, AppError> {
        let info = self
            .client
            .collection_info(COLLECTION)
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        info.result.ok_or(AppError::NotFound("the collection"))
    }

    async fn tune(&self, ef_construct: u64) -> Result<(), AppError> {
        let hnsw = HnswConfigDiffBuilder::default().ef_construct(ef_construct);
        self.client
            .update_collection(UpdateCollectionBuilder::new(COLLECTION).hnsw_config(hnsw))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn drop_collection(&self, name: &str) -> Result<bool, AppError> {
        let dropped = self
            .client
            .delete_collection(name)
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(dropped.result)
    }

    async fn index_field(&self, field: &str) -> Result<(), AppError> {
        self.client
            .create_field_index(
                CreateFieldIndexCollectionBuilder::new(COLLECTION, field, FieldType::Keyword)
                    .wait(true),
            )
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn unindex_field(&self, field: &str) -> Result<(), AppError> {
        self.client
            .delete_field_index(DeleteFieldIndexCollectionBuilder::new(COLLECTION, field))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn insert(&self, id: u64, vector: Vec<f32>, tag: &str) -> Result<(), AppError> {
        let points = vec![PointStruct::new(id, vector, [("tag", tag.into())])];
        let upsert = UpsertPointsBuilder::new(COLLECTION, points).wait(true).build();
        self.client.upsert_points(upsert).await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn insert_all(&self, points: Vec<PointStruct>) -> Result<(), AppError> {
        self.client
            .upsert_points_chunked(UpsertPointsBuilder::new(COLLECTION, points).wait(true), 100)
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn delete(&self, id: u64) -> Result<(), AppError> {
        self.client
            .delete_points(DeletePointsBuilder::new(COLLECTION).points(only(id)).wait(true))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn delete_tagged(&self, tag: &str) -> Result<(), AppError> {
        self.client
            .delete_points(DeletePointsBuilder::new(COLLECTION).points(tagged(tag)).wait(true))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn get(&self, id: u64) -> Result<RetrievedPoint, AppError> {
        let found = self
            .client
            .get_points(GetPointsBuilder::new(COLLECTION, only(id)).with_payload(true))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        found.result.into_iter().next().ok_or(AppError::NotFound("the point"))
    }

    async fn replace_vector(&self, id: u64, vector: Vec<f32>) -> Result<(), AppError> {
        let vectors = vec![PointVectors { id: Some(id.into()), vectors: Some(vector.into()) }];
        self.client
            .update_vectors(UpdatePointVectorsBuilder::new(COLLECTION, vectors).wait(true))
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
        self.client.delete_vectors(delete).await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn tag(&self, id: u64, tag: &str) -> Result<(), AppError> {
        let set = SetPayloadPointsBuilder::new(COLLECTION, Payload::from([("tag", tag.into())]))
            .points_selector(only(id))
            .wait(true)
            .build();
        self.client.set_payload(set).await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn rename_tag(&self, from: &str, to: &str) -> Result<(), AppError> {
        let set = SetPayloadPointsBuilder::new(COLLECTION, Payload::from([("tag", to.into())]))
            .points_selector(tagged(from))
            .wait(true)
            .build();
        self.client.set_payload(set).await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn overwrite(&self, id: u64, payload: Payload) -> Result<(), AppError> {
        let overwrite = SetPayloadPointsBuilder::new(COLLECTION, payload)
            .points_selector(only(id))
            .wait(true)
            .build();
        self.client
            .overwrite_payload(overwrite)
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn untag(&self, id: u64) -> Result<(), AppError> {
        let delete = DeletePayloadPointsBuilder::new(COLLECTION, vec!["tag".to_owned()])
            .points_selector(only(id))
            .wait(true)
            .build();
        self.client.delete_payload(delete).await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn clear(&self, id: u64) -> Result<(), AppError> {
        self.client
            .clear_payload(ClearPayloadPointsBuilder::new(COLLECTION).points(only(id)).wait(true))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(())
    }

    async fn search(&self, vector: Vec<f32>, limit: u64) -> Result<Vec<ScoredPoint>, AppError> {
        let response = self
            .client
            .search_points(SearchPointsBuilder::new(COLLECTION, vector, limit))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn search_tagged(&self, vector: &[f32], tag: &str) -> Result<Vec<ScoredPoint>, AppError> {
        let response = self
            .client
            .search_points(SearchPointsBuilder::new(COLLECTION, vector, 10).filter(tagged(tag)))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn search_many(&self, vectors: &[Vec<f32>]) -> Result<usize, AppError> {
        let search =
            |vector: &Vec<f32>| SearchPointsBuilder::new(COLLECTION, vector.as_slice(), 10).build();
        let searches: Vec<_> = vectors.iter().map(search).collect();
        let response = self
            .client
            .search_batch_points(SearchBatchPointsBuilder::new(COLLECTION, searches))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.len())
    }

    async fn query(&self, vector: Vec<f32>) -> Result<Vec<ScoredPoint>, AppError> {
        let query = QueryPointsBuilder::new(COLLECTION).query(vector).limit(10).build();
        let response =
            self.client.query(query).await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn first(&self) -> Result<ScoredPoint, AppError> {
        let response = self
            .client
            .query(QueryPointsBuilder::new(COLLECTION).limit(1))
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
        let response =
            self.client.query_batch(batch).await.map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.len())
    }

    async fn page(&self, limit: u32) -> Result<Vec<RetrievedPoint>, AppError> {
        let response = self
            .client
            .scroll(ScrollPointsBuilder::new(COLLECTION).limit(limit))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn page_tagged(&self, tag: &str, limit: u32) -> Result<Vec<RetrievedPoint>, AppError> {
        let response = self
            .client
            .scroll(ScrollPointsBuilder::new(COLLECTION).filter(tagged(tag)).limit(limit))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result)
    }

    async fn count(&self) -> Result<u64, AppError> {
        let response = self
            .client
            .count(CountPointsBuilder::new(COLLECTION).exact(true))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.map_or(0, |result| result.count))
    }

    async fn count_tagged(&self, tag: &str) -> Result<u64, AppError> {
        let response = self
            .client
            .count(CountPointsBuilder::new(COLLECTION).filter(tagged(tag)).exact(true))
            .await
            .map_err(|e| AppError::Qdrant(e.to_string()))?;
        Ok(response.result.map_or(0, |result| result.count))
    }
}
