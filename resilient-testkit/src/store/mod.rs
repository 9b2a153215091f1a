//! The engine behind the server, in terms of collections and points.
//!
//! [`MemoryStore`] is the one that comes with the crate. Another may take its place: implement
//! [`Store`] and pass it to [`EmbeddedQdrant::start_with`](crate::EmbeddedQdrant::start_with).
//! What belongs to the protocol (gRPC messages, rate limits, counts, faults) never reaches it.

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

/// An engine: collections of points, written and searched.
///
/// A server calls it from its own thread, and servers that share a
/// [`Storage`](crate::Storage) from several at once. A call that blocks holds up its server. Every
/// call takes effect before it returns.
///
/// # Errors
///
/// Each call that names a collection fails with [`StoreError::CollectionNotFound`] if there is
/// none of that name.
pub trait Store: Send + Sync + 'static {
    /// Makes a collection.
    ///
    /// # Errors
    ///
    /// [`StoreError::CollectionExists`].
    fn create_collection(&self, name: &str, vectors: VectorConfigs) -> Result<(), StoreError>;

    /// Removes a collection; `false` if there was none.
    ///
    /// # Errors
    ///
    /// Only those of the engine itself.
    fn delete_collection(&self, name: &str) -> Result<bool, StoreError>;

    /// The names of all collections, sorted.
    ///
    /// # Errors
    ///
    /// Only those of the engine itself.
    fn collections(&self) -> Result<Vec<String>, StoreError>;

    /// The vectors that a collection declares.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn vectors(&self, collection: &str) -> Result<VectorConfigs, StoreError>;

    /// Inserts points, each in place of the one with its id. Either all are stored or none.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownVector`], [`StoreError::WrongDimension`].
    fn upsert(&self, collection: &str, points: Vec<Point>) -> Result<(), StoreError>;

    /// Removes points. Ids that are not there are passed over.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn delete(&self, collection: &str, selection: &Selection) -> Result<(), StoreError>;

    /// Changes parts of points.
    ///
    /// # Errors
    ///
    /// [`StoreError::PointNotFound`] if an id is not there; the points that are there are changed
    /// all the same. [`StoreError::UnknownVector`], though for vectors to delete only if there is a
    /// point to change. [`StoreError::WrongDimension`].
    fn change(
        &self,
        collection: &str,
        selection: &Selection,
        change: &Change,
    ) -> Result<(), StoreError>;

    /// The points with these ids, in this order. Ids that are not there are passed over.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn get(&self, collection: &str, ids: &[PointId]) -> Result<Vec<Point>, StoreError>;

    /// At most `limit` points that pass the filter, by rising id, from the id `from` on.
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

    /// How many points pass the filter.
    ///
    /// # Errors
    ///
    /// See the trait.
    fn count(&self, collection: &str, filter: &Filter) -> Result<usize, StoreError>;

    /// The points that are nearest to a vector, the nearest first and equals by rising id.
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

/// The points that a write is meant for.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// Those with these ids.
    Ids(Vec<PointId>),
    /// Those that pass the filter.
    Filter(Filter),
}

/// A change to parts of points.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Puts values into the payload, or into the object at `key` within it.
    SetPayload {
        /// The values. Null removes a key, except from an empty payload, which takes it as it is.
        values: Payload,
        /// Where to put them.
        key: Option<Path>,
    },
    /// Puts a payload in place of the one that is there.
    OverwritePayload(Payload),
    /// Removes keys from the payload.
    DeletePayload(Vec<Path>),
    /// Sets some of the vectors.
    SetVectors(Vectors),
    /// Removes the vectors of these names.
    DeleteVectors(Vec<String>),
}

/// A search for the nearest points.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// What to be near to.
    pub vector: Vec<f32>,
    /// The name of the vector to compare with.
    pub using: String,
    /// The points to look at.
    pub filter: Filter,
    /// How many of the nearest to pass over.
    pub offset: usize,
    /// How many points to return at most.
    pub limit: usize,
    /// Points must be nearer than this score.
    pub score_threshold: Option<f32>,
}

/// Why an engine refused a call. The server answers in the codes and words of Qdrant.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no collection of this name.
    CollectionNotFound(String),
    /// There is a collection of this name.
    CollectionExists(String),
    /// There is no point with this id.
    PointNotFound(PointId),
    /// The collection declares no vector of this name.
    UnknownVector(String),
    /// A vector has the wrong number of dimensions.
    WrongDimension {
        /// As declared.
        expected: usize,
        /// As given.
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
