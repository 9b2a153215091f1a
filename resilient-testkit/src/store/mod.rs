//! The storage engine of the server: collections and points.
//!
//! The crate provides [`MemoryStore`]. To use another engine, implement [`Store`] and pass it to
//! [`EmbeddedQdrant::start_with`](crate::EmbeddedQdrant::start_with). An engine does not handle the
//! protocol: gRPC messages, rate limits, counts and faults are the server's.

mod distance;
mod filter;
mod memory;
mod path;
mod point;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use distance::Distance;
pub use filter::{Condition, FieldCheck, Filter, Match, Range};
pub use memory::MemoryStore;
pub use path::Path;
pub use point::{Payload, Point, PointId, ScoredPoint, Value, Vectors};
pub use text::{TextQuery, TokenSplit, Tokenizer};

/// A storage engine, which writes and searches collections of points.
///
/// A server calls its engine from its own thread. Servers that share a [`Storage`](crate::Storage)
/// call it concurrently. A call that blocks delays its server. Every call must take effect before it
/// returns.
///
/// # Errors
///
/// Each call with the name of a collection fails with [`StoreError::CollectionNotFound`] if the
/// collection does not exist.
pub trait Store: Send + Sync + 'static {
    /// Creates a collection.
    ///
    /// # Errors
    ///
    /// [`StoreError::CollectionExists`] if the collection exists.
    fn create_collection(&self, name: &str, vectors: VectorConfigs) -> Result<(), StoreError>;

    /// Deletes a collection. Returns `false` if it does not exist.
    ///
    /// # Errors
    ///
    /// Only errors of the engine itself.
    fn delete_collection(&self, name: &str) -> Result<bool, StoreError>;

    /// Returns the names of all collections, sorted.
    ///
    /// # Errors
    ///
    /// Only errors of the engine itself.
    fn collections(&self) -> Result<Vec<String>, StoreError>;

    /// Returns the vectors that a collection declares.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn vectors(&self, collection: &str) -> Result<VectorConfigs, StoreError>;

    /// Inserts points. A point replaces the point with its id. Either all points are stored or none.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownVector`], [`StoreError::WrongDimension`].
    fn upsert(&self, collection: &str, points: Vec<Point>) -> Result<(), StoreError>;

    /// Deletes points. Ids that do not exist are ignored.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn delete(&self, collection: &str, selection: &Selection) -> Result<(), StoreError>;

    /// Changes parts of points.
    ///
    /// # Errors
    ///
    /// - [`StoreError::PointNotFound`] if an id does not exist. Points that exist are changed
    ///   nevertheless.
    /// - [`StoreError::UnknownVector`]. If vectors are deleted, only if there is a point to change.
    /// - [`StoreError::WrongDimension`].
    fn change(
        &self,
        collection: &str,
        selection: &Selection,
        change: &Change,
    ) -> Result<(), StoreError>;

    /// Returns the points with these ids, in this order. Ids that do not exist are ignored.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn get(&self, collection: &str, ids: &[PointId]) -> Result<Vec<Point>, StoreError>;

    /// Returns at most `limit` points that pass the filter, by ascending id, starting with `from`.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn scroll(
        &self,
        collection: &str,
        filter: &Filter,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError>;

    /// Returns the number of points that pass the filter.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn count(&self, collection: &str, filter: &Filter) -> Result<usize, StoreError>;

    /// Returns the points that are nearest to a vector, the nearest first. Equal scores are ordered by
    /// ascending id.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownVector`], [`StoreError::WrongDimension`].
    fn search(&self, collection: &str, search: &Search) -> Result<Vec<ScoredPoint>, StoreError>;
}

