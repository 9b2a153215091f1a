//! Thirty calls whose errors become text by the same `map_err`. `guard!` goes around each, by a macro
//! that names the policy once. Writes by filter and a deletion of a collection are not repeated, and a
//! collection that exists already may be that of an earlier attempt.
//!
//! Lines changed: 147 added, 94 removed, most of them by the formatter. The macro and the check of a
//! new collection are 32 lines. In each other call, one expression has changed.

use std::pin::Pin;

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
use resilient_runtime::{catalog, guard};
use resilient_testkit::{Answer, Fault, Method};
use tonic::{Code, Status};

use crate::survival::{self, Project, TRIES, survives};

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
                if self.size(name).await? == Some(size) {
                    return Ok(true);
                }
                Err(AppError::Qdrant(status.to_string()))
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

impl Project for Db {
    const COLLECTION: &str = COLLECTION;
    const BREAKER: &str = "app";
    const FINDS_BY: Method = Method::SEARCH;

    fn new(client: Qdrant) -> Self {
        Self { client }
    }

    async fn store(&self, number: u64) -> Result<(), String> {
        self.insert(number, vec![1.0, 0.0], "red").await.map_err(|error| error.to_string())
    }

    async fn find(&self) -> Result<u64, String> {
        match self.search(vec![1.0, 0.0], 10).await {
            Ok(found) => Ok(found.len() as u64),
            Err(error) => Err(error.to_string()),
        }
    }
}

survives!(Db);

type Call<'a> = (Method, Pin<Box<dyn Future<Output = Result<(), AppError>> + 'a>>);

fn call<'a, T>(method: Method, call: impl Future<Output = Result<T, AppError>> + 'a) -> Call<'a> {
    (method, Box::pin(async { call.await.map(drop) }))
}

/// The calls that may be repeated, in an order in which each succeeds.
fn repeatable(db: &Db) -> Vec<Call<'_>> {
    let vector = || vec![1.0, 0.0];
    let point = PointStruct::new(2, vector(), [("tag", "red".into())]);
    let payload = Payload::from([("tag", "blue".into())]);
    vec![
        call(Method::COLLECTION_EXISTS, db.exists(COLLECTION)),
        call(Method::LIST_COLLECTIONS, db.collections()),
        call(Method::GET_COLLECTION, db.info()),
        call(Method::GET_COLLECTION, db.size(COLLECTION)),
        call(Method::UPDATE_COLLECTION, db.tune(200)),
        call(Method::CREATE_COLLECTION, db.create("another", 2)),
        call(Method::CREATE_FIELD_INDEX, db.index_field("tag")),
        call(Method::DELETE_FIELD_INDEX, db.unindex_field("tag")),
        call(Method::UPSERT, db.insert(1, vector(), "red")),
        call(Method::UPSERT, db.insert_all(vec![point])),
        call(Method::GET, db.get(1)),
        call(Method::SEARCH, db.search(vector(), 10)),
        call(Method::SEARCH, db.search_tagged(&[1.0, 0.0], "red")),
        call(Method::SEARCH_BATCH, db.search_many(&[])),
        call(Method::QUERY, db.query(vector())),
        call(Method::QUERY, db.first()),
        call(Method::QUERY_BATCH, db.query_many(vec![vector()])),
        call(Method::SCROLL, db.page(10)),
        call(Method::SCROLL, db.page_tagged("red", 10)),
        call(Method::COUNT, db.count()),
        call(Method::COUNT, db.count_tagged("red")),
        call(Method::SET_PAYLOAD, db.tag(1, "blue")),
        call(Method::OVERWRITE_PAYLOAD, db.overwrite(1, payload)),
        call(Method::DELETE_PAYLOAD, db.untag(1)),
        call(Method::CLEAR_PAYLOAD, db.clear(1)),
        call(Method::UPDATE_VECTORS, db.replace_vector(1, vector())),
        call(Method::DELETE_VECTORS, db.delete_vector(1)),
        call(Method::DELETE, db.delete(1)),
    ]
}

/// The writes that may change something else when they are repeated.
fn unrepeatable(db: &Db) -> Vec<Call<'_>> {
    vec![
        call(Method::SET_PAYLOAD, db.rename_tag("red", "blue")),
        call(Method::DELETE, db.delete_tagged("blue")),
        call(Method::DELETE_COLLECTION, db.drop_collection(COLLECTION)),
    ]
}

/// How often the client sends a call of this method that fails.
fn tries(method: Method) -> u64 {
    if method.to_string().starts_with("Collections/") { 1 } else { TRIES }
}

#[tokio::test]
async fn each_call_that_may_be_repeated_is_retried() {
    let _turn = TURN.lock().await;
    let (server, db) = survival::start::<Db>().await;
    for (method, call) in repeatable(&db) {
        server.reset_counts();
        server.script(Fault::unavailable().on(method).times(tries(method)));
        call.await.unwrap();
        assert_eq!(server.requests(method), tries(method) + 1, "{method}");
    }
    assert_eq!(survival::stored::<Db>(&server).await, 1);
}

#[tokio::test]
async fn a_write_that_may_not_be_repeated_is_sent_once_if_it_may_have_been_executed() {
    let _turn = TURN.lock().await;
    let (server, db) = survival::start::<Db>().await;
    for (method, call) in unrepeatable(&db) {
        // The client does not repeat this by itself.
        let lost = Status::deadline_exceeded("the answer is lost");
        server.script(Fault::status_after_execution(lost).on(method).times(1));
        call.await.unwrap_err();
        assert_eq!(server.requests(method), 1, "{method}");
    }
}

#[tokio::test]
async fn a_write_that_may_not_be_repeated_is_retried_if_it_was_surely_not_executed() {
    let _turn = TURN.lock().await;
    let (server, db) = survival::start::<Db>().await;
    for (method, call) in unrepeatable(&db) {
        let refused = Fault::answer(Answer::http(429)).on(method);
        server.script(refused.times(tries(method)));
        call.await.unwrap();
        assert_eq!(server.requests(method), tries(method) + 1, "{method}");
    }
}

#[tokio::test]
async fn a_collection_whose_first_answer_is_lost_is_created_and_another_one_is_not_taken_for_it() {
    let _turn = TURN.lock().await;
    let (server, db) = survival::start::<Db>().await;
    let lost = Status::unavailable("the answer is lost");
    server.script(Fault::status_after_execution(lost).on(Method::CREATE_COLLECTION).times(1));
    assert!(db.create("another", 2).await.unwrap());
    assert_eq!(server.requests(Method::CREATE_COLLECTION), 2);

    db.create("another", 3).await.unwrap_err();
    assert_eq!(db.size("another").await.unwrap(), Some(2));
    assert_eq!(server.requests(Method::CREATE_COLLECTION), 3);
}

#[test]
fn the_catalog_lists_each_place_although_one_macro_names_the_policy() {
    let catalog = catalog();
    let calls = catalog.functions().iter().filter(|call| call.breaker() == Some("app"));
    let mut lines: Vec<_> = calls.map(|call| (call.file(), call.line())).collect();
    assert_eq!(lines.len(), 31);
    assert!(lines.iter().all(|(file, _)| file.ends_with("lossy_errors.rs")));
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 31);
}
