//! The service over HTTP: routes, request deadlines, errors, health.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use qdrant_client::qdrant::{PointId, PointStruct};
use qdrant_client::{Payload, QdrantError};
use resilient_runtime::{Classify, ErrorKind, Snapshot, snapshot, within};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::Store;

/// The header in which a caller says how long it waits, in milliseconds.
pub const TIMEOUT: &str = "x-timeout-ms";

/// How long a request may take whose caller does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

pub fn router(store: Store) -> Router {
    let tenants = Router::new()
        .route("/", put(create).get(info).delete(remove))
        .route("/count", get(count))
        .route("/search", post(search))
        .route("/authors/index", post(index_authors))
        .route("/authors/{author}", get(by_author).delete(delete_of))
        .route("/articles/{id}", put(put_article).get(get_article).delete(delete_article))
        .route("/articles/{id}/similar", get(similar))
        .route("/articles/{id}/author", put(set_author).delete(clear_author));
    Router::new()
        .nest("/tenants/{tenant}", tenants)
        .layer(middleware::from_fn(deadline))
        // Not under the deadline, and whatever Qdrant does.
        .route("/health", get(health))
        .with_state(Arc::new(store))
}

/// Every call of a request has at most the time that the request has left.
async fn deadline(headers: HeaderMap, request: Request, next: Next) -> Response {
    let asked = headers.get(TIMEOUT).and_then(|value| value.to_str().ok()?.parse().ok());
    within(asked.map_or(DEFAULT_TIMEOUT, Duration::from_millis), next.run(request)).await
}

/// Answers 200 even while a breaker is open. All replicas see the same outage. If each of them reported
/// itself as unhealthy, the load balancer would have no replica left.
async fn health() -> Json<Snapshot> {
    Json(snapshot())
}

/// What a caller gets in place of an answer.
struct Failure(StatusCode, Option<Duration>);

impl From<QdrantError> for Failure {
    fn from(error: QdrantError) -> Self {
        let status = match error.kind() {
            ErrorKind::InvalidRequestError | ErrorKind::InvalidVector => StatusCode::BAD_REQUEST,
            ErrorKind::NotFoundError | ErrorKind::CollectionNotFound => StatusCode::NOT_FOUND,
            ErrorKind::CircuitOpen
            | ErrorKind::RateLimitError
            | ErrorKind::ServiceUnavailable
            | ErrorKind::ConnectionError
            | ErrorKind::NetworkError => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::TimeoutError
            | ErrorKind::SearchTimeout
            | ErrorKind::ConnectionTimeout
            | ErrorKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            // A wrong API key is a mistake of this service, not of its caller.
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        // The text of the error stays here: it may contain the API key.
        Self(status, error.retry_after())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(status, wait) = self;
        match wait.map(|wait| wait.as_millis().div_ceil(1000).to_string()) {
            Some(seconds) => (status, [(header::RETRY_AFTER, seconds)]).into_response(),
            None => status.into_response(),
        }
    }
}

type Answer<T = Json<Value>> = Result<T, Failure>;
type Stored = State<Arc<Store>>;

#[derive(Deserialize)]
struct Article {
    vector: Vec<f32>,
    author: Option<String>,
}

#[derive(Deserialize)]
struct Dimensions {
    dimensions: u64,
}

#[derive(Deserialize)]
struct Author {
    author: String,
}

async fn create(
    State(store): Stored,
    Path(tenant): Path<String>,
    Query(Dimensions { dimensions }): Query<Dimensions>,
) -> Answer<StatusCode> {
    if store.exists(&tenant).await? {
        return Ok(StatusCode::OK);
    }
    store.create(&tenant, dimensions).await?;
    Ok(StatusCode::CREATED)
}

async fn info(State(store): Stored, Path(tenant): Path<String>) -> Answer {
    let info = store.info(&tenant).await?.unwrap_or_default();
    Ok(Json(json!({ "points": info.points_count, "status": info.status })))
}

async fn remove(State(store): Stored, Path(tenant): Path<String>) -> Answer<StatusCode> {
    store.remove(&tenant).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn count(State(store): Stored, Path(tenant): Path<String>) -> Answer {
    Ok(Json(json!({ "count": store.count(&tenant).await? })))
}

async fn search(
    State(store): Stored,
    Path(tenant): Path<String>,
    Json(article): Json<Article>,
) -> Answer {
    let found = store.nearest(&tenant, &article.vector).await?;
    Ok(ids(found.into_iter().map(|point| point.id)))
}

async fn similar(State(store): Stored, Path((tenant, id)): Path<(String, u64)>) -> Answer {
    let found = store.similar(&tenant, id).await?;
    Ok(ids(found.into_iter().map(|point| point.id)))
}

async fn by_author(State(store): Stored, Path((tenant, author)): Path<(String, String)>) -> Answer {
    let found = store.by_author(&tenant, &author).await?;
    Ok(ids(found.into_iter().map(|point| point.id)))
}

async fn index_authors(State(store): Stored, Path(tenant): Path<String>) -> Answer<StatusCode> {
    store.index_authors(&tenant).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_of(
    State(store): Stored,
    Path((tenant, author)): Path<(String, String)>,
) -> Answer<StatusCode> {
    store.delete_of(&tenant, &author).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_article(
    State(store): Stored,
    Path((tenant, id)): Path<(String, u64)>,
    Json(Article { vector, author }): Json<Article>,
) -> Answer<StatusCode> {
    let mut payload = Payload::new();
    if let Some(author) = author {
        payload.insert("author", author);
    }
    store.put(&tenant, PointStruct::new(id, vector, payload)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_article(
    State(store): Stored,
    Path((tenant, id)): Path<(String, u64)>,
) -> Answer<Response> {
    let Some(article) = store.get(&tenant, id).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let author = article.payload.get("author").and_then(|author| author.as_str());
    Ok(Json(json!({ "id": id, "author": author })).into_response())
}

async fn delete_article(
    State(store): Stored,
    Path((tenant, id)): Path<(String, u64)>,
) -> Answer<StatusCode> {
    store.delete(&tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_author(
    State(store): Stored,
    Path((tenant, id)): Path<(String, u64)>,
    Json(Author { author }): Json<Author>,
) -> Answer<StatusCode> {
    store.set_author(&tenant, id, &author).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_author(
    State(store): Stored,
    Path((tenant, id)): Path<(String, u64)>,
) -> Answer<StatusCode> {
    store.clear_author(&tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn ids(found: impl Iterator<Item = Option<PointId>>) -> Json<Value> {
    use qdrant_client::qdrant::point_id::PointIdOptions;
    let number = |id: PointId| match id.point_id_options? {
        PointIdOptions::Num(number) => Some(number),
        PointIdOptions::Uuid(_) => None,
    };
    Json(json!({ "ids": found.flatten().filter_map(number).collect::<Vec<_>>() }))
}