/// A shared store, which a test can inspect while a server serves it.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn create_collection(&self, name: &str, vectors: VectorConfigs) -> Result<(), StoreError> {
        (**self).create_collection(name, vectors)
    }

    fn delete_collection(&self, name: &str) -> Result<bool, StoreError> {
        (**self).delete_collection(name)
    }

    fn collections(&self) -> Result<Vec<String>, StoreError> {
        (**self).collections()
    }

    fn vectors(&self, collection: &str) -> Result<VectorConfigs, StoreError> {
        (**self).vectors(collection)
    }

    fn upsert(&self, collection: &str, points: Vec<Point>) -> Result<(), StoreError> {
        (**self).upsert(collection, points)
    }

    fn delete(&self, collection: &str, selection: &Selection) -> Result<(), StoreError> {
        (**self).delete(collection, selection)
    }

    fn change(
        &self,
        collection: &str,
        selection: &Selection,
        change: &Change,
    ) -> Result<(), StoreError> {
        (**self).change(collection, selection, change)
    }

    fn get(&self, collection: &str, ids: &[PointId]) -> Result<Vec<Point>, StoreError> {
        (**self).get(collection, ids)
    }

    fn scroll(
        &self,
        collection: &str,
        filter: &Filter,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        (**self).scroll(collection, filter, from, limit)
    }

    fn count(&self, collection: &str, filter: &Filter) -> Result<usize, StoreError> {
        (**self).count(collection, filter)
    }

    fn search(&self, collection: &str, search: &Search) -> Result<Vec<ScoredPoint>, StoreError> {
        (**self).search(collection, search)
    }
}

/// A vector that a collection declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorConfig {
    /// The number of dimensions.
    pub size: usize,
    /// The measure of nearness.
    pub distance: Distance,
}

/// The vectors that a collection declares, by name. The unnamed vector has the empty name.
pub type VectorConfigs = BTreeMap<String, VectorConfig>;

/// The points that a write selects.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// The points with these ids.
    Ids(Vec<PointId>),
    /// The points that pass the filter.
    Filter(Filter),
}

/// A change to parts of points.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Merges values into the payload, or into the object at `key`.
    SetPayload {
        /// The values. Null removes its key. An empty payload stores null instead.
        values: Payload,
        /// The path to the object. `None` means the payload itself.
        key: Option<Path>,
    },
    /// Replaces the payload.
    OverwritePayload(Payload),
    /// Removes keys from the payload.
    DeletePayload(Vec<Path>),
    /// Sets some of the vectors.
    SetVectors(Vectors),
    /// Removes the vectors with these names.
    DeleteVectors(Vec<String>),
}

/// A search for the nearest points.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The vector to be near to.
    pub vector: Vec<f32>,
    /// The name of the vector to compare with.
    pub using: String,
    /// The points to search.
    pub filter: Filter,
    /// How many of the nearest points to skip.
    pub offset: usize,
    /// The maximum number of points to return.
    pub limit: usize,
    /// If set, only points that are nearer than this score are returned.
    pub score_threshold: Option<f32>,
}

/// Why an engine rejected a call. The server converts it to the code and message of Qdrant.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// The collection does not exist.
    CollectionNotFound(String),
    /// The collection already exists.
    CollectionExists(String),
    /// The point does not exist.
    PointNotFound(PointId),
    /// The collection does not declare a vector with this name.
    UnknownVector(String),
    /// A vector has the wrong number of dimensions.
    WrongDimension {
        /// The declared number of dimensions.
        expected: usize,
        /// The actual number of dimensions.
        received: usize,
    },
    /// The engine failed.
    Internal(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CollectionNotFound(name) => write!(f, "Collection `{name}` doesn't exist!"),
            Self::CollectionExists(name) => write!(f, "Collection `{name}` already exists!"),
            Self::PointNotFound(id) => write!(f, "No point with id {id} found"),
            Self::UnknownVector(name) => write!(f, "Not existing vector name error: {name}"),
            Self::WrongDimension { expected, received } => {
                write!(f, "Vector dimension error: expected dim: {expected}, got {received}")
            }
            Self::Internal(description) => f.write_str(description),
        }
    }
}

impl std::error::Error for StoreError {}
