//! The gRPC services over a store.

mod batch;
mod collections;
mod convert;
mod estimate;
mod filter;
mod health;
mod index;
mod limiter;
mod points;
mod query;
mod settings;
pub(crate) mod state;
mod status;
mod strict;
mod validate;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use crate::storage::Storage;
use crate::store::{Store, StoreError, VectorConfigs};
use crate::sync::lock;
use index::Indexes;
use limiter::{Access, Limiter};
use status::{to_status, wrong_input};
use strict::StrictMode;

/// The calls of one server: a storage, and the rate limits of this server.
#[derive(Debug)]
pub(crate) struct Engine {
    storage: Storage,
    limiters: Mutex<HashMap<String, Limiter>>,
}

/// A snapshot of a collection, taken at the start of a call.
struct Collection {
    name: String,
    vectors: VectorConfigs,
    indexes: Arc<Indexes>,
    /// `None` unless it is enabled.
    strict: Option<StrictMode>,
    /// See [`CollectionState`](state::CollectionState).
    made: u64,
    limited: u64,
}

impl Engine {
    pub(crate) fn new(storage: Storage) -> Self {
        Self { storage, limiters: Mutex::default() }
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Discards the state that does not survive a restart.
    pub(crate) fn restart(&self) {
        lock(&self.limiters).clear();
    }

    /// Returns the three services of the server.
    pub(crate) fn routes(this: &Arc<Self>) -> Routes {
        // Like the real server, accepts gzip and messages of any size.
        macro_rules! server {
            ($server:ident, $service:expr) => {
                $server::new($service)
                    .accept_compressed(CompressionEncoding::Gzip)
                    .send_compressed(CompressionEncoding::Gzip)
                    .max_decoding_message_size(usize::MAX)
            };
        }
        Routes::new(server!(CollectionsServer, collections::Service(Arc::clone(this))))
            .add_service(server!(PointsServer, points::Service(Arc::clone(this))))
            .add_service(server!(QdrantServer, health::Service))
            .prepare()
    }

    fn store(&self) -> &dyn Store {
        self.storage.store()
    }

    fn collection(&self, name: &str) -> Result<Collection, Status> {
        let vectors = self.store().vectors(name).map_err(|e| to_status(&e))?;
        let mut states = lock(self.storage.states());
        // A store may hold collections that were not created through a server.
        let state = states.entry(name.to_owned()).or_default();
        Ok(Collection {
            name: name.to_owned(),
            vectors,
            indexes: Arc::clone(&state.indexes),
            strict: StrictMode::of(&state.settings),
            made: state.made,
            limited: state.limited,
        })
    }

    /// Charges a call to the rate limit of its collection.
    fn charge(&self, collection: &Collection, access: Access, cost: usize) -> Result<(), Status> {
        let now = Instant::now();
        self.limiter(collection, now, |limiter| limiter.charge(access, cost, now))
    }

    /// Records a write that is not charged.
    fn note_write(&self, collection: &Collection) {
        self.limiter(collection, Instant::now(), Limiter::note_write);
    }

    fn limiter<T>(
        &self,
        collection: &Collection,
        now: Instant,
        with: impl FnOnce(&mut Limiter) -> T,
    ) -> T {
        let mut limiters = lock(&self.limiters);
        let limiter = limiters
            .entry(collection.name.clone())
            .or_insert_with(|| Limiter::new(collection, now));
        limiter.keep_up(collection, now);
        with(limiter)
    }

    /// Returns the number of the next write to a collection.
    fn next_operation(&self, collection: &Collection) -> u64 {
        let mut states = lock(self.storage.states());
        states.entry(collection.name.clone()).or_default().next_operation()
    }
}

impl Collection {
    /// Checks that the collection declares this vector, with this number of dimensions.
    fn check_vector(&self, name: &str, vector: &[f32]) -> Result<(), Status> {
        let expected = self.check_vector_name(name)?;
        if vector.len() == expected {
            Ok(())
        } else {
            Err(to_status(&StoreError::WrongDimension { expected, received: vector.len() }))
        }
    }

    /// Does the same for an upsert. If a named vector has the wrong size, the error contains its name.
    fn check_new_vector(&self, name: &str, vector: &[f32]) -> Result<(), Status> {
        let expected = self.check_vector_name(name)?;
        if vector.len() == expected || name.is_empty() {
            return self.check_vector(name, vector);
        }
        let error = StoreError::WrongDimension { expected, received: vector.len() };
        Err(wrong_input(format!("{error} for vector '{name}'")))
    }

    /// Checks that the collection declares this vector, and returns its number of dimensions.
    fn check_vector_name(&self, name: &str) -> Result<usize, Status> {
        match self.vectors.get(name) {
            Some(config) => Ok(config.size),
            None => Err(to_status(&StoreError::UnknownVector(name.to_owned()))),
        }
    }
}

/// Implements the trait of a service. Some calls are methods of the wrapped type; all others fail with
/// `Unimplemented`.
macro_rules! implement {
    (
        $trait:ident for $service:ident($engine:ty);
        handled { $($call:ident: $handler:ident($request:ident) -> $response:ident;)* }
        refused { $($refused:ident($refused_request:ident) -> $refused_response:ident;)* }
    ) => {
        pub(super) struct $service(pub(super) ::std::sync::Arc<$engine>);

        #[tonic::async_trait]
        impl $trait for $service {
            $(
                async fn $call(
                    &self,
                    request: tonic::Request<qdrant::$request>,
                ) -> Result<tonic::Response<qdrant::$response>, tonic::Status> {
                    self.0.$handler(request.into_inner()).map(tonic::Response::new)
                }
            )*
            $(
                async fn $refused(
                    &self,
                    _: tonic::Request<qdrant::$refused_request>,
                ) -> Result<tonic::Response<qdrant::$refused_response>, tonic::Status> {
                    Err($crate::service::status::unsupported(concat!(
                        stringify!($trait),
                        "::",
                        stringify!($refused),
                    )))
                }
            )*
        }
    };
}
use implement;
